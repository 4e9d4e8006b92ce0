//! Whether the app may use its schema and create in it.

use super::{Definition, no_schema};
use crate::{
    Expected, Facts, ddl,
    object::{Kind, Object},
    report::Check,
};

const ID: &str = "schema-privileges";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    let (schema, role) = (&expected.schema, &expected.role);
    let Some(found) = &facts.schema else { return no_schema(ID, schema) };
    let lacking = match (found.usage, found.create) {
        (true, true) => return Check::pass(ID, format!("{role} may use and create in {schema}")),
        (false, false) => "neither use nor create in",
        (false, true) => "not use",
        (true, false) => "not create in",
    };
    Check::fail(ID, format!("role {role} may {lacking} schema {schema}"))
        .about([Object::named(Kind::Schema, schema)])
        .fixed_by([ddl::grant_schema(schema, role)])
}
