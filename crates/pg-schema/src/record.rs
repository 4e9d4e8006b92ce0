//! Writing down what later runs need to know, as the comment on the schema. Somebody else's comment or schema is
//! left alone.

use pg_config::{Digest, Session};

use crate::{
    Difference, Expected, Facts,
    contents::{Book, Contents, Head, Recorded},
    ddl,
    facts::{Schema, read_schema},
    query::{execute, execute_at_once, query},
    schema_comment::{GrantedRoles, PathSet, SchemaComment},
    sql_error::SqlError,
    transaction::{SAFE_PATH_HERE, SAFE_SETTINGS, in_transaction},
};

/// Records that the migrations of the expected digest were run and verified, by a session of the schema's owner;
/// `false` where nothing could be recorded.
pub fn record_digest(session: &mut Session, facts: &Facts, expected: &Expected) -> Result<bool, SqlError> {
    let Some(schema) = facts.schema.as_ref().filter(|schema| schema.is_own) else { return Ok(false) };
    if expected.digest.is_none() && schema.remark.failed.is_none() {
        return Ok(false);
    }
    write(session, schema.comment.as_deref(), expected, |remark| {
        (remark.digest, remark.failed) = (expected.digest.clone(), None);
    })
}

/// What lay in the schema before a run of the migrations, and was not what the record says.
pub struct Drifted {
    recorded: Contents,
    present: Contents,
}

impl Drifted {
    /// What is not as it was recorded.
    pub fn difference(&self) -> Difference {
        self.recorded.compare(&self.present)
    }
}

/// Judges what is in the schema before a run of the migrations. Where it is as recorded, the record says from now on that
/// a run began: whatever stops it, what it made is no drift.
pub fn begin_run(session: &mut Session, expected: &Expected) -> Result<Option<Drifted>, SqlError> {
    let found = in_transaction(session, |session, _| read_schema(session, expected))?;
    let Some((schema, major)) = found.filter(|(schema, _)| may_record(schema)) else { return Ok(None) };
    let Recorded::Contents(head) = &schema.recorded else { return Ok(None) };
    if head.is_unverified || head.major != major {
        return Ok(None);
    }
    let recorded = Contents::recorded(session, expected)?;
    let present = Contents::read(session, &schema.books, expected)?;
    if recorded != present {
        return Ok(Some(Drifted { recorded, present }));
    }
    write_contents(session, &schema, expected, &Head { is_unverified: true, ..head.clone() }, &present)?;
    Ok(None)
}

/// Records what is in the schema after a run of the migrations that was judged clean. What was not as recorded before
/// the run, and is not now, stays so, unless a person accepts it. Gives what is recorded and what is there; nothing where
/// nothing can be recorded.
pub fn record_contents(
    session: &mut Session,
    facts: &Facts,
    expected: &Expected,
    drifted: Option<&Drifted>,
) -> Result<Option<Difference>, SqlError> {
    let Some(schema) = facts.schema.as_ref().filter(|schema| may_record(schema)) else { return Ok(None) };
    let present = Contents::read(session, &schema.books, expected)?;
    let recorded = match drifted {
        Some(Drifted { recorded, present: before }) => &recorded.advanced(before, &present),
        None => &present,
    };
    let head = Head { major: facts.major(), digest: expected.digest.clone(), is_unverified: false };
    write_contents(session, schema, expected, &head, recorded)?;
    Ok(Some(recorded.compare(&present)))
}

/// Whether the schema is the app's, no other tool keeps its comment there, and our place is not taken.
pub(crate) fn may_record(schema: &Schema) -> bool {
    let is_readable = schema.usage && schema.books.iter().all(Book::is_readable);
    schema.is_own
        && is_readable
        && SchemaComment::may_replace(schema.comment.as_deref())
        && schema.recorded != Recorded::NotOurs
}

fn write_contents(
    session: &mut Session,
    schema: &Schema,
    expected: &Expected,
    head: &Head,
    contents: &Contents,
) -> Result<(), SqlError> {
    execute_at_once(session, "BEGIN READ WRITE")?;
    if schema.recorded == Recorded::Nothing {
        execute_at_once(session, &ddl::create_contents_record(&expected.schema))?;
    }
    execute(session, &ddl::comment_on_contents_record(&expected.schema, &format!("{head}\n{contents}")))?;
    execute_at_once(session, "COMMIT")
}

/// Records that a run of the migrations failed: until one is verified, nothing calls the database complete.
pub fn record_failure(session: &mut Session, expected: &Expected) -> Result<(), SqlError> {
    write_own(session, expected, |remark, now| remark.failed = Some(now))
}

/// Records which further roles are granted privileges: a name that is taken out later loses them.
pub(crate) fn record_roles(session: &mut Session, expected: &Expected, roles: &GrantedRoles) -> Result<(), SqlError> {
    write_own(session, expected, |remark, _| remark.roles = roles.clone())
}

/// Records that the path of the app's role is what it is since now: it was set by somebody else.
pub(crate) fn record_path(session: &mut Session, expected: &Expected) -> Result<(), SqlError> {
    execute_at_once(session, "BEGIN READ WRITE")?;
    record_path_within(session, expected)?;
    execute_at_once(session, "COMMIT")
}

/// The same in the transaction that sets it: a path without the time when it was set hides the sessions that have
/// another one.
pub(crate) fn record_path_within(session: &mut Session, expected: &Expected) -> Result<(), SqlError> {
    let names = [expected.schema.as_str(), expected.role.as_str()];
    execute_at_once(session, &format!("{SAFE_PATH_HERE}; {SAFE_SETTINGS}"))?;
    let rows = query(session, include_str!("sql/role_path.sql"), &names)?;
    let Some(row) = rows.first() else { return Ok(()) };
    let comment: Option<String> = row.get("comment");
    let set = PathSet { at: row.get("now"), path: row.get("path") };
    write(session, comment.as_deref(), expected, |remark| remark.path = Some(set)).map(drop)
}

/// The digest of the last verified run, where one is recorded; a look before any lock is taken.
pub fn recorded_digest(session: &mut Session, expected: &Expected) -> Result<Option<Digest>, SqlError> {
    let rows = query(session, include_str!("sql/recorded.sql"), &[expected.schema.as_str()])?;
    Ok(rows.first().and_then(|row| SchemaComment::read(row.get(0)).digest))
}

/// Changes the remark, if it is ours to change and says something else.
fn write(
    session: &mut Session,
    comment: Option<&str>,
    expected: &Expected,
    change: impl FnOnce(&mut SchemaComment),
) -> Result<bool, SqlError> {
    if !SchemaComment::may_replace(comment) {
        return Ok(false);
    }
    let mut remark = SchemaComment::read(comment);
    change(&mut remark);
    let new = remark.to_string();
    if comment != Some(new.as_str()) {
        execute_at_once(session, &ddl::comment_on_schema(&expected.schema, &new))?;
    }
    Ok(true)
}

/// The same of the schema as it is now, where that is the session's; the change is given the server's time.
fn write_own(
    session: &mut Session,
    expected: &Expected,
    change: impl FnOnce(&mut SchemaComment, String),
) -> Result<(), SqlError> {
    let sql = include_str!("sql/own_comment.sql");
    let rows = in_transaction(session, |session, _| query(session, sql, &[expected.schema.as_str()]))?;
    if let Some(row) = rows.first() {
        write(session, row.get("comment"), expected, |remark| change(remark, row.get("now")))?;
    }
    Ok(())
}
