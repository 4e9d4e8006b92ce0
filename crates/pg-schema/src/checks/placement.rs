//! What the checks of objects outside the schema share. Each such object is named under one id: the bookkeeping of a
//! migration tool, a copy of a relation of ours, or a stray.

use std::{cmp::Reverse, collections::HashSet};

use pg_config::Identifier;

use super::more_than_one;
use crate::{
    Expected, Facts, Misplaced, ddl,
    facts::library,
    object::{Kind, Object},
    relocate,
    report::Check,
};

/// Of how many copies a message gives the rows.
const MOST_COUNTED: usize = 5;

/// Where migration tools keep their books, and the tool's setting that says in which schema. Found in the wrong place, the
/// tool believes in a wrong past.
const BOOKKEEPING: &[(&str, &str)] = &[
    ("refinery_schema_history", ""),
    ("_sqlx_migrations", ""),
    ("__diesel_schema_migrations", ""),
    ("seaql_migrations", ""),
    ("django_migrations", ""),
    ("alembic_version", "version_table_schema"),
    ("flyway_schema_history", "defaultSchema"),
    ("schema_migrations", ""),
    ("ar_internal_metadata", ""),
    ("goose_db_version", "GOOSE_TABLE"),
    ("gorp_migrations", ""),
    ("databasechangelog", "liquibaseSchemaName"),
    ("databasechangeloglock", "liquibaseSchemaName"),
    ("knex_migrations", "schemaName"),
    ("knex_migrations_lock", "schemaName"),
    ("_prisma_migrations", ""),
    ("__drizzle_migrations", "migrationsSchema"),
    ("atlas_schema_revisions", "revisions_schema"),
    ("pgmigrations", "migrationsSchema"),
    ("typeorm_migrations", "schema"),
];

/// What a person has to decide; nothing where the SQL decides it all.
pub(super) fn advice(found: &[&Misplaced], facts: &Facts) -> &'static str {
    let (here, there) = empty_copies(found, facts);
    match here.len() + there.len() == found.len() {
        true => "",
        false => {
            "; where both hold rows or cannot be counted, where others refer to the empty one, or where they are no \
             tables, look at both before either goes"
        }
    }
}

/// The rows of the fullest copies, and of all together.
pub(super) fn counted(found: &[&Misplaced], is_only: bool, expected: &Expected) -> String {
    let mut tables: Vec<_> = found.iter().filter(|found| found.object.kind == Kind::Table).collect();
    // What is unknown may be much.
    let most = |rows: Option<i64>| rows.unwrap_or(i64::MAX);
    tables.sort_by_key(|found| Reverse((most(found.rows.0).min(most(found.rows.1)), most(found.rows.0))));
    let described: Vec<_> = tables
        .iter()
        .take(MOST_COUNTED)
        .map(|Misplaced { object, rows: (here, twin), .. }| {
            let (elsewhere, schema) = (place(object), &expected.schema);
            let name = if is_only { "it".to_owned() } else { object.name.to_string() };
            format!("{name} has {} in {elsewhere} and {} in {schema}", rows(*here), rows(*twin))
        })
        .collect();
    let all = |of: fn(&Misplaced) -> Option<i64>| rows(tables.iter().map(|found| of(found)).sum());
    match tables.len() {
        0 => String::new(),
        count if count <= MOST_COUNTED => format!(": {}", described.join("; ")),
        count => format!(
            ": {}; with {} more, {} against {}",
            described.join("; "),
            count - MOST_COUNTED,
            all(|found| found.rows.0),
            all(|found| found.rows.1),
        ),
    }
}

