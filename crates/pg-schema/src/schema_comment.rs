//! What we write down as the comment on the schema: it goes where the schema goes.

use std::fmt;

use pg_config::{Digest, Identifier};

const MIGRATIONS: &str = "migrations verified by cargo xtask, sha256 ";
const FAILED: &str = "migrations failed under cargo xtask at ";
const PATH: &str = "search_path set by cargo xtask at ";
const ROLES: &str = "granted by cargo xtask to ";

/// What is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SchemaComment {
    /// The digest of the migration inputs of the last verified run.
    pub(crate) digest: Option<Digest>,
    /// When the last run of the migrations failed, where none was verified since.
    pub(crate) failed: Option<String>,
    /// When the path of the app's role was set.
    pub(crate) path: Option<PathSet>,
    /// Which further roles were granted privileges.
    pub(crate) roles: GrantedRoles,
}

/// The further roles of the last setup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GrantedRoles {
    /// Those of `DB_WRITE_ROLES`.
    pub(crate) write: Vec<Identifier>,
    /// Those of `DB_READ_ROLES`.
    pub(crate) read: Vec<Identifier>,
}

/// When the path was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathSet {
    /// The server's time, as PostgreSQL reads it.
    pub(crate) at: String,
    /// What it was set to: another one was set by somebody else, later.
    pub(crate) path: String,
}

impl SchemaComment {
    /// Reads a comment of ours; one of somebody else's says nothing, whatever stands in it.
    pub(crate) fn read(comment: Option<&str>) -> Self {
        let comment = comment.unwrap_or_default();
        let remark = Self::parts(comment);
        if remark.to_string() == comment { remark } else { Self::default() }
    }

    fn parts(comment: &str) -> Self {
        let mut remark = Self::default();
        for part in comment.split("; ") {
            if let Some(digest) = part.strip_prefix(MIGRATIONS) {
                remark.digest = Digest::from_text(digest);
            } else if let Some(at) = part.strip_prefix(FAILED) {
                remark.failed = Some(at.to_owned()).filter(|at| is_time(at));
            } else if let Some(roles) = part.strip_prefix(ROLES) {
                remark.roles = GrantedRoles::read(roles);
            } else if let Some((at, path)) =
                part.strip_prefix(PATH).and_then(|rest| rest.strip_suffix(')')?.split_once(" ("))
            {
                remark.path = Some(PathSet { at: at.to_owned(), path: path.replace("%3B", ";").replace("%25", "%") })
                    .filter(|set| is_time(&set.at));
            }
        }
        remark
    }

    /// Whether a comment may be replaced: there is none, or it is ours.
    pub(crate) fn may_replace(comment: Option<&str>) -> bool {
        comment.is_none_or(|text| Self::read(Some(text)) != Self::default())
    }
}

impl GrantedRoles {
    pub(crate) fn is_empty(&self) -> bool {
        self.write.is_empty() && self.read.is_empty()
    }

    /// `write a, read b`. A name is encoded where it holds what separates names or remarks.
    fn written(&self) -> String {
        let encoded = |name: &Identifier| name.as_str().replace('%', "%25").replace(';', "%3B").replace(',', "%2C");
        let write = self.write.iter().map(|name| format!("write {}", encoded(name)));
        let read = self.read.iter().map(|name| format!("read {}", encoded(name)));
        write.chain(read).collect::<Vec<_>>().join(", ")
    }

    fn read(text: &str) -> Self {
        let mut roles = Self::default();
        for part in text.split(", ") {
            let decoded = |name: &str| name.replace("%2C", ",").replace("%3B", ";").replace("%25", "%");
            if let Some(name) = part.strip_prefix("write ") {
                roles.write.extend(Identifier::new(decoded(name)));
            } else if let Some(name) = part.strip_prefix("read ") {
                roles.read.extend(Identifier::new(decoded(name)));
            }
        }
        roles
    }
}

