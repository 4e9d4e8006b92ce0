//! Where unqualified names lead: the search_path in all its layers.

mod sessions;

use pg_config::{ConnInfo, Identifier};

use self::sessions::OlderSessions;
use super::{Definition, more_than_one, no_schema};
use crate::{
    Expected, Facts, ddl,
    facts::{PathLayer, RoleSchema},
    object::{Kind, Object},
    path,
    probe::Probe,
    report::Check,
};

const ID: &str = "search-path";

pub(super) const CHECK: Definition = Definition {
    id: ID,
    explanation: include_str!("explain.md"),
    look: |look| Ok(judge(look.facts, &sessions::read(look)?, look.probe, look.app, look.expected)),
};

fn judge(facts: &Facts, older: &OlderSessions, probe: &Probe, app: &ConnInfo, expected: &Expected) -> Check {
    let (schema, role) = (&expected.schema, &expected.role);
    let Some(found) = &facts.schema else { return no_schema(ID, schema) };
    let url = app.options.get("search_path");
    let layers = layers(facts, url);
    let mends = set_paths(facts, expected);
    // The server passes over a schema that the role may not use: the privileges' finding, not the path's.
    if !found.usage && path::schemas(&facts.path.of_session).first().is_some_and(|first| first == schema.as_str()) {
        return Check::skip(
            ID,
            format!("role {role} may not use schema {schema}, which its path names first; {layers}"),
        );
    }
    let paths = [&facts.path.of_session].into_iter().chain(facts.path.layers.iter().map(|layer| &layer.path));
    if let Some(path) = paths.into_iter().find(|path| path::hides_catalog(path)) {
        let message = format!(
            "the path {path} names a schema before pg_catalog: functions and operators of that schema take the place \
             of the server's own; {layers}"
        );
        return Check::fail(ID, message).mended_by(mends);
    }
    let stored = match facts.path.layers.is_empty() && url.is_none() {
        true => facts.path.current_schema.as_ref(),
        false => facts.path.stored.schema.as_ref(),
    };

    // The session as the app has it, with its URL's options.
    let (lands, refused) = match probe {
        Probe::Landed { schema, .. } => (Some(schema), None),
        Probe::Refused(reason) => (facts.path.current_schema.as_ref(), Some(reason)),
        Probe::NotTried => (facts.path.current_schema.as_ref(), None),
    };
    if lands != Some(schema) {
        let place = lands.map_or("nowhere".to_owned(), |found| format!("in schema {found}"));
        let refused = refused.map(|reason| format!(" (refused: {reason})")).unwrap_or_default();
        let missing = missing(&facts.path.stored.missing_in_session);
        let advice = match url {
            Some(_) => {
                format!("; write search_path={schema},public into the connection string's options, or leave it out")
            }
            None => String::new(),
        };
        let message =
            format!("an unqualified CREATE TABLE lands {place}{refused}, not in {schema}{missing}; {layers}{advice}");
        return Check::fail(ID, message).mended_by(mends);
    }
    if let Some(reason) = refused
        && found.usage
        && found.create
    {
        return Check::fail(ID, format!("role {role} cannot create a table in {schema}: {reason}; {layers}"));
    }
    // The session as a tool has it that drops the URL's options.
    if stored != Some(schema) {
        let place = stored.map_or("nowhere, or in public".to_owned(), |found| format!("in {found}"));
        let missing = missing(&facts.path.stored.missing);
        let message = format!(
            "only the connection string's options lead to {schema}: a tool that drops them creates {place}{missing}; {layers}"
        );
        return Check::fail(ID, message).mended_by(mends);
    }
    let winner = facts.path.layers.first();
    if winner.is_none_or(|layer| layer.layer == "database" || layer.layer == "all roles") {
        let message =
            format!("the path is not set for role {role} itself: a setting of the role would beat it; {layers}");
        return Check::fail(ID, message).mended_by(mends);
    }
    if let Some(problem) = database_path(facts, expected) {
        return problem;
    }
    if !facts.path.stored.missing.is_empty() {
        let missing = missing(&facts.path.stored.missing);
        return Check::warn(ID, format!("tables land in {schema}{missing}; {layers}")).mended_by(mends);
    }
    if !facts.path.stored.missing_in_session.is_empty() {
        let missing = missing(&facts.path.stored.missing_in_session);
        return Check::warn(ID, format!("tables land in {schema}{missing}; {layers}"));
    }
    if let Some(check) = url.is_none().then(|| older_sessions(older, expected)).flatten() {
        return check;
    }
    if let Some(RoleSchema { name, is_empty }) = &facts.path.role_schema {
        let message = format!(
            "schema {name} is named like the role: wherever a path has \"$user\" (the server's own does), it comes \
             before {schema}; {layers}"
        );
        let check = Check::warn(ID, message).about([Object::named(Kind::Schema, name)]);
        return check.mended_by_hand(is_empty.then(|| ddl::drop_schema(name)));
    }
    Check::pass(ID, format!("an unqualified CREATE TABLE lands in {schema}; {layers}"))
}

/// Sessions that have another path than a new one would have.
fn older_sessions(older: &OlderSessions, expected: &Expected) -> Option<Check> {
    let OlderSessions { sessions, is_likely } = older;
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
            "{who}, began before the path was last set: it keeps the one that it had; have the app connect anew"
        ),
        true => format!(
            "the path of role {role} was set by somebody else since cargo xtask db-setup did, and {who}, may have begun \
             before that and keep an older path; have the app connect anew, and run cargo xtask db-setup"
        ),
    };
    let objects = sessions.iter().map(|session| Object {
        owner: Some(role.clone()),
        ..Object::named(Kind::Session, &Identifier::from_catalog(session.pid.to_string()))
    });
    Some(
        Check::warn(ID, message)
            .about(objects)
            .mended_by_hand(sessions.iter().map(|session| ddl::terminate(session.pid))),
    )
}

/// What everybody else's sessions get. Where none of those whom we ask may set it, it is nobody's failure.
fn database_path(facts: &Facts, expected: &Expected) -> Option<Check> {
    let (schema, database) = (&expected.schema, &expected.database);
    let own = layer(facts, "database");
    let message = match own {
        Some(layer) if path::leads_to(&layer.path, schema) => return None,
        Some(layer) => format!("database {database}'s own path is {}: other roles miss {schema}", layer.path),
        None => format!("database {database} has no path of its own: other roles miss {schema}"),
    };
    let check = match may_set_database_path(facts) {
        true => Check::fail(ID, message),
        false => Check::warn(ID, message),
    };
    Some(check.mended_by([ddl::set_database_search_path(database, schema)]))
}

/// Sets the role's path in this database, and the database's own, where they are not right.
fn set_paths(facts: &Facts, expected: &Expected) -> Vec<String> {
    let Expected { role, database, schema, .. } = expected;
    let is_missing = |name: &String| facts.path.stored.missing.contains(name);
    let is_right = |name| {
        layer(facts, name).is_some_and(|layer| {
            path::leads_to(&layer.path, schema) && !path::schemas(&layer.path).iter().any(is_missing)
        })
    };
    let mut statements = Vec::new();
    if !is_right("role in database") {
        statements.push(ddl::set_role_search_path(role, database, schema));
    }
    if !is_right("database") && may_set_database_path(facts) {
        statements.push(ddl::set_database_search_path(database, schema));
    }
    statements
}

fn layer<'a>(facts: &'a Facts, name: &str) -> Option<&'a PathLayer> {
    facts.path.layers.iter().find(|layer| layer.layer == name)
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
