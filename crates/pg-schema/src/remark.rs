//! What we write down as the comment on the schema: it goes where the schema goes.

use std::fmt;

use pg_config::Digest;

const MIGRATIONS: &str = "migrations verified by cargo xtask, sha256 ";
const FAILED: &str = "migrations failed under cargo xtask at ";
const PATH: &str = "search_path set by cargo xtask at ";

/// What is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remark {
    /// The digest of the migration inputs of the last verified run.
    pub digest: Option<Digest>,
    /// When the last run of the migrations failed, where none was verified since.
    pub failed: Option<String>,
    /// When the path of the app's role was set.
    pub path: Option<PathSet>,
}

/// When the path was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathSet {
    /// The server's time, as PostgreSQL reads it.
    pub at: String,
    /// Which version of the setting's row that made: another one was made by somebody else, later.
    pub version: String,
}

impl Remark {
    /// Reads a comment of ours; one of somebody else's says nothing.
    pub(crate) fn read(comment: Option<&str>) -> Self {
        let mut remark = Self::default();
        for part in comment.unwrap_or_default().split("; ") {
            if let Some(digest) = part.strip_prefix(MIGRATIONS) {
                remark.digest = Digest::from_text(digest);
            } else if let Some(at) = part.strip_prefix(FAILED) {
                remark.failed = Some(at.to_owned());
            } else if let Some((at, version)) =
                part.strip_prefix(PATH).and_then(|rest| rest.strip_suffix(')')?.split_once(" (version "))
            {
                remark.path = Some(PathSet { at: at.to_owned(), version: version.to_owned() });
            }
        }
        remark
    }

    /// Whether a comment may be replaced: there is none, or it is ours.
    pub(crate) fn may_replace(comment: Option<&str>) -> bool {
        comment.is_none_or(|text| [MIGRATIONS, FAILED, PATH].iter().any(|ours| text.starts_with(ours)))
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let migrations = self.digest.as_ref().map(|digest| format!("{MIGRATIONS}{digest}"));
        let failed = self.failed.as_ref().map(|at| format!("{FAILED}{at}"));
        let path = self.path.as_ref().map(|set| format!("{PATH}{} (version {})", set.at, set.version));
        f.write_str(&migrations.into_iter().chain(failed).chain(path).collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_somebody_elses_comment_is_left_alone() {
        let digest = Digest::from_text(&"a".repeat(64));
        let path = Some(PathSet { at: "2026-11-25T01:02:03.456789Z".to_owned(), version: "745".to_owned() });
        for remark in [
            Remark { digest: digest.clone(), failed: None, path: None },
            Remark { digest: None, failed: Some("2026-11-25T01:02:03Z".to_owned()), path: path.clone() },
            Remark { digest, failed: Some("2026-11-25T01:02:03Z".to_owned()), path },
        ] {
            let comment = remark.to_string();
            assert_eq!(Remark::read(Some(&comment)), remark);
            assert!(Remark::may_replace(Some(&comment)));
        }
        assert!(Remark::may_replace(None) && !Remark::may_replace(Some("the schema of the collection")));
        assert_eq!(Remark::read(Some("the schema of the collection")), Remark::default());
    }
}
