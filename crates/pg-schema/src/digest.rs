//! The digest of the migration inputs, kept as a comment on the schema: it goes where the schema goes.

use pg_config::Digest;

const PREFIX: &str = "migrations verified by cargo xtask, sha256 ";

/// The comment that records a verified run.
pub(crate) fn comment(digest: &Digest) -> String {
    format!("{PREFIX}{digest}")
}

/// The digest in a comment of ours.
pub(crate) fn recorded(comment: &str) -> Option<Digest> {
    Digest::from_text(comment.strip_prefix(PREFIX)?)
}

/// Whether a comment may be replaced: there is none, or it is ours.
pub(crate) fn may_replace(comment: Option<&str>) -> bool {
    comment.is_none_or(|text| text.starts_with(PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_elses_comment_is_left_alone() {
        let digest = Digest::from_text(&"a".repeat(64)).unwrap();
        assert_eq!(recorded(&comment(&digest)), Some(digest.clone()));
        assert!(may_replace(None) && may_replace(Some(&comment(&digest))));
        assert!(!may_replace(Some("the schema of the collection")));
        assert_eq!(recorded("the schema of the collection"), None);
    }
}
