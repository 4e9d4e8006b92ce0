//! A server's version, as `initdb --version` prints it.

use std::{cmp::Ordering, fmt};

/// The oldest major version that is supported.
pub(crate) const OLDEST: u32 = 13;

/// A server's version. `Display`: `15.18`, `18beta1`. Newer is greater; a pre-release is older than its release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The major version: data directories of two of them are different.
    pub major: u32,
    stage: Stage,
    minor: u32,
    number: String,
    /// The number and what the packager added: `15.18 (Debian 15.18-0+deb12u1)`.
    pub build: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Devel,
    Alpha,
    Beta,
    Candidate,
    Release,
}

impl Version {
    /// Reads `initdb (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` and what other programs and packagers
    /// print alike.
    pub fn parse(line: &str) -> Option<Self> {
        let build = line.split_once(") ").map_or(line, |(_, rest)| rest).trim();
        let number = build.split_whitespace().next()?;
        let (major, rest) = leading_number(number)?;
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let stage = match &rest[..letters] {
            "" => Stage::Release,
            "devel" => Stage::Devel,
            "alpha" => Stage::Alpha,
            "beta" => Stage::Beta,
            "rc" => Stage::Candidate,
            _ => return None,
        };
        let minor = leading_number(rest[letters..].trim_start_matches('.')).map_or(0, |(minor, _)| minor);
        Some(Self { major, stage, minor, number: number.to_owned(), build: build.to_owned() })
    }

    /// The name of a cluster of this version: `15`. The catalogs of pre-releases differ from each
    /// other's and from the release's, so that each has a cluster of its own: `18beta1`.
    pub fn cluster_name(&self) -> String {
        match self.stage {
            Stage::Release => self.major.to_string(),
            _ => self.number.clone(),
        }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |version: &Self| (version.major, version.stage, version.minor);
        key(self).cmp(&key(other)).then_with(|| self.build.cmp(&other.build))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.number)
    }
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(line: &str) -> Version {
        Version::parse(line).unwrap()
    }

    #[test]
    fn reads_what_packagers_print() {
        for (line, number, cluster) in [
            ("initdb (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18", "15"),
            ("postgres (PostgreSQL) 18beta1", "18beta1", "18beta1"),
            ("initdb (PostgreSQL) 17rc1 (Homebrew)", "17rc1", "17rc1"),
            ("initdb (PostgreSQL) 19devel", "19devel", "19devel"),
            ("initdb (EnterpriseDB) 15.3.0", "15.3.0", "15"),
            ("initdb (PostgreSQL) 16.1 - Percona Distribution", "16.1", "16"),
            ("initdb (PostgreSQL) 9.6.24", "9.6.24", "9"),
        ] {
            assert_eq!(version(line).to_string(), number);
            assert_eq!(version(line).cluster_name(), cluster);
        }
        for line in ["", "initdb (PostgreSQL)", "command not found", "initdb (PostgreSQL) 15gamma"] {
            assert_eq!(Version::parse(line), None, "{line}");
        }
    }

    #[test]
    fn newer_is_greater() {
        let ascending =
            ["9.6.24", "13.1", "15.9", "15.18", "18devel", "18alpha1", "18beta1", "18beta2", "18rc1", "18.0"];
        let versions: Vec<Version> =
            ascending.iter().map(|number| version(&format!("initdb (PostgreSQL) {number}"))).collect();
        assert!(versions.is_sorted());
    }
}
