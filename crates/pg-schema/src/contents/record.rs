//! The record's first line: of what it is.

use std::fmt;

use pg_config::Digest;

const OURS: &str = "contents recorded by cargo xtask, format ";
const FORMAT: &str = "1";
const UNVERIFIED: &str = ", a run of the migrations began since";

/// What stands where the record belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// Nothing.
    #[default]
    Nothing,
    /// A type that another tool or a person has made.
    NotOurs,
    /// A record of another version of this tool.
    OtherFormat,
    /// A record.
    Contents(Head),
}

/// Of what a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The major version of the server: another one may write a definition otherwise.
    pub(crate) major: i32,
    /// The digest of the migrations' files, where any were named.
    pub(crate) digest: Option<Digest>,
    /// Whether a run of the migrations began on what is recorded, and none was verified since.
    pub(crate) is_unverified: bool,
}

impl Recorded {
    /// Reads it; `comment` may be cut off behind the first line.
    pub(crate) fn read(is_there: bool, comment: Option<&str>) -> Self {
        if !is_there {
            return Self::Nothing;
        }
        let line = comment.and_then(|comment| comment.lines().next()).unwrap_or_default();
        let Some(rest) = line.strip_prefix(OURS) else { return Self::NotOurs };
        match rest.strip_prefix(FORMAT).and_then(Head::read) {
            Some(head) => Self::Contents(head),
            None => Self::OtherFormat,
        }
    }
}

impl Head {
    fn read(rest: &str) -> Option<Self> {
        let (rest, is_unverified) = match rest.strip_suffix(UNVERIFIED) {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (major, digest) = match rest.strip_prefix(", PostgreSQL ")?.split_once(", migrations sha256 ") {
            Some((major, digest)) => (major, Some(Digest::from_text(digest)?)),
            None => (rest.strip_prefix(", PostgreSQL ")?, None),
        };
        Some(Self { major: major.parse().ok()?, digest, is_unverified })
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OURS}{FORMAT}, PostgreSQL {}", self.major)?;
        if let Some(digest) = &self.digest {
            write!(f, ", migrations sha256 {digest}")?;
        }
        f.write_str(if self.is_unverified { UNVERIFIED } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_others_wrote_is_not_ours() {
        let digest = Digest::from_text(&"a".repeat(64));
        for head in [
            Head { major: 18, digest: digest.clone(), is_unverified: false },
            Head { major: 13, digest: None, is_unverified: true },
            Head { major: 17, digest, is_unverified: true },
        ] {
            let comment = format!("{head}\ntable\t\tnotes\t0123");
            assert_eq!(Recorded::read(true, Some(&comment)), Recorded::Contents(head));
        }
        assert_eq!(Recorded::read(false, None), Recorded::Nothing);
        assert_eq!(Recorded::read(true, None), Recorded::NotOurs);
        assert_eq!(Recorded::read(true, Some("an e-mail address")), Recorded::NotOurs);
        assert_eq!(Recorded::read(true, Some(&format!("{OURS}2, anything"))), Recorded::OtherFormat);
        assert_eq!(Recorded::read(true, Some(&format!("{OURS}12, PostgreSQL 18"))), Recorded::OtherFormat);
    }
}
