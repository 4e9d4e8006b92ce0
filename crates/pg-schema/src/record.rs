//! Writing down that the migrations of a digest were run and verified.

use pg_config::{Digest, Session};

use crate::{
    Expected, Facts, ddl, digest,
    query::{SqlError, execute, query},
};

/// Records the digest on the schema, by a session of its owner. Somebody else's comment or schema is left
/// alone; `false` says so.
pub fn record_digest(session: &mut Session, facts: &Facts, expected: &Expected) -> Result<bool, SqlError> {
    let Some(current) = &expected.digest else { return Ok(false) };
    let comment = facts.schema.as_ref().and_then(|schema| schema.comment.as_deref());
    let is_own = facts.schema.as_ref().is_some_and(|schema| schema.is_own);
    if !is_own || !digest::may_replace(comment) {
        return Ok(false);
    }
    let new = digest::comment(current);
    if comment != Some(new.as_str()) {
        execute(session, &ddl::comment_on_schema(&expected.schema, &new))?;
    }
    Ok(true)
}

/// The digest of the last verified run, where one is recorded; a look before any lock is taken.
pub fn recorded_digest(session: &mut Session, expected: &Expected) -> Result<Option<Digest>, SqlError> {
    let sql = "SELECT pg_catalog.obj_description(oid, 'pg_namespace') FROM pg_catalog.pg_namespace WHERE nspname = $1";
    let rows = query(session, sql, &[expected.schema.as_str()])?;
    Ok(rows.first().and_then(|row| digest::recorded(row.get::<_, Option<&str>>(0)?)))
}
