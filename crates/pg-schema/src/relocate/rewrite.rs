//! Routines whose body, or own search_path, names the schema that is left.

use std::collections::HashSet;

use pg_config::{Identifier, Literal, Session};
use postgres::error::SqlState;

use super::{
    Finding, Request,
    item::{Away, Item, Operand, ROUTINES, operands},
    text::{Mention, mentions, replaced},
};
use crate::{
    Expected, facts, path,
    query::{execute, query, query_one},
    sql_error::SqlError,
};

/// A routine that is changed.
#[derive(Clone, Debug)]
pub struct Rewrite {
    oid: u32,
    schema: Identifier,
    name: Identifier,
    operands: Vec<Operand>,
    owner: Identifier,
    /// The body as it is and as it will be, and the definition as the server prints it.
    body: Option<(String, String, String)>,
    /// The schemas of its own path as they are and as they will be.
    path: Option<(Vec<String>, Vec<String>)>,
}

/// What of the routines would break, and what is done about it.
pub(super) fn read(
    session: &mut Session,
    expected: &Expected,
    request: &Request,
    moves: &[Item],
) -> Result<(Vec<Rewrite>, Vec<Finding>), SqlError> {
    let (from, to) = (&request.from, &expected.schema);
    let names: HashSet<_> = moves.iter().map(|item| item.name.as_str()).collect();
    let (mut rewrites, mut left) = (Vec::new(), Vec::new());
    for row in query(session, include_str!("../sql/relocate/routines.sql"), &[from.as_str()])? {
        let body: String = row.get("body");
        let language: String = row.get("language");
        let mut found = mentions(&body, from.as_str(), &language);
        found.retain(|mention| names.contains(mention.object.as_str()));
        let own_path = row.get::<_, Option<String>>("path").map(|text| path::schemas(&text)).unwrap_or_default();
        let is_led =
            own_path.iter().any(|name| name == from.as_str()) && !own_path.iter().any(|name| name == to.as_str());
        if found.is_empty() && !is_led {
            continue;
        }
        let mut rewrite = Rewrite {
            oid: row.get("oid"),
            schema: facts::name(&row, "schema"),
            name: facts::name(&row, "name"),
            operands: Operand::list(&row.get::<_, Vec<String>>("operands")),
            owner: facts::name(&row, "owner"),
            body: None,
            path: is_led.then(|| (own_path.clone(), with(&own_path, from, to))),
        };
        if !request.rewrite_functions {
            left.push(rewrite.finding(&found, from, "add --rewrite-functions: its body and its path are then changed"));
            continue;
        }
        if !found.is_empty() {
            let is_apps = rewrite.owner == expected.role && row.get("can_be_replaced");
            let definition = if is_apps { definition(session, rewrite.oid)? } else { None };
            match definition.filter(|text| header(text, &body).is_some() && is_plain(to)) {
                Some(definition) => {
                    let all: Vec<_> = found.iter().collect();
                    rewrite.body = Some((body.clone(), replaced(&body, &all, to.as_str()), definition));
                }
                None => {
                    let help = format!("its owner, {}, must change it; or add --allow-broken", rewrite.owner);
                    left.push(rewrite.finding(&found, from, &help));
                }
            }
        }
        if rewrite.body.is_some() || rewrite.path.is_some() {
            rewrites.push(rewrite);
        }
    }
    Ok((rewrites, left))
}

/// A path with the new schema before the old one.
fn with(path: &[String], from: &Identifier, to: &Identifier) -> Vec<String> {
    let place = path.iter().position(|name| name == from.as_str()).unwrap_or(0);
    let mut path = path.to_vec();
    path.insert(place, to.as_str().to_owned());
    path
}

/// Whether a name is the same in quotes of any kind, and without.
fn is_plain(name: &Identifier) -> bool {
    name.to_string() == name.as_str()
}

/// The server's own text of a definition. A server that gives something else gets an error, no more.
fn definition(session: &mut Session, oid: u32) -> Result<Option<String>, SqlError> {
    let sql = "SELECT pg_catalog.pg_get_functiondef($1::pg_catalog.oid)";
    match query_one(session, sql, &[&oid.to_string()]) {
        Ok(row) => Ok(row.get(0)),
        Err(error) if error.is(&SqlState::UNDEFINED_FUNCTION) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What stands before the body. It is run as one statement by its owner's rights alone, and printed for psql: it must
/// hold nothing that psql obeys.
fn header<'a>(definition: &'a str, body: &str) -> Option<&'a str> {
    let place = definition.rfind(body).filter(|_| !body.is_empty())?;
    let (header, quote) = definition[..place].strip_suffix('$')?.rsplit_once('$')?;
    let is_one =
        ["CREATE OR REPLACE FUNCTION ", "CREATE OR REPLACE PROCEDURE "].iter().any(|start| header.starts_with(start));
    let is_quote = quote.chars().all(|letter| letter.is_ascii_alphanumeric());
    (is_one && is_quote && header.ends_with("AS ") && !header.contains(['\\', ';'])).then_some(header)
}