/// What brings objects into the schema: the end of a message, `; run cargo xtask db-move`, and the SQL for what the command
/// leaves, empty copies and objects that are another role's.
pub(super) fn moving(
    copies: &[&Misplaced],
    alone: &[&Misplaced],
    facts: &Facts,
    expected: &Expected,
) -> (String, Vec<String>) {
    let (here, there) = empty_copies(copies, facts);
    // Of a copy that a person has to look at the command would only say so.
    let is_decided = here.len() + there.len() == copies.len();
    let (replacing, there): (Vec<_>, Vec<_>) =
        there.into_iter().partition(|found| is_decided && goes_along(found, facts, expected));
    let (following, left): (Vec<_>, Vec<_>) =
        alone.iter().copied().partition(|found| goes_along(found, facts, expected));
    let mut statements = Vec::new();
    if !here.is_empty() {
        statements.push(ddl::drop_tables(&here.iter().map(|found| &found.object).collect::<Vec<_>>()));
    }
    if !there.is_empty() {
        statements.push(ddl::drop_tables(&there.iter().filter_map(|found| found.twin.as_ref()).collect::<Vec<_>>()));
    }
    statements.extend(there.iter().chain(&left).flat_map(|found| moved(found, expected)));
    let mut schemas: Vec<_> =
        replacing.iter().chain(&following).filter_map(|found| found.object.schema.as_ref()).collect();
    schemas.sort();
    schemas.dedup();
    let option = if replacing.is_empty() { "" } else { " --replace-empty" };
    let commands: Vec<_> = schemas.into_iter().map(|schema| relocate::command(schema) + option).collect();
    let words = if commands.is_empty() { String::new() } else { format!("; run {}", commands.join(" and ")) };
    (words, statements)
}

/// Whether the command moves it with all else: it is the app's, a superuser's or the administrator's.
fn goes_along(found: &Misplaced, facts: &Facts, expected: &Expected) -> bool {
    let is_apps = |owner: &Identifier| {
        *owner == expected.role
            || Some(owner) == expected.administrator.as_ref()
            || facts.creators.iter().any(|creator| creator.role == *owner && creator.may_be_acted_as)
    };
    found.extension.is_none() && (found.is_superusers || found.object.owner.as_ref().is_some_and(is_apps))
}

/// Whether it lies in `public` and belongs to somebody who has nothing to do with the app: not its role, no
/// creator, no superuser. What fixes ours would take it away from them.
pub(super) fn is_theirs(found: &Misplaced, facts: &Facts) -> bool {
    let is_creators = facts.creators.iter().any(|creator| found.object.owner.as_ref() == Some(&creator.role));
    !is_creators && !found.is_superusers && found.object.schema.as_ref().is_some_and(|name| name.as_str() == "public")
}

/// The verdict where nothing of ours is found: a warning where there is something of another application's.
pub(super) fn none_but(id: &'static str, clean: String, theirs: &[&Misplaced]) -> Check {
    match theirs.is_empty() {
        true => Check::pass(id, clean),
        false => Check::warn(id, clean + &beside(theirs)).about(theirs.iter().map(|found| found.object.clone())),
    }
}

/// `; table public.blog belongs to shop: another application may live there`, or nothing. What the app has in an
/// extension of its own is named apart: an extension's script or a migration may have put it there.
pub(super) fn beside(theirs: &[&Misplaced]) -> String {
    let (members, others): (Vec<&Misplaced>, Vec<&Misplaced>) =
        theirs.iter().copied().partition(|found| found.extension.is_some());
    let mut words = String::new();
    if let Some(Misplaced { object, .. }) = others.first() {
        let owner = object.owner.as_ref().map_or_else(String::new, Identifier::to_string);
        let more = more_than_one(others.len(), "object");
        let (kind, name) = (object.kind.as_str(), object.qualified());
        words.push_str(&format!("; {kind} {name} belongs to {owner}{more}: another application may live there"));
    }
    if let Some(Misplaced { object, extension: Some(extension), .. }) = members.first() {
        let more = more_than_one(members.len(), "object");
        let (kind, name) = (object.kind.as_str(), object.qualified());
        words.push_str(&format!(
            "; {kind} {name} is a member of the extension {extension}, and both belong to the app{more}: a migration can \
             add any table to an extension"
        ));
    }
    words
}

pub(super) fn is_bookkeeping(found: &Misplaced) -> bool {
    found.object.kind == Kind::Table && BOOKKEEPING.iter().any(|(name, _)| *name == found.object.name.as_str())
}

