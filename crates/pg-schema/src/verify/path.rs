//! Where unqualified names lead: the search_path in all its layers, and the extensions behind it.

use pg_config::{ConnInfo, Identifier};

use super::{
    access::{more_than_one, no_schema},
    probe::Probe,
};
use crate::{
    Condition, Expected, Facts, OlderSessions, PathLayer, RoleSchema, ddl,
    object::{Kind, Object},
    path,
    report::Check,
};

pub(super) fn search_path(
    facts: &Facts,
    condition: &Condition,
    probe: &Probe,
    app: &ConnInfo,
    expected: &Expected,
) -> Check {
    let id = "search-path";
    let (schema, role) = (&expected.schema, &expected.role);
    let Some(found) = &facts.schema else { return no_schema(id, schema) };
    let url = app.options.get("search_path");
    let layers = layers(facts, url);
    let mends = set_paths(facts, expected);
    // The server passes over a schema that the role may not use: the privileges' finding, not the path's.
    if !found.usage && path::schemas(&facts.search_path).first().is_some_and(|first| first == schema.as_str()) {
        return Check::skip(
            id,
            format!("role {role} may not use schema {schema}, which its path names first; {layers}"),
        );
    }
    let paths = [&facts.search_path].into_iter().chain(facts.path_layers.iter().map(|layer| &layer.path));
    if let Some(path) = paths.into_iter().find(|path| path::hides_catalog(path)) {
        let message = format!(
            "the path {path} names a schema before pg_catalog: functions and operators of that schema take the place \
             of the server's own; {layers}"
        );
        return Check::fail(id, message).mended_by(mends);
    }
    let stored = match facts.path_layers.is_empty() && url.is_none() {
        true => facts.current_schema.as_ref(),
        false => facts.stored_path.schema.as_ref(),
    };

    // The session as the app has it, with its URL's options.
    let (lands, refused) = match probe {
        Probe::Landed { schema, .. } => (Some(schema), None),
        Probe::Refused(reason) => (facts.current_schema.as_ref(), Some(reason)),
        Probe::NotTried => (facts.current_schema.as_ref(), None),
    };
    if lands != Some(schema) {
        let place = lands.map_or("nowhere".to_owned(), |found| format!("in schema {found}"));
        let refused = refused.map(|reason| format!(" (refused: {reason})")).unwrap_or_default();
        let missing = missing(&facts.stored_path.missing_in_session);
        let advice = match url {
            Some(_) => {
                format!("; write search_path={schema},public into the connection string's options, or leave it out")
            }
            None => String::new(),
        };
        let message =
            format!("an unqualified CREATE TABLE lands {place}{refused}, not in {schema}{missing}; {layers}{advice}");
        return Check::fail(id, message).mended_by(mends);
    }
    if let Some(reason) = refused
        && found.usage
        && found.create
    {
        return Check::fail(id, format!("role {role} cannot create a table in {schema}: {reason}; {layers}"));
    }
    // The session as a tool has it that drops the URL's options.
    if stored != Some(schema) {
        let place = stored.map_or("nowhere, or in public".to_owned(), |found| format!("in {found}"));
        let missing = missing(&facts.stored_path.missing);
        let message = format!(
            "only the connection string's options lead to {schema}: a tool that drops them creates {place}{missing}; {layers}"
        );
        return Check::fail(id, message).mended_by(mends);
    }
    let winner = facts.path_layers.first();
    if winner.is_none_or(|layer| layer.layer == "database" || layer.layer == "all roles") {
        let message =
            format!("the path is not set for role {role} itself: a setting of the role would beat it; {layers}");
        return Check::fail(id, message).mended_by(mends);
    }
    if let Some(problem) = database_path(facts, expected) {
        return problem;
    }
    if !facts.stored_path.missing.is_empty() {
        let missing = missing(&facts.stored_path.missing);
        return Check::warn(id, format!("tables land in {schema}{missing}; {layers}")).mended_by(mends);
    }
    if !facts.stored_path.missing_in_session.is_empty() {
        let missing = missing(&facts.stored_path.missing_in_session);
        return Check::warn(id, format!("tables land in {schema}{missing}; {layers}"));
    }
    if let Some(check) = url.is_none().then(|| older_sessions(condition, expected)).flatten() {
        return check;
    }
    if let Some(RoleSchema { name, is_empty }) = &facts.role_schema {
        let message = format!(
            "schema {name} is named like the role: wherever a path has \"$user\" (the server's own does), it comes \
             before {schema}; {layers}"
        );
        let check = Check::warn(id, message).about([Object::named(Kind::Schema, name)]);
        return check.mended_by_hand(is_empty.then(|| ddl::drop_schema(name)));
    }
    Check::pass(id, format!("an unqualified CREATE TABLE lands in {schema}; {layers}"))
}

/// Sessions that have another path than a new one would have.
fn older_sessions(condition: &Condition, expected: &Expected) -> Option<Check> {
    let OlderSessions { sessions, is_likely } = &condition.older_sessions;
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
        Check::warn("search-path", message)
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
        true => Check::fail("search-path", message),
        false => Check::warn("search-path", message),
    };
    Some(check.mended_by([ddl::set_database_search_path(database, schema)]))
}