/// Whether it is `2026-11-25T01:02:03.456789Z`, the fraction left out or not, and a day that there is: whoever wrote the
/// comment, the server is asked with it.
fn is_time(text: &str) -> bool {
    let Some((date, time)) = text.strip_suffix('Z').and_then(|text| text.split_once('T')) else { return false };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let numbers = |text: &str, mark: char| -> Option<[u32; 3]> {
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Option<Vec<u32>> =
            text.split(mark).map(|part| part.parse().ok().filter(|_| is_number(part))).collect();
        parts?.try_into().ok()
    };
    let is_date = |[year, month, day]: [u32; 3]| {
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u32::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=days).contains(&day)
    };
    numbers(date, '-').is_some_and(is_date)
        && numbers(time, ':').is_some_and(|[hours, minutes, seconds]| hours < 24 && minutes < 60 && seconds < 60)
        && fraction.len() <= 6
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for SchemaComment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let migrations = self.digest.as_ref().map(|digest| format!("{MIGRATIONS}{digest}"));
        let failed = self.failed.as_ref().map(|at| format!("{FAILED}{at}"));
        // A semicolon parts the remarks; a name may hold one.
        let encoded = |path: &str| path.replace('%', "%25").replace(';', "%3B");
        let roles = (!self.roles.is_empty()).then(|| format!("{ROLES}{}", self.roles.written()));
        let path = self.path.as_ref().map(|set| format!("{PATH}{} ({})", set.at, encoded(&set.path)));
        f.write_str(&migrations.into_iter().chain(failed).chain(path).chain(roles).collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_somebody_elses_comment_is_left_alone() {
        let digest = Digest::from_text(&"a".repeat(64));
        let path =
            Some(PathSet { at: "2026-11-25T01:02:03.456789Z".to_owned(), path: r#""a; %3B (b)", public"#.to_owned() });
        let name = Identifier::from_catalog;
        let roles = GrantedRoles { write: vec![name("a, write b; %2C")], read: vec![name("reader"), name("é")] };
        for remark in [
            SchemaComment { digest: digest.clone(), ..SchemaComment::default() },
            SchemaComment {
                digest: None,
                failed: Some("2026-11-25T01:02:03Z".to_owned()),
                path: path.clone(),
                roles: roles.clone(),
            },
            SchemaComment {
                digest,
                failed: Some("2026-11-25T01:02:03Z".to_owned()),
                path,
                roles: GrantedRoles::default(),
            },
            SchemaComment { roles, ..SchemaComment::default() },
        ] {
            let comment = remark.to_string();
            assert_eq!(SchemaComment::read(Some(&comment)), remark);
            assert!(SchemaComment::may_replace(Some(&comment)));
        }
        assert!(SchemaComment::may_replace(None) && !SchemaComment::may_replace(Some("the schema of the collection")));
        assert_eq!(SchemaComment::read(Some("the schema of the collection")), SchemaComment::default());
        // A comment is ours as a whole or not at all.
        let ours =
            SchemaComment { failed: Some("2026-11-25T01:02:03Z".to_owned()), ..SchemaComment::default() }.to_string();
        for theirs in
            [format!("{ours}; ask Bob"), format!("Gallery; {ours}"), format!("{FAILED}last week"), String::new()]
        {
            assert_eq!(SchemaComment::read(Some(&theirs)), SchemaComment::default(), "{theirs}");
            assert!(!SchemaComment::may_replace(Some(&theirs)), "{theirs}");
        }
    }

    #[test]
    fn times_are_times() {
        for time in ["2026-11-25T01:02:03.456789Z", "2024-02-29T23:59:59Z", "2026-12-31T00:00:00Z"] {
            assert!(is_time(time), "{time}");
        }
        for other in [
            "2026-13-25T01:02:03Z",
            "2026-00-25T01:02:03Z",
            "2026-02-29T01:02:03Z",
            "2026-04-31T01:02:03Z",
            "2026-04-00T01:02:03Z",
            "0000-04-01T01:02:03Z",
            "infinity",
            "2026-11-25T01:02:03",
            "2026-11-25T99:02:03Z",
        ] {
            assert!(!is_time(other), "{other}");
        }
    }
}