impl Rewrite {
    fn finding(&self, found: &[Mention], from: &Identifier, help: &str) -> Finding {
        let mut parts: Vec<_> = found.iter().map(|mention| format!("{from}.{}", mention.object)).collect();
        parts.dedup();
        parts.truncate(3);
        let mut what = match parts.as_slice() {
            [] => String::new(),
            names => format!(" names {}", names.join(", ")),
        };
        if let Some((path, _)) = &self.path {
            let and = if what.is_empty() { "" } else { ", and" };
            what += &format!("{and} has its own search_path, {}", path.join(", "));
        }
        Finding { what: format!("routine {}.{}{what}", self.schema, self.name), help: help.to_owned() }
    }

    /// The oid of the routine whose text changes.
    pub(super) fn oid(&self) -> u32 {
        self.oid
    }

    /// What changes, line by line.
    pub fn diff(&self) -> String {
        let mut diff = format!("routine {}.{}\n", self.schema, self.name);
        if let Some((old, new)) = &self.path {
            diff += &format!("-SET search_path = {}\n+SET search_path = {}\n", old.join(", "), new.join(", "));
        }
        if let Some((old, new, _)) = &self.body {
            for (old, new) in old.lines().zip(new.lines()).filter(|(old, new)| old != new) {
                diff += &format!("-{old}\n+{new}\n");
            }
        }
        diff
    }

    /// Changes it, after the move.
    pub(super) fn apply(&self, session: &mut Session, moved: Away<'_>) -> Result<Vec<String>, SqlError> {
        let mut done = Vec::new();
        let schema = if moved.keys.contains(&(ROUTINES, self.oid)) { moved.schema } else { &self.schema };
        if let Some((_, new)) = &self.path {
            let statement = self.set_path(schema, &moved, new);
            execute(session, &statement)?;
            done.push(statement);
        }
        if let Some((old, new, _)) = &self.body {
            let definition = definition(session, self.oid)?.unwrap_or_default();
            let header = header(&definition, old).unwrap_or_default().to_owned();
            execute(session, &format!("SET LOCAL ROLE {}; SET LOCAL check_function_bodies = off", self.owner))?;
            // One statement, whatever the text is: no second one can follow with other rights.
            let statement = format!("{header}{}", Literal(new));
            let outcome = session.client.execute(&statement, &[]);
            outcome.map_err(|error| SqlError::new(session, "CREATE OR REPLACE", &error))?;
            execute(session, "SET LOCAL ROLE none")?;
            done.push(format!("CREATE OR REPLACE of {schema}.{}, by role {}", self.name, self.owner));
        }
        Ok(done)
    }

    /// The statements that take it back, after all objects are back.
    pub(super) fn undo(&self) -> Vec<String> {
        let nothing = Identifier::from_catalog("");
        let away = Away { keys: HashSet::new(), schema: &nothing };
        let path = self.path.as_ref().map(|(old, _)| self.set_path(&self.schema, &away, old));
        let body = self.body.as_ref().and_then(|(old, _, definition)| {
            let header = header(definition, old)?;
            Some([
                format!("SET LOCAL ROLE {}", self.owner),
                format!("{header}{}", Literal(old)),
                "SET LOCAL ROLE none".to_owned(),
            ])
        });
        body.into_iter().flatten().chain(path).collect()
    }

    fn set_path(&self, schema: &Identifier, away: &Away<'_>, path: &[String]) -> String {
        let path: Vec<_> = path.iter().map(|name| Identifier::from_catalog(name).to_string()).collect();
        let (name, operands) = (&self.name, operands(&self.operands, away));
        format!("ALTER ROUTINE {schema}.{name}({operands}) SET search_path = {}", path.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_one_definition_and_nothing_else() {
        let text =
            "CREATE OR REPLACE FUNCTION aura.f()\n RETURNS integer\n LANGUAGE sql\nAS $function$SELECT 1$function$\n";
        assert_eq!(header(text, "SELECT 1").unwrap(), &text[..text.find("$function$").unwrap()]);
        for wrong in [
            text.replace("CREATE OR REPLACE FUNCTION", "DROP FUNCTION"),
            text.replace("integer", "integer; DROP"),
            text.replace("integer", "\\! ls"),
        ] {
            assert_eq!(header(&wrong, "SELECT 1"), None, "{wrong}");
        }
        assert_eq!(header(text, "SELECT 2"), None);
    }

    #[test]
    fn a_path_reaches_the_new_schema_first() {
        let name = |text: &str| Identifier::from_catalog(text);
        let path = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(with(&path(&["x", "public"]), &name("public"), &name("aura")), path(&["x", "aura", "public"]));
    }
}
