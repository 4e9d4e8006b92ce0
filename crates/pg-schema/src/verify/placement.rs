//! Where objects lie. Each object in the wrong place is named under one id: the bookkeeping of a
//! migration tool, a copy of a relation of ours, or a stray.

use pg_config::Identifier;

use super::access::more_than_one;
use crate::{
    Expected, Facts, Landed, Misplaced, ddl,
    object::{Kind, Object},
    report::{Check, Report},
};

/// Where migration tools keep their books. Found in the wrong place, the tool believes in a wrong past.
const BOOKKEEPING: &[&str] = &[
    "refinery_schema_history",
    "_sqlx_migrations",
    "__diesel_schema_migrations",
    "seaql_migrations",
    "django_migrations",
    "alembic_version",
    "flyway_schema_history",
    "schema_migrations",
    "ar_internal_metadata",
    "goose_db_version",
    "gorp_migrations",
    "databasechangelog",
    "databasechangeloglock",
    "knex_migrations",
    "knex_migrations_lock",
    "_prisma_migrations",
    "atlas_schema_revisions",
    "pgmigrations",
    "typeorm_migrations",
];

pub(super) fn tables_landed(facts: &Facts, expected: &Expected) -> Check {
    let schema = &expected.schema;
    match facts.tables {
        0 => Check::fail("tables-landed", format!("schema {schema} holds no table: run cargo xtask db-migrate")),
        1 => Check::pass("tables-landed", format!("1 table in {schema}")),
        count => Check::pass("tables-landed", format!("{count} tables in {schema}")),
    }
}

/// Puts into a report what a run of the migrations made outside the schema. Other applications may be
/// at work in the same database: what is theirs does not count.
pub(super) fn note_landed(report: &mut Report, landed: &Landed, expected: &Expected) {
    let is_ours = |object: &&Object| {
        object.owner.as_ref() == Some(&expected.role)
            || object.schema.as_ref().is_some_and(|schema| schema.as_str() == "public")
    };
    let outside: Vec<Object> = landed.outside.iter().filter(is_ours).cloned().collect();
    let Some(first) = outside.first() else { return };
    let more = more_than_one(outside.len(), "object");
    let message = format!(
        "the migrations made {} {} outside {}{more}: they set a search_path of their own, or name a schema",
        first.kind.as_str(),
        first.qualified(),
        expected.schema
    );
    if let Some(check) = report.checks.iter_mut().find(|check| check.id == "tables-landed") {
        *check = Check::fail("tables-landed", message).about(outside);
    }
}

pub(super) fn strays(facts: &Facts, expected: &Expected) -> Check {
    let found: Vec<_> = facts.misplaced.iter().filter(|found| !is_bookkeeping(found) && found.twin.is_none()).collect();
    let Some(first) = found.first() else {
        return Check::pass("strays", format!("nothing of {}'s lies outside {}", expected.role, expected.schema));
    };
    let more = more_than_one(found.len(), "object");
    let message =
        format!("{} {} lies outside {}{more}", first.object.kind.as_str(), first.object.qualified(), expected.schema);
    Check::fail("strays", message)
        .about(found.iter().map(|found| found.object.clone()))
        .mended_by(found.iter().flat_map(|found| moved(found, expected)))
}

pub(super) fn duplicates(facts: &Facts, expected: &Expected) -> Check {
    let found: Vec<_> = facts.misplaced.iter().filter(|found| !is_bookkeeping(found) && found.twin.is_some()).collect();
    let Some(first) = found.first() else {
        return Check::pass("duplicates", format!("no relation of {} has a copy elsewhere", expected.schema));
    };
    let more = more_than_one(found.len(), "object");
    let schema = first.object.schema.as_ref().map_or_else(String::new, Identifier::to_string);
    let rows = match first.rows {
        Some((here, twin)) => format!(" ({} rows in {schema}, {} in {})", rows(here), rows(twin), expected.schema),
        None => String::new(),
    };
    let undecided = found.iter().filter(|found| mended(found, expected).is_empty()).count();
    let advice = if undecided > 0 { "; where both hold rows, look at both before either goes" } else { "" };
    let message =
        format!("{} is there twice, in {schema} and in {}{rows}{more}{advice}", first.object.name, expected.schema);
    Check::fail("duplicates", message)
        .about(found.iter().map(|found| found.object.clone()))
        .mended_by(found.iter().flat_map(|found| mended(found, expected)))
}

pub(super) fn bookkeeping(facts: &Facts, expected: &Expected) -> Check {
    let found: Vec<_> = facts.misplaced.iter().filter(|found| is_bookkeeping(found)).collect();
    let Some(first) = found.first() else {
        return Check::pass("bookkeeping", format!("no migration tool keeps its books outside {}", expected.schema));
    };
    let twin = if first.twin.is_some() { format!(", and in {} too", expected.schema) } else { String::new() };
    let message = format!(
        "{} keeps a migration tool's books outside {}{twin}: the tool may believe that nothing is left to do",
        first.object.qualified(),
        expected.schema
    );
    Check::fail("bookkeeping", message).about(found.iter().map(|found| found.object.clone())).mended_by(
        found.iter().flat_map(
            |found| {
                if found.twin.is_some() { mended(found, expected) } else { moved(found, expected) }
            },
        ),
    )
}

fn is_bookkeeping(found: &Misplaced) -> bool {
    found.object.kind == Kind::Table && BOOKKEEPING.contains(&found.object.name.as_str())
}

/// Moves an object into the schema, and gives it to the app's role.
fn moved(found: &Misplaced, expected: &Expected) -> Vec<String> {
    let mut statements = vec![ddl::set_schema(&found.object, &expected.schema)];
    if found.object.owner.as_ref() != Some(&expected.role) {
        statements.push(ddl::alter_owner(&found.object.moved_to(&expected.schema), &expected.role));
    }
    statements
}

/// Removes the empty one of two copies; nothing where both hold rows, or where one may not be read.
fn mended(found: &Misplaced, expected: &Expected) -> Vec<String> {
    match (found.rows, &found.twin) {
        (Some((0, _)), _) => vec![ddl::drop_object(&found.object)],
        (Some((_, 0)), Some(twin)) => {
            let mut statements = vec![ddl::drop_object(twin)];
            statements.extend(moved(found, expected));
            statements
        }
        _ => Vec::new(),
    }
}

fn rows(count: i64) -> String {
    if count >= 10_000 { "10000 or more".to_owned() } else { count.to_string() }
}
