//! `--shard K/N`: which tests are this machine's.

use std::{fmt, str::FromStr};

/// The K-th of N parts, from the first on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    number: usize,
    of: usize,
}

impl Shard {
    /// All there is.
    pub(crate) const WHOLE: Self = Self { number: 1, of: 1 };

    /// Whether it has what is not parted.
    pub(super) fn is_first(self) -> bool {
        self.number == 1
    }

    /// Whether it is one of several.
    pub(super) fn is_part(self) -> bool {
        self.of > 1
    }

    /// Whether it has what all shards number alike, from 0 on: each N-th, which parts neighbours that take as long.
    pub(super) fn has(self, number: usize) -> bool {
        number % self.of == self.number - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let parts = typed.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err("take 1/N to N/N: 2/4 is the second of four parts".to_owned()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_in_one_shard() {
        for of in 1..=7 {
            let owners = |at| (1..=of).filter(move |number| Shard { number: *number, of }.has(at)).count();
            assert!((0..100).all(|at| owners(at) == 1), "{of} shards");
        }
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for typed in ["1/1", "1/4", "4/4"] {
            assert_eq!(typed.parse::<Shard>().map(|shard| shard.to_string()).as_deref(), Ok(typed));
        }
        for wrong in ["", "1", "/", "1/", "/2", "0/2", "3/2", "0/0", "1/0", "-1/2", "1/2/3", "a/b", "1 / 2", "1.0/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
