//! Whether the migrations' tables lie in the schema.

use super::{Definition, more_than_one, no_schema, placement::libraries};
use crate::{
    Expected, Facts, Landed,
    facts::library,
    object::Object,
    report::{Check, Report, Status},
};

const ID: &str = "tables-landed";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    let schema = &expected.schema;
    if facts.schema.is_none() {
        return no_schema(ID, schema);
    }
    match facts.objects.tables {
        0 => match facts.table_elsewhere(expected) {
            None => Check::fail(ID, format!("schema {schema} holds no table: run cargo xtask db-migrate")),
            Some(found) => Check::fail(
                ID,
                format!(
                    "schema {schema} holds no table, and {} lies elsewhere: move what is there (check strays) before any \
                     migration makes empty ones beside it",
                    found.object.qualified()
                ),
            ),
        },
        1 => Check::pass(ID, format!("1 table in {schema}")),
        count => Check::pass(ID, format!("{count} tables in {schema}")),
    }
}

/// Puts into a report what a run of the migrations made outside the schema. Other applications may be
/// at work in the same database: what is theirs does not count.
pub(crate) fn note(report: &mut Report, landed: &Landed, expected: &Expected) {
    let is_ours = |object: &&Object| {
        object.owner.as_ref() == Some(&expected.role)
            || object.schema.as_ref().is_some_and(|schema| schema.as_str() == "public")
    };
    let outside = landed.outside.iter().filter(is_ours).filter(|object| !expected.keeps(object.schema.as_ref()));
    let (of_libraries, outside): (Vec<Object>, Vec<Object>) =
        outside.cloned().partition(|object| library(object.schema.as_ref()).is_some());
    let Some(first) = outside.first() else {
        let libraries = libraries(of_libraries.iter().map(|object| object.schema.as_ref()), expected);
        if let Some(check) = report.check_mut(ID).filter(|check| check.status == Status::Pass && !libraries.is_empty())
        {
            *check = Check::warn(ID, check.message.clone() + &libraries).about(of_libraries);
        }
        return;
    };
    let more = more_than_one(outside.len(), "object");
    let message = format!(
        "the migrations made {} {} outside {}{more}: they set a search_path of their own, or name a schema",
        first.kind.as_str(),
        first.qualified(),
        expected.schema
    );
    if let Some(check) = report.check_mut(ID) {
        *check = Check::fail(ID, message).about(outside);
    }
}
