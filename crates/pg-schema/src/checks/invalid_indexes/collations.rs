//! Collations whose library has another version than the one by which indexes were sorted.

use pg_config::Identifier;

use crate::{
    Expected,
    checks::Look,
    ddl, facts,
    object::{Kind, Object},
    sql_error::SqlError,
};

/// A collation by another version of its library, and the indexes that have it.
#[derive(Clone, Debug)]
pub(super) struct Outdated {
    /// Its schema and name; the database's own has none.
    collation: Option<(Identifier, Identifier)>,
    /// The version that is written down.
    recorded: String,
    /// The library's.
    actual: String,
    /// The indexes of the app's schema.
    pub(super) indexes: Vec<Object>,
}

/// The first version that keeps one for a database.
const OF_DATABASES: i32 = 150_000;

pub(super) fn read(look: &mut Look<'_>) -> Result<Vec<Outdated>, SqlError> {
    if !look.facts.objects.has_versioned_collation {
        return Ok(Vec::new());
    }
    let mut rows = look.query(include_str!("collations.sql"))?;
    if look.facts.version_number >= OF_DATABASES {
        rows.extend(look.query(include_str!("database_collation.sql"))?);
    }
    let mut found: Vec<Outdated> = Vec::new();
    for row in &rows {
        let of = |column| row.get::<_, Option<String>>(column).map(Identifier::from_catalog);
        let collation = of("place").zip(of("collation"));
        if found.last().is_none_or(|last| last.collation != collation) {
            let (recorded, actual) = (row.get("recorded"), row.get("actual"));
            found.push(Outdated { collation, recorded, actual, indexes: Vec::new() });
        }
        if let (Some(last), Some(name)) = (found.last_mut(), of("name")) {
            let owner = Some(facts::name(row, "owner"));
            let schema = Some(look.expected.schema.clone());
            last.indexes.push(Object { schema, owner, ..Object::named(Kind::Index, &name) });
        }
    }
    Ok(found)
}

pub(super) fn describe(outdated: &[Outdated], expected: &Expected) -> String {
    let each = outdated.iter().map(|Outdated { collation, recorded, actual, indexes }| {
        let whose = match collation {
            Some((schema, name)) => format!("collation {schema}.{name}"),
            None => format!("the collation of database {}", expected.database),
        };
        let (noun, verb) = if indexes.len() == 1 { ("index", "was") } else { ("indexes", "were") };
        format!(
            "{whose} has version {actual} of its library, and {} {noun} {verb} sorted by version {recorded}: texts may not be \
             found there, and unique ones be there twice; rebuild first, and write the version down then",
            indexes.len()
        )
    });
    each.collect::<Vec<_>>().join("; ")
}

/// What rebuilds the indexes, and then writes the version down: it must come last.
pub(super) fn refreshed(outdated: &[Outdated], expected: &Expected) -> Vec<String> {
    let of_each = outdated.iter().flat_map(|Outdated { collation, indexes, .. }| {
        let last = match collation {
            Some((schema, name)) => ddl::refresh_collation(schema, name),
            None => ddl::refresh_database_collation(&expected.database),
        };
        indexes.iter().map(ddl::reindex).chain([last])
    });
    of_each.collect()
}
