//! Whether the app's schema is there.

use super::Definition;
use crate::{
    Expected, Facts, ddl,
    object::{Kind, Object},
    report::Check,
};

const ID: &str = "schema";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    let schema = &expected.schema;
    match &facts.schema {
        Some(found) => Check::pass(ID, format!("schema {schema} is there, owned by {}", found.owner)),
        None if facts.table_elsewhere(expected).is_some() => {
            let elsewhere: Vec<_> =
                facts.tables_elsewhere(expected).filter_map(|found| found.object.schema.as_ref()).collect();
            let first = elsewhere[0];
            let message = format!(
                "schema {schema} does not exist, and {} of the app's tables lie elsewhere, in {first}: run neither db-setup nor the \
                 migrations, which would make empty ones beside them",
                elsewhere.len()
            );
            let check = Check::fail(ID, message).about([Object::named(Kind::Schema, schema)]);
            check.fixed_by_hand([match facts.renamed_schema(expected) {
                Some(renamed) => ddl::rename_schema(renamed, schema),
                None => ddl::create_schema_for(schema, &expected.role),
            }])
        }
        None => {
            let lacking = facts.creators.iter().filter(|creator| creator.certain && !creator.is_app);
            Check::fail(
                ID,
                format!("schema {schema} does not exist in database {}: run cargo xtask db-setup", facts.database.name),
            )
            .about([Object::named(Kind::Schema, schema)])
            .fixed_by([ddl::create_schema_for(schema, &expected.role)])
            .fixed_by(lacking.flat_map(|creator| ddl::default_privileges(&creator.role, schema, &expected.role)))
        }
    }
}
