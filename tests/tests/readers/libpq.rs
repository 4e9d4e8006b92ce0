//! libpq's own programs.

use serde_json::{Value, json};
use tests::scrubbed;

use crate::reader::Question;

/// psql, which says what it has read by its variables.
#[expect(clippy::unnecessary_wraps, reason = "it is there wherever PostgreSQL is")]
pub(crate) fn psql(questions: &[Question]) -> Option<Vec<Value>> {
    let ask = |question: &Question| {
        let Some(query) = question.query else { return Value::Null };
        let script = format!(
            "SELECT pg_catalog.json_build_object('parsed', pg_catalog.json_build_object(
                 'host', :'HOST', 'port', :'PORT'::int, 'user', :'USER', 'database', :'DBNAME'), 'session', ({query})::json)"
        );
        let run = tests::psql(&question.url, &[], &script);
        if run.code == 0 { serde_json::from_str(run.line()).unwrap() } else { json!({ "error": run.stderr }) }
    };
    Some(questions.iter().map(ask).collect())
}

/// pg_dump, of which the first comment of a dump says where it was.
#[expect(clippy::unnecessary_wraps, reason = "it is there wherever PostgreSQL is")]
pub(crate) fn pg_dump(questions: &[Question]) -> Option<Vec<Value>> {
    let ask = |question: &Question| {
        if question.query.is_none() {
            return Value::Null;
        }
        let mut command = scrubbed("pg_dump");
        let output = command.args(["--create", "--schema-only", "-d", &question.url]).output().unwrap();
        if !output.status.success() {
            return json!({ "error": String::from_utf8_lossy(&output.stderr) });
        }
        let dump = String::from_utf8(output.stdout).unwrap();
        let comment = dump.lines().find_map(|line| line.strip_prefix("-- Name: "));
        let database = comment.and_then(|comment| comment.split_once("; Type: DATABASE; ")).map(|(name, _)| name);
        json!({ "session": { "database": database } })
    };
    Some(questions.iter().map(ask).collect())
}
