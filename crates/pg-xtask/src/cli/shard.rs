//! `--shard K/N`: the K-th of N parts of the tests.

use std::{fmt, str::FromStr};

/// One of N parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    pub(crate) number: u32,
    of: u32,
}

impl Shard {
    /// All tests.
    pub(crate) const WHOLE: Self = Self { number: 1, of: 1 };
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        let parts = typed.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err("take 1/N to N/N: 2/4 is the second of four parts"),
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
    fn what_is_not_a_shard_is_refused() {
        for typed in ["1/1", "1/4", "4/4"] {
            assert_eq!(typed.parse::<Shard>().map(|shard| shard.to_string()).as_deref(), Ok(typed));
        }
        for wrong in ["", "1", "/", "1/", "/2", "0/2", "3/2", "0/0", "1/0", "-1/2", "1/2/3", "a/b", "1 / 2", "1.0/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
