//! Where unqualified names lead: the search_path in all its layers, and the extensions behind it.

use pg_config::ConnInfo;

use super::probe::Probe;
use crate::{
    Expected, Facts, ddl,
    object::{Kind, Object},
    path,
    report::Check,
};

pub(super) fn search_path(facts: &Facts, probe: &Probe, app: &ConnInfo, expected: &Expected) -> Check {
    let id = "search-path";
    let (schema, role, database) = (&expected.schema, &expected.role, &expected.database);
    if facts.schema.is_none() {
        return Check::skip(id, format!("schema {schema} does not exist"));
    }
    let url = app.options.get("search_path");
    let layers = layers(facts, url);
    let set_role = ddl::set_role_search_path(role, database, schema);

    // The session as the app has it, with its URL's options.
    let found = match probe {
        Probe::Landed { schema, .. } => Some(schema.clone()),
        Probe::Refused(_) | Probe::NotTried => facts.current_schema.clone(),
    };
    if let Probe::Refused(reason) = probe
        && facts.schema.as_ref().is_some_and(|found| found.usage && found.create)
    {
        return Check::fail(id, format!("role {role} cannot create a table: {reason}; {layers}")).mended_by([set_role]);
    }
    if found.as_ref() != Some(schema) {
        let lands = found.map_or("nowhere".to_owned(), |found| format!("in schema {found}"));
        let check = Check::fail(id, format!("an unqualified CREATE TABLE lands {lands}, not in {schema}; {layers}"));
        return match url {
            Some(_) => Check { message: format!("{}; mend the connection string's options", check.message), ..check },
            None => check.mended_by([set_role]),
        };
    }
    // The session as a tool has it that drops the URL's options.
    if facts.stored_path.schema.as_ref() != Some(schema) {
        let lands = facts.stored_path.schema.as_ref().map_or("in public, or nowhere".to_owned(), |s| format!("in {s}"));
        let message = format!(
            "only the connection string's options lead to {schema}: a tool that drops them creates {lands}; {layers}"
        );
        return Check::fail(id, message).mended_by([set_role]);
    }
    if !facts.stored_path.missing.is_empty() {
        let message =
            format!("the path names schemas that do not exist: {}; {layers}", facts.stored_path.missing.join(", "));
        return Check::fail(id, message).mended_by([set_role]);
    }
    let winner = facts.path_layers.first();
    if winner.is_none_or(|layer| layer.layer == "database" || layer.layer == "all roles") {
        let message =
            format!("the path is not set for role {role} itself: a setting of the role would beat it; {layers}");
        return Check::fail(id, message).mended_by([set_role]);
    }
    if let Some(layer) = facts.path_layers.iter().find(|layer| layer.layer == "database")
        && !path::serves(&layer.path, schema)
    {
        let message = format!("the database's own path is {}: other roles miss {schema}", layer.path);
        return Check::warn(id, message).mended_by([ddl::set_database_search_path(database, schema)]);
    }
    Check::pass(id, format!("an unqualified CREATE TABLE lands in {schema}; {layers}"))
}

/// Every layer that says something about the path, the one that wins first.
fn layers(facts: &Facts, url: Option<&str>) -> String {
    let from_url = url.map(|path| format!("connection options: {path}"));
    let stored = facts.path_layers.iter().map(|layer| format!("{}: {}", layer.layer, layer.path));
    let all: Vec<_> = from_url.into_iter().chain(stored).collect();
    if all.is_empty() { "no setting says otherwise than \"$user\", public".to_owned() } else { all.join("; then ") }
}

pub(super) fn extensions(facts: &Facts, expected: &Expected) -> Check {
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
    if let Some((name, schema, _)) = facts.extensions.iter().find(|(_, schema, _)| *schema == expected.schema) {
        return Check::warn(
            id,
            format!("extension {name} lies in {schema}, beside the app's tables; it belongs in public"),
        )
        .about([Object::named(Kind::Extension, name)])
        .mended_by([format!("ALTER EXTENSION {name} SET SCHEMA public")]);
    }
    let reached = path::schemas(&facts.search_path);
    let unreached = |schema: &str| schema != "pg_catalog" && !reached.iter().any(|name| name == schema);
    if let Some((name, schema, _)) = facts.extensions.iter().find(|(name, schema, _)| {
        // One that the app did not ask for may well be somebody else's, in a place of its own.
        unreached(schema.as_str()) && (schema.as_str() == "public" || expected.extensions.contains(name))
    }) {
        let message = format!(
            "extension {name} lies in {schema}, which the app's path ({}) does not reach: its types and operators are missing",
            facts.search_path
        );
        return Check::warn(id, message).about([Object::named(Kind::Extension, name)]);
    }
    match facts.extensions.len() {
        0 => Check::pass(id, "none are needed, none are there"),
        count => Check::pass(id, format!("{count} there, within reach of the app's path")),
    }
}