/// Sets the role's path in this database, and the database's own, where they are not right.
fn set_paths(facts: &Facts, expected: &Expected) -> Vec<String> {
    let Expected { role, database, schema, .. } = expected;
    let is_missing = |name: &String| facts.stored_path.missing.contains(name);
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
    facts.path_layers.iter().find(|layer| layer.layer == name)
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
    if let Some(path) = url.filter(|path| !arrives(facts, path)) {
        return format!("connection options: {path}, which do not arrive (check pooler); {}", layers(facts, None));
    }
    let from_url = url.map(|path| format!("connection options: {path}"));
    let stored = facts.path_layers.iter().map(|layer| format!("{}: {}", layer.layer, layer.path));
    let all: Vec<_> = from_url.into_iter().chain(stored).collect();
    match all.split_first() {
        None => format!("neither role nor database sets a path, so the server's own holds: {}", facts.search_path),
        Some((only, [])) => only.clone(),
        Some((winner, rest)) => format!("{winner} (wins); then {}", rest.join("; then ")),
    }
}

/// Whether the path of the connection string is the session's: nothing beats it but somebody in between.
pub(super) fn arrives(facts: &Facts, path: &str) -> bool {
    path::schemas(path) == path::schemas(&facts.search_path)
}

/// Its name, its schema, and whether it can be moved to another.
type Extension = (Identifier, Identifier, bool);

pub(super) fn extensions(facts: &Facts, app: &ConnInfo, expected: &Expected) -> Check {
    let id = "extensions";
    let missing: Vec<_> = expected
        .extensions
        .iter()
        .filter(|wanted| !facts.extensions.iter().any(|(name, ..)| name == *wanted))
        .collect();
    if let Some(first) = missing.first() {
        return Check::fail(id, format!("extension {first} is not installed in database {}", expected.database))
            .about(missing.iter().map(|name| Object::named(Kind::Extension, name)))
            .mended_by(missing.iter().map(|name| ddl::create_extension(name)));
    }
    let reached = path::schemas(&facts.search_path);
    let is_reached =
        |schema: &Identifier| schema.as_str() == "pg_catalog" || reached.iter().any(|name| name == schema.as_str());
    let is_needed = |name: &Identifier| expected.extensions.contains(name);
    let unreached: Vec<_> = facts.extensions.iter().filter(|(_, schema, _)| !is_reached(schema)).collect();
    let needed: Vec<_> = unreached.iter().copied().filter(|(name, ..)| is_needed(name)).collect();
    if let Some(first) = needed.first() {
        return Check::fail(id, out_of_reach(first, &reached, facts, app, expected))
            .about(needed.iter().map(|(name, ..)| Object::named(Kind::Extension, name)))
            .mended_by_hand(
                needed.iter().filter(|extension| is_movable(extension)).map(|(name, ..)| ddl::move_extension(name)),
            )
            .mended_by(reach(&needed, &reached, app, expected));
    }
    if let Some((name, schema, is_relocatable)) =
        facts.extensions.iter().find(|(_, schema, _)| *schema == expected.schema)
    {
        let message = format!("extension {name} lies in {schema}, beside the app's tables; it belongs in public");
        return Check::warn(id, message)
            .about([Object::named(Kind::Extension, name)])
            .mended_by_hand(is_relocatable.then(|| ddl::move_extension(name)));
    }
    // One that the app did not ask for may well be somebody else's, in a place of its own.
    if let Some(extension) = unreached.iter().find(|(_, schema, _)| schema.as_str() == "public") {
        return Check::warn(id, out_of_reach(extension, &reached, facts, app, expected))
            .about([Object::named(Kind::Extension, &extension.0)]);
    }
    match facts.extensions.len() {
        0 => Check::pass(id, "none are needed, none are there"),
        count => Check::pass(id, format!("{count} there, within reach of the app's path")),
    }
}

/// Whether an extension lies elsewhere than in `public`, and could lie there.
fn is_movable((_, schema, is_relocatable): &Extension) -> bool {
    schema.as_str() != "public" && *is_relocatable
}

/// Leads the path to `public`, where it is the role's own.
fn reach(needed: &[&Extension], reached: &[String], app: &ConnInfo, expected: &Expected) -> Option<String> {
    let Expected { role, database, schema, .. } = expected;
    let is_public_missing = !reached.iter().any(|name| name == "public") && app.options.get("search_path").is_none();
    (is_public_missing && needed.iter().any(|extension| belongs(extension) == "public"))
        .then(|| ddl::set_role_search_path(role, database, schema))
}

/// Says that the app's path does not lead to an extension, and what to do where no SQL mends it.
fn out_of_reach(
    extension: &Extension,
    reached: &[String],
    facts: &Facts,
    app: &ConnInfo,
    expected: &Expected,
) -> String {
    let (name, schema, _) = extension;
    let place = belongs(extension);
    let advice = match app.options.get("search_path") {
        Some(_) if !reached.iter().any(|name| name == place) => format!(
            "; write search_path={},{place} into the connection string's options, or leave it out",
            expected.schema
        ),
        None if place != "public" => {
            format!("; it cannot be moved: drop it and make it in public, or add {schema} to the path")
        }
        _ => String::new(),
    };
    format!(
        "extension {name} lies in {schema}, which the app's path ({}) does not reach: its types and operators are \
         missing{advice}",
        facts.search_path
    )
}

/// The schema in which an extension is to be found: `public`, unless it is elsewhere and cannot be moved.
fn belongs((_, schema, is_relocatable): &Extension) -> &str {
    if *is_relocatable { "public" } else { schema.as_str() }
}
