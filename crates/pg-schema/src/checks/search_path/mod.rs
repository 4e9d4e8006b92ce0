//! Where unqualified names lead: the search_path in all its layers.

pub(crate) mod sessions;

use pg_config::{ConnInfo, Identifier};

use self::sessions::OlderSessions;
use super::{Definition, more_than_one, no_schema};
use crate::{
    Expected, Facts, ddl,
    facts::{RoleSchema, Schema},
    object::{Kind, Object},
    path,
    probe::Probe,
    report::{Action, Check, Fix},
};

const ID: &str = "search-path";

pub(super) const CHECK: Definition = Definition {
    id: ID,
    explanation: include_str!("explain.md"),
    look: |look| {
        let older = sessions::read(look.session, look.facts, look.expected)?;
        Ok(judge(look.facts, &older, look.probe, look.app, look.expected))
    },
};

/// What the judgements look at.
struct Paths<'a> {
    facts: &'a Facts,
    schema: &'a Schema,
    probe: &'a Probe,
    older: &'a OlderSessions,
    /// The path that the connection string asks for.
    url: Option<&'a str>,
    /// Every layer that says something about the path, in words.
    layers: String,
    expected: &'a Expected,
}

/// The judgements, the gravest first: the first that finds something counts.
const JUDGEMENTS: [fn(&Paths<'_>) -> Option<Check>; 11] = [
    unusable,
    hidden_catalog,
    elsewhere,
    refused,
    by_options_alone,
    unset_for_role,
    unset_for_others,
    missing_schemas,
    older_sessions,
    named_like_role,
    of_neighbours,
];

fn judge(facts: &Facts, older: &OlderSessions, probe: &Probe, app: &ConnInfo, expected: &Expected) -> Check {
    let Some(schema) = &facts.schema else { return no_schema(ID, &expected.schema) };
    let url = app.options.get("search_path");
    let paths = Paths { facts, schema, probe, older, url, layers: layers(facts, url), expected };
    JUDGEMENTS.iter().find_map(|judgement| judgement(&paths)).unwrap_or_else(|| {
        Check::pass(ID, format!("an unqualified CREATE TABLE lands in {}; {}", expected.schema, paths.layers))
    })
}

/// The server passes over a schema that the role may not use: the privileges' finding, not the path's.
fn unusable(Paths { facts, schema, layers, expected, .. }: &Paths<'_>) -> Option<Check> {
    let Expected { role, schema: name, .. } = expected;
    let is_first = path::schemas(&facts.path.of_session).first().is_some_and(|first| first == name.as_str());
    (is_first && !schema.usage).then(|| {
        Check::skip(ID, format!("role {role} may not use schema {name}, which its path names first; {layers}"))
    })
}

fn hidden_catalog(Paths { facts, layers, expected, .. }: &Paths<'_>) -> Option<Check> {
    let of_others = facts.path.of_neighbours(&expected.schema);
    let layers_of_ours = facts.path.layers.iter().filter(|layer| Some(*layer) != of_others);
    let paths = [&facts.path.of_session].into_iter().chain(layers_of_ours.map(|layer| &layer.path));
    let path = { paths }.find(|path| path::hides_catalog(path))?;
    let message = format!(
        "the path {path} names a schema before pg_catalog: functions and operators of that schema take the place \
         of the server's own; {layers}"
    );
    Some(Check::fail(ID, message).fixed_by(set_paths(facts, expected)))
}

/// The session as the app has it, with its URL's options, puts tables elsewhere.
fn elsewhere(Paths { facts, probe, url, layers, expected, .. }: &Paths<'_>) -> Option<Check> {
    let schema = &expected.schema;
    let lands = match probe {
        Probe::Landed { schema, .. } => Some(schema),
        Probe::Refused(_) | Probe::NotTried => facts.path.current_schema.as_ref(),
    };
    if lands == Some(schema) {
        return None;
    }
    let place = lands.map_or("nowhere".to_owned(), |found| format!("in schema {found}"));
    let refused = match probe {
        Probe::Refused(reason) => format!(" (refused: {reason})"),
        Probe::Landed { .. } | Probe::NotTried => String::new(),
    };
    let missing = missing(&facts.path.stored.missing_in_session);
    let advice = url.map_or_else(String::new, |_| {
        format!("; write search_path={schema},public into the connection string's options, or leave it out")
    });
    let message =
        format!("an unqualified CREATE TABLE lands {place}{refused}, not in {schema}{missing}; {layers}{advice}");
    Some(Check::fail(ID, message).fixed_by(set_paths(facts, expected)))
}

fn refused(Paths { schema, probe, layers, expected, .. }: &Paths<'_>) -> Option<Check> {
    let Probe::Refused(reason) = probe else { return None };
    let Expected { role, schema: name, .. } = expected;
    (schema.usage && schema.create)
        .then(|| Check::fail(ID, format!("role {role} cannot create a table in {name}: {reason}; {layers}")))
}

/// The session as a tool has it that drops the URL's options puts tables elsewhere.
fn by_options_alone(Paths { facts, url, layers, expected, .. }: &Paths<'_>) -> Option<Check> {
    let schema = &expected.schema;
    let stored = match facts.path.layers.is_empty() && url.is_none() {
        true => facts.path.current_schema.as_ref(),
        false => facts.path.stored.schema.as_ref(),
    };
    if stored == Some(schema) {
        return None;
    }
    let place = stored.map_or("nowhere, or in public".to_owned(), |found| format!("in {found}"));
    let missing = missing(&facts.path.stored.missing);
    let message = format!(
        "only the connection string's options lead to {schema}: a tool that drops them creates {place}{missing}; {layers}"
    );
    Some(Check::fail(ID, message).fixed_by(set_paths(facts, expected)))
}

fn unset_for_role(Paths { facts, layers, expected, .. }: &Paths<'_>) -> Option<Check> {
    let winner = facts.path.layers.first();
    if winner.is_some_and(|layer| layer.layer != "database" && layer.layer != "all roles") {
        return None;
    }
    let role = &expected.role;
    let message = format!("the path is not set for role {role} itself: a setting of the role would beat it; {layers}");
    Some(Check::fail(ID, message).fixed_by(set_paths(facts, expected)))
}

/// What everybody else's sessions get. Where none of those whom we ask may set it, it is nobody's failure.
fn unset_for_others(Paths { facts, expected, .. }: &Paths<'_>) -> Option<Check> {
    let (schema, database) = (&expected.schema, &expected.database);
    let message = match facts.path.layer("database") {
        Some(layer) if path::leads_to(&layer.path, schema) => return None,
        Some(_) if facts.path.of_neighbours(schema).is_some() => return None,
        Some(layer) => format!("database {database}'s own path is {}: other roles miss {schema}", layer.path),
        None => format!("database {database} has no path of its own: other roles miss {schema}"),
    };
    let check = match may_set_database_path(facts) {
        true => Check::fail(ID, message),
        false => Check::warn(ID, message),
    };
    Some(check.fixed_by([ddl::set_database_search_path(database, schema)]))
}

fn missing_schemas(Paths { facts, layers, expected, .. }: &Paths<'_>) -> Option<Check> {
    let stored = &facts.path.stored;
    let warn = |names| Check::warn(ID, format!("tables land in {}{}; {layers}", expected.schema, missing(names)));
    match (stored.missing.is_empty(), stored.missing_in_session.is_empty()) {
        (false, _) => Some(warn(&stored.missing).fixed_by(set_paths(facts, expected))),
        (true, false) => Some(warn(&stored.missing_in_session)),
        (true, true) => None,
    }
}

/// Sessions that have another path than a new one would have.
fn older_sessions(Paths { older, url, expected, .. }: &Paths<'_>) -> Option<Check> {
    let OlderSessions { sessions, is_likely } = older;
    if url.is_some() {
        return None;
    }
    let first = sessions.first()?;
    let role = &expected.role;
    let name = match first.application_name.as_str() {
        "" => String::new(),
        name => format!(", which calls itself {name}"),
    };
    let who = format!(
        "session {} of role {role}, since {}{name}{}",
        first.pid,
        first.since,
        more_than_one(sessions.len(), "session")
    );
    let message = match is_likely {
        false => format!(
            "{who}, began before the path was last set: it keeps the one that it had; have the app connect again"
        ),
        true => format!(
            "the path of role {role} was set by others since cargo xtask db-setup did, and {who}, may have begun \
             before that and keep an older path; have the app connect again, and run cargo xtask db-setup"
        ),
    };
    let objects = sessions.iter().map(|session| Object {
        owner: Some(role.clone()),
        ..Object::named(Kind::Session, &Identifier::from_catalog(session.pid.to_string()))
    });
    Some(
        Check::warn(ID, message)
            .about(objects)
            .fixed_by_hand(sessions.iter().map(|session| ddl::terminate(session.pid))),
    )
}

fn named_like_role(Paths { facts, layers, expected, .. }: &Paths<'_>) -> Option<Check> {
    let RoleSchema { name, is_empty } = facts.path.role_schema.as_ref()?;
    let message = format!(
        "schema {name} is named like the role: wherever a path has \"$user\" (the server's own does), it comes \
         before {}; {layers}",
        expected.schema
    );
    let check = Check::warn(ID, message).about([Object::named(Kind::Schema, name)]);
    Some(check.fixed_by_hand(is_empty.then(|| ddl::drop_schema(name))))
}

/// Another application's, as far as can be seen: it is left, and said.
fn of_neighbours(Paths { facts, expected, .. }: &Paths<'_>) -> Option<Check> {
    let Expected { database, schema, .. } = expected;
    let layer = facts.path.of_neighbours(schema)?;
    let message = format!(
        "tables land in {schema}; database {database}'s own path is {}, on which other applications may rely: it is left, \
         and roles without a path of their own miss {schema}",
        layer.path
    );
    Some(Check::warn(ID, message).fixed_by_hand([ddl::set_database_search_path(database, schema)]))
}

/// Sets the role's path in this database, and the database's own, where they are not right.
fn set_paths(facts: &Facts, expected: &Expected) -> Vec<Fix> {
    let Expected { role, database, schema, .. } = expected;
    let is_missing = |name: &String| facts.path.stored.missing.contains(name);
    let is_right = |name| {
        facts.path.layer(name).is_some_and(|layer| {
            path::leads_to(&layer.path, schema) && !path::schemas(&layer.path).iter().any(is_missing)
        })
    };
    let mut fixes = Vec::new();
    if !is_right("role in database") {
        fixes.push(Fix::of(Action::SetRolePath, ddl::set_role_search_path(role, database, schema)));
    }
    if !is_right("database") && facts.path.of_neighbours(schema).is_none() && may_set_database_path(facts) {
        fixes.push(ddl::set_database_search_path(database, schema).into());
    }
    fixes
}

fn may_set_database_path(facts: &Facts) -> bool {
    facts.creators.iter().any(|creator| creator.sets_database_path)
}

/// `: schema aurra does not exist`, or nothing.
fn missing(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!(": schema {one} of the path does not exist"),
        more => format!(": schemas {} of the path do not exist", more.join(", ")),
    }
}

/// Every layer that says something about the path, the one that wins first.
fn layers(facts: &Facts, url: Option<&str>) -> String {
    if let Some(path) = url.filter(|path| !path::arrives(path, &facts.path.of_session)) {
        return format!("connection options: {path}, which do not arrive (check pooler); {}", layers(facts, None));
    }
    let from_url = url.map(|path| format!("connection options: {path}"));
    let stored = facts.path.layers.iter().map(|layer| format!("{}: {}", layer.layer, layer.path));
    let all: Vec<_> = from_url.into_iter().chain(stored).collect();
    match all.split_first() {
        None => format!("neither role nor database sets a path, so the server's own holds: {}", facts.path.of_session),
        Some((only, [])) => only.clone(),
        Some((winner, rest)) => format!("{winner} (wins); then {}", rest.join("; then ")),
    }
}
