//! What we write down as the comment on the schema: it goes where the schema goes.

use std::fmt;

use pg_config::Digest;

const MIGRATIONS: &str = "migrations verified by cargo xtask, sha256 ";
const FAILED: &str = "migrations failed under cargo xtask at ";
const PATH: &str = "search_path set by cargo xtask at ";

/// What is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SchemaComment {
    /// The digest of the migration inputs of the last verified run.
    pub(crate) digest: Option<Digest>,
    /// When the last run of the migrations failed, where none was verified since.
    pub(crate) failed: Option<String>,
    /// When the path of the app's role was set.
    pub(crate) path: Option<PathSet>,
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
        let path = self.path.as_ref().map(|set| format!("{PATH}{} ({})", set.at, encoded(&set.path)));
        f.write_str(&migrations.into_iter().chain(failed).chain(path).collect::<Vec<_>>().join("; "))
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
        for remark in [
            SchemaComment { digest: digest.clone(), failed: None, path: None },
            SchemaComment { digest: None, failed: Some("2026-11-25T01:02:03Z".to_owned()), path: path.clone() },
            SchemaComment { digest, failed: Some("2026-11-25T01:02:03Z".to_owned()), path },
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
