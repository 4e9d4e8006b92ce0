//! Functions whose text or whose own search_path leads out of the schema: nothing tracks what a text names.

use pg_config::Identifier;

use super::{Definition, Look, more_than_one};
use crate::{
    Expected, ddl, facts,
    object::Object,
    path,
    report::{Check, Status},
    sql_error::SqlError,
};

const ID: &str = "function-bodies";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(&read(look)?, look.expected)) };

/// A routine, and where it leads.
#[derive(Clone, Debug)]
struct Outward {
    /// The routine.
    routine: Object,
    /// What of it leads elsewhere.
    by: Cause,
}

/// What of a routine leads elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    /// Its text names this object of another schema.
    Body {
        /// The schema.
        schema: Identifier,
        /// The object's bare name.
        name: Identifier,
        /// Whether there is none.
        is_missing: bool,
        /// Whether the app's schema has one of that name.
        has_twin: bool,
    },
    /// Its own search_path.
    Setting {
        /// The path.
        path: String,
        /// Whether none of the schemas that exist on it has the app's tables: `public` alone has not.
        is_lost: bool,
    },
}

fn read(look: &mut Look<'_>) -> Result<Vec<Outward>, SqlError> {
    if look.facts.objects.routines == 0 {
        return Ok(Vec::new());
    }
    let rows = look.query(include_str!("query.sql"))?;
    let expected = look.expected;
    let outward = rows.iter().filter_map(|row| {
        let by = match row.get::<_, Option<String>>("path") {
            Some(path) => setting(path, &row.get::<_, Vec<String>>("schemas"), expected)?,
            // Another schema of the app's own stays where it is.
            None if expected.keeps(Some(&facts::name(row, "named_schema"))) && !row.get::<_, bool>("is_missing") => {
                return None;
            }
            None => Cause::Body {
                schema: facts::name(row, "named_schema"),
                name: facts::name(row, "named_object"),
                is_missing: row.get("is_missing"),
                has_twin: row.get("has_twin"),
            },
        };
        Some(Outward { routine: facts::object(row, &expected.schema)?, by })
    });
    Ok(outward.collect())
}

/// A path of a routine's own that does not put the app's schema first. One that names no schema of people's
/// is a precaution: the routine's text names all that it needs.
fn setting(path: String, schemas: &[String], expected: &Expected) -> Option<Cause> {
    let app = &expected.schema;
    // A schema named like the role is what "$user" leads to.
    let is_nobodys = |name: &str| ["pg_catalog", "pg_temp"].contains(&name) || name == "$user" && expected.role != *app;
    let named: Vec<_> = path::schemas(&path).into_iter().filter(|name| !is_nobodys(name)).collect();
    if named.first().is_none_or(|first| first == app.as_str() || first == "$user") {
        return None;
    }
    let is_lost = named.iter().all(|name| name == "public" || !schemas.contains(name));
    Some(Cause::Setting { path, is_lost })
}

fn judge(outward: &[Outward], expected: &Expected) -> Check {
    let first = outward.iter().find(|found| is_broken(found)).or(outward.first());
    let Some(first) = first else {
        return Check::pass(ID, format!("no function of {} leads out of it", expected.schema));
    };
    let mut routines: Vec<_> = outward.iter().map(|found| found.routine.clone()).collect();
    routines.dedup();
    let status = if is_broken(first) { Status::Fail } else { Status::Warn };
    let message = describe(first, expected) + &more_than_one(routines.len(), "function");
    let settings = outward.iter().filter_map(|found| match &found.by {
        Cause::Setting { path, .. } => Some(ddl::set_routine_search_path(&found.routine, &expected.schema, path)),
        Cause::Body { .. } => None,
    });
    Check::new(ID, status, message).about(routines).fixed_by_hand(settings)
}

/// Whether it works on another copy of what the app has. What else it needs only a call would show.
fn is_broken(found: &Outward) -> bool {
    match found.by {
        Cause::Body { has_twin, .. } => has_twin,
        Cause::Setting { .. } => false,
    }
}

fn describe(Outward { routine, by }: &Outward, expected: &Expected) -> String {
    let (routine, own) = (routine.qualified(), &expected.schema);
    match by {
        Cause::Body { schema, name, is_missing: true, .. } => format!(
            "function {routine} names {schema}.{name}, of which there is none: if it is a table or a function, the call \
             fails; then replace it by one that names {own}.{name}"
        ),
        Cause::Body { schema, name, has_twin: true, .. } => format!(
            "function {routine} names {schema}.{name}, and not {own}.{name}, which the app uses; replace it by one that \
             names {own}.{name}"
        ),
        Cause::Body { schema, name, .. } => {
            format!(
                "function {routine} names {schema}.{name}: no search_path leads it elsewhere, should that ever move"
            )
        }
        Cause::Setting { path, is_lost: true } => {
            format!(
                "function {routine} sets its own search_path to {path}: by a bare name it does not find what lies in {own}"
            )
        }
        Cause::Setting { path, .. } => {
            format!("function {routine} sets its own search_path to {path}: {own} does not come first")
        }
    }
}