/// `; where the tool's own setting (…) names public, change that too`: a table that is moved under a tool that looks for it
/// elsewhere is made again, and empty.
pub(super) fn own_setting(found: &Misplaced) -> String {
    let setting =
        BOOKKEEPING.iter().find(|(name, _)| *name == found.object.name.as_str()).map_or("", |(_, setting)| setting);
    match setting {
        "" => String::new(),
        setting => {
            format!("; where the tool's own setting ({setting}) names {}, change that too", place(&found.object))
        }
    }
}

/// `; graphile_worker is graphile-worker's own: name it in DB_OTHER_SCHEMAS`: each library once, or nothing.
pub(super) fn libraries<'a>(schemas: impl Iterator<Item = Option<&'a Identifier>>, expected: &Expected) -> String {
    let mut named: Vec<(&Identifier, &str)> = Vec::new();
    for schema in schemas.flatten() {
        if let Some(library) = library(Some(schema)).filter(|_| named.iter().all(|(known, _)| *known != schema)) {
            named.push((schema, library));
        }
    }
    let all = expected.other_schemas.iter().chain(named.iter().map(|(schema, _)| *schema));
    let names = all.map(Identifier::as_str).collect::<Vec<_>>().join(",");
    let each = named.iter().map(|(schema, library)| format!("schema {schema} is {library}'s own")).collect::<Vec<_>>();
    if each.is_empty() { String::new() } else { format!("; {}: set DB_OTHER_SCHEMAS={names}", each.join(", ")) }
}

/// Moves an object into the schema, and gives it to the app's role. Of what holds code only the check `ownership` says
/// whether its owner may change, once it is there: others may run it.
fn moved(found: &Misplaced, expected: &Expected) -> Vec<String> {
    let from = found.extension.as_ref().map(|extension| ddl::drop_from_extension(extension, &found.object));
    let mut statements: Vec<_> = from.into_iter().collect();
    statements.push(ddl::set_schema(&found.object, &expected.schema));
    let holds_code = !matches!(found.object.kind, Kind::Table | Kind::Sequence | Kind::ForeignTable);
    if found.object.owner.as_ref() != Some(&expected.role) && !holds_code {
        statements.push(ddl::alter_owner(&found.object.moved_to(&expected.schema), &expected.role));
    }
    statements
}

/// Those whose copy elsewhere can go, and those whose copy in the schema can: nothing where it is not known to be empty, or
/// where what stays refers to it.
fn empty_copies<'a>(found: &[&'a Misplaced], facts: &Facts) -> (Vec<&'a Misplaced>, Vec<&'a Misplaced>) {
    let known = found.iter().copied().filter(|found| found.are_tables());
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for found in known {
        match found.rows {
            (Some(0), Some(_)) => here.push(found),
            (Some(_), Some(0)) => there.push(found),
            _ => {}
        }
    }
    (unreferred(here, facts, |found| found.oids.0), unreferred(there, facts, |found| found.oids.1))
}

/// Those tables that can be dropped together: nothing refers to them but one of themselves.
pub(super) fn unreferred<'a>(
    mut tables: Vec<&'a Misplaced>,
    facts: &Facts,
    oid: fn(&Misplaced) -> u32,
) -> Vec<&'a Misplaced> {
    loop {
        let going: HashSet<u32> = tables.iter().map(|found| oid(found)).collect();
        let staying = facts.references.iter().filter(|(_, referrer)| !going.contains(referrer));
        let kept: HashSet<u32> = staying.map(|(table, _)| *table).collect();
        tables.retain(|found| !kept.contains(&oid(found)));
        // What stays may refer to others in its turn.
        if tables.len() == going.len() {
            return tables;
        }
    }
}

pub(super) fn place(object: &Object) -> String {
    object.schema.as_ref().map_or_else(String::new, Identifier::to_string)
}

pub(super) fn rows(count: Option<i64>) -> String {
    match count {
        None => "rows that cannot be counted".to_owned(),
        Some(1) => "1 row".to_owned(),
        Some(10_000) => "10000 rows or more".to_owned(),
        Some(count) => format!("{count} rows"),
    }
}
