//! What names the old schema in a text, and would no longer find what moved: no text is changed but bodies of routines.

use std::collections::HashSet;

use pg_config::{Identifier, Literal, Session};

use super::{
    Finding, Request,
    item::{Item, RELATIONS},
    text::{literals, mentions},
};
use crate::{Expected, ddl, path, query::query, sql_error::SqlError};

/// What to do about a text.
const HELP: &str = "add --allow-broken, and change it right after the move, unless the text is no name";

/// Literals of defaults, constraints, views, triggers and the like. Reading them locks what views are made of, for as
/// long as the transaction lasts.
pub(super) fn expressions(session: &mut Session, request: &Request, moves: &[Item]) -> Result<Vec<Finding>, SqlError> {
    let names = names(moves);
    let mut found = Vec::new();
    for row in query(session, include_str!("../sql/relocate/expressions.sql"), &[])? {
        let Some(text) = row.get::<_, Option<String>>("text") else { continue };
        let mentioned = literals(&text).iter().find_map(|literal| named(literal, &request.from, &names));
        let Some(object) = mentioned else { continue };
        let [schema, name] = ["schema", "name"].map(|column| crate::facts::name(&row, column));
        let part = row.get::<_, Option<String>>("part").map(|part| format!(" ({part})")).unwrap_or_default();
        let what: String = row.get("what");
        found.push(Finding {
            what: format!("{what} {schema}.{name}{part} has {}.{object} in a text", request.from),
            help: HELP.to_owned(),
        });
    }
    Ok(found)
}

/// Foreign tables that would be looked for in another remote schema.
pub(super) fn foreign_tables(
    session: &mut Session,
    request: &Request,
    moves: &[Item],
) -> Result<Vec<Finding>, SqlError> {
    let from = &request.from;
    let rows = query(session, include_str!("../sql/relocate/foreign_tables.sql"), &[from.as_str()])?;
    let moving = rows.iter().filter(|row| {
        let oid: u32 = row.get("oid");
        moves.iter().any(|item| item.key == (RELATIONS, oid))
    });
    let finding = |row| {
        let name = crate::facts::name(row, "name");
        let schema = Literal(from.as_str());
        Finding {
            what: format!(
                "foreign table {name} names no remote schema: that of its own name is taken, and would be another"
            ),
            help: format!("ALTER FOREIGN TABLE {from}.{name} OPTIONS (ADD schema_name {schema});"),
        }
    };
    Ok(moving.map(finding).collect())
}

/// Stored settings whose value names an object that moves.
pub(super) fn settings(
    session: &mut Session,
    request: &Request,
    moves: &[Item],
    expected: &Expected,
) -> Result<(Vec<Finding>, Vec<String>), SqlError> {
    let (names, from, to) = (names(moves), &request.from, &expected.schema);
    let (mut found, mut warnings) = (Vec::new(), Vec::new());
    for row in query(session, include_str!("../sql/relocate/settings.sql"), &[])? {
        let [role, name, value] = ["role", "name", "value"].map(|column| row.get::<_, String>(column));
        let role = (!role.is_empty()).then(|| Identifier::from_catalog(role));
        let whose = match (&role, row.get::<_, bool>("is_of_database")) {
            (Some(role), true) => format!("role {role} in database {}", expected.database),
            (Some(role), false) => format!("role {role}"),
            (None, true) => format!("database {}", expected.database),
            (None, false) => "all roles".to_owned(),
        };
        if name == "search_path" {
            let schemas = path::schemas(&value);
            let has = |schema: &Identifier| schemas.iter().any(|name| name == schema.as_str());
            if has(from) && !has(to) {
                warnings.push(format!("search_path of {whose} is {value}: it does not reach {to}"));
            }
        } else if let Some(object) = named(&value, from, &names) {
            found.push(Finding {
                what: format!("setting {name} of {whose} names {from}.{object}"),
                help: HELP.to_owned(),
            });
        }
    }
    Ok((found, warnings))
}

/// Types and operator classes in use that the app's own path would not reach: queries would fail, or silently compare by
/// another operator.
pub(super) fn out_of_reach(
    session: &mut Session,
    request: &Request,
    expected: &Expected,
) -> Result<Vec<Finding>, SqlError> {
    let (from, to) = (&request.from, &expected.schema);
    let path = request.path.clone().unwrap_or_else(|| ddl::search_path(to));
    let reached = path::schemas(&path);
    let rows = query(session, include_str!("../sql/relocate/reach.sql"), &[from.as_str()])?;
    let found = rows.iter().filter_map(|row| {
        let (schema, is_extensions): (String, bool) = (row.get("schema"), row.get("is_extensions"));
        let schema = if schema == from.as_str() && !is_extensions { to.as_str().to_owned() } else { schema };
        if reached.contains(&schema) {
            return None;
        }
        let [what, name, by] = ["what", "name", "by"].map(|column| row.get::<_, String>(column));
        let (schema, name) = (Identifier::from_catalog(schema), Identifier::from_catalog(name));
        Some(Finding {
            what: format!(
                "{what} {schema}.{name} is used by {by}, and the app's search_path, {path}, does not reach {schema}"
            ),
            help: format!(
                "add {schema} to the app's search_path: take options out of its URL, or name both schemas there"
            ),
        })
    });
    Ok(found.collect())
}

fn names(moves: &[Item]) -> HashSet<&str> {
    moves.iter().map(|item| item.name.as_str()).collect()
}

fn named(text: &str, schema: &Identifier, names: &HashSet<&str>) -> Option<String> {
    let found = mentions(text, schema.as_str(), "");
    found.into_iter().map(|mention| mention.object).find(|object| names.contains(object.as_str()))
}
