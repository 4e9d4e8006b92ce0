//! Whether the extensions are there, and within reach of the app's path.

use pg_config::{ConnInfo, Identifier};

use super::Definition;
use crate::{
    Expected, Facts, ddl,
    facts::Extension,
    object::{Kind, Object},
    path,
    report::{Action, Check, Fix},
};

const ID: &str = "extensions";

pub(super) const CHECK: Definition = Definition {
    id: ID,
    explanation: include_str!("explain.md"),
    look: |look| Ok(judge(look.facts, look.app, look.expected)),
};

fn judge(facts: &Facts, app: &ConnInfo, expected: &Expected) -> Check {
    let missing = facts.missing_extensions(expected);
    if let Some(first) = missing.first() {
        return Check::fail(ID, format!("extension {first} is not installed in database {}", expected.database))
            .about(missing.iter().map(|name| Object::named(Kind::Extension, name)))
            .fixed_by(missing.iter().map(|name| Fix::of(Action::CreateExtension, ddl::create_extension(name))));
    }
    let reached = path::schemas(&facts.path.of_session);
    let is_reached =
        |schema: &Identifier| schema.as_str() == "pg_catalog" || reached.iter().any(|name| name == schema.as_str());
    let is_needed = |name: &Identifier| expected.extensions.contains(name);
    let unreached: Vec<_> = facts.extensions.iter().filter(|extension| !is_reached(&extension.schema)).collect();
    let needed: Vec<_> = unreached.iter().copied().filter(|extension| is_needed(&extension.name)).collect();
    if let Some(first) = needed.first() {
        return Check::fail(ID, out_of_reach(first, &reached, facts, app, expected))
            .about(needed.iter().map(|extension| Object::named(Kind::Extension, &extension.name)))
            .fixed_by_hand(
                needed.iter().filter(|found| is_movable(found)).map(|found| ddl::move_extension(&found.name)),
            )
            .fixed_by_hand(reach_schemas(&needed, expected))
            .fixed_by(reach(&needed, &reached, app, expected));
    }
    if let Some(Extension { name, schema, is_relocatable }) =
        facts.extensions.iter().find(|extension| extension.schema == expected.schema)
    {
        let message = format!("extension {name} lies in {schema}, beside the app's tables; it belongs in public");
        return Check::warn(ID, message)
            .about([Object::named(Kind::Extension, name)])
            .fixed_by_hand(is_relocatable.then(|| ddl::move_extension(name)));
    }
    // One that the app did not ask for may well be somebody else's, in a place of its own.
    if let Some(extension) = unreached.iter().find(|extension| extension.schema.as_str() == "public") {
        return Check::warn(ID, out_of_reach(extension, &reached, facts, app, expected))
            .about([Object::named(Kind::Extension, &extension.name)]);
    }
    match facts.extensions.len() {
        0 => Check::pass(ID, "none are needed, none are there"),
        count if unreached.is_empty() => Check::pass(ID, format!("{count} there, within reach of the app's path")),
        count => {
            let outside: Vec<_> = unreached.iter().map(|found| format!("{} in {}", found.name, found.schema)).collect();
            Check::pass(ID, format!("{count} there; the app's path does not reach {}", outside.join(", ")))
        }
    }
}

/// Whether an extension lies elsewhere than in `public`, and could lie there. Where a provider has put it, it stays.
fn is_movable(extension: &Extension) -> bool {
    extension.schema.as_str() != "public" && extension.is_relocatable && !is_providers(extension)
}

/// The schema that Supabase has for extensions, whose own functions look for them there.
fn is_providers(Extension { schema, .. }: &Extension) -> bool {
    schema.as_str() == "extensions"
}

/// Leads the path to where a provider has put extensions.
fn reach_schemas(needed: &[&Extension], expected: &Expected) -> Vec<String> {
    match needed.iter().find(|found| is_providers(found)) {
        Some(found) => ddl::reach_schema(&expected.role, &expected.database, &expected.schema, &found.schema),
        None => Vec::new(),
    }
}

/// Leads the path to `public`, where it is the role's own.
fn reach(needed: &[&Extension], reached: &[String], app: &ConnInfo, expected: &Expected) -> Option<Fix> {
    let Expected { role, database, schema, .. } = expected;
    let is_public_missing = !reached.iter().any(|name| name == "public") && app.options.get("search_path").is_none();
    (is_public_missing && needed.iter().any(|extension| belongs(extension) == "public"))
        .then(|| Fix::of(Action::SetRolePath, ddl::set_role_search_path(role, database, schema)))
}

/// Says that the app's path does not lead to an extension, and what to do where no SQL fixes it.
fn out_of_reach(
    extension: &Extension,
    reached: &[String],
    facts: &Facts,
    app: &ConnInfo,
    expected: &Expected,
) -> String {
    let Extension { name, schema, .. } = extension;
    let place = belongs(extension);
    let advice = match app.options.get("search_path") {
        Some(_) if !reached.iter().any(|name| name == place) => format!(
            "; write search_path={},{place} into the connection string's options, or leave it out",
            expected.schema
        ),
        None if is_providers(extension) => {
            format!("; the provider keeps extensions in {schema}: put that behind public on the path")
        }
        None if place != "public" => {
            format!("; it cannot be moved: drop it and make it in public, or add {schema} to the path")
        }
        _ => String::new(),
    };
    format!(
        "extension {name} lies in {schema}, which the app's path ({}) does not reach: its types and operators are \
         missing{advice}",
        facts.path.of_session
    )
}

/// The schema in which an extension is to be found: `public`, unless it is elsewhere and cannot be moved.
fn belongs(Extension { schema, is_relocatable, .. }: &Extension) -> &str {
    if *is_relocatable { "public" } else { schema.as_str() }
}
