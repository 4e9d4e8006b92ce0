//! What lies outside the schema, and which of two copies could go.

use pg_config::{Identifier, Session};

use super::object;
use crate::{
    Expected,
    object::{Kind, Object},
    query::{counted, query},
    sql_error::SqlError,
};

/// An object in the wrong place.
#[derive(Clone, Debug)]
pub struct Misplaced {
    /// The object.
    pub object: Object,
    /// The extension of the app's own that it was added to.
    pub extension: Option<Identifier>,
    /// Whether its owner is a superuser, who may have made it for anybody.
    pub is_superusers: bool,
    /// The library or tool that keeps a schema of this name for itself.
    pub library: Option<&'static str>,
    /// Its namesake in the app's schema.
    pub twin: Option<Object>,
    /// The oids of both where they are relations, else 0.
    pub oids: (u32, u32),
    /// Rows here and in the twin, counted up to 10,000; `None` where they may not be read.
    pub rows: (Option<i64>, Option<i64>),
}

/// Schemas that libraries and tools make for themselves: what they hold breaks where it is moved.
const LIBRARIES: [(&str, &str); 12] = [
    ("graphile_worker", "graphile-worker"),
    ("pgboss", "pg-boss"),
    ("pgmq", "pgmq"),
    ("partman", "pg_partman"),
    ("cron", "pg_cron"),
    ("supabase_functions", "Supabase"),
    ("hdb_catalog", "Hasura"),
    ("hangfire", "Hangfire"),
    ("dbos", "DBOS"),
    ("electric", "ElectricSQL"),
    ("repack", "pg_repack"),
    ("_timescaledb_internal", "TimescaleDB"),
];

pub(crate) fn library(schema: Option<&Identifier>) -> Option<&'static str> {
    LIBRARIES
        .iter()
        .find(|(name, _)| schema.is_some_and(|schema| schema.as_str() == *name))
        .map(|(_, library)| *library)
}

impl Misplaced {
    /// Whether it and its namesake are both tables: a name alone makes no copy of a view or a sequence.
    pub(crate) fn are_tables(&self) -> bool {
        self.object.kind == Kind::Table && self.twin.as_ref().is_some_and(|twin| twin.kind == Kind::Table)
    }
}

/// Reads what lies outside the schema, and counts the rows of what is there twice.
pub(super) fn read(session: &mut Session, expected: &Expected) -> Result<Vec<Misplaced>, SqlError> {
    let rows = query(session, include_str!("misplaced.sql"), &[expected.schema.as_str(), expected.role.as_str()])?;
    let mut found = Vec::new();
    let mut counts = Vec::new();
    for row in &rows {
        let Some(object) = object(row, &expected.schema) else { continue };
        if expected.keeps(object.schema.as_ref()) {
            continue;
        }
        let twin_kind = row.get::<_, Option<&str>>("twin_kind").and_then(Kind::from_letter);
        let library = library(object.schema.as_ref());
        // What a library calls like a table of ours is no copy of it.
        let twin_kind = twin_kind.filter(|_| library.is_none());
        let twin = twin_kind.map(|kind| Object {
            kind,
            owner: row.get::<_, Option<String>>("twin_owner").map(Identifier::from_catalog),
            ..object.moved_to(&expected.schema)
        });
        let oid = |column| row.get::<_, Option<u32>>(column).unwrap_or(0);
        counts.push(count(row.get("counts"), &object, oid("oid")));
        counts.push(match &twin {
            Some(twin) => count(row.get("twin_counts"), twin, oid("twin_oid")),
            None => "NULL".to_owned(),
        });
        found.push(Misplaced {
            object,
            extension: row.get::<_, Option<String>>("extension").map(Identifier::from_catalog),
            is_superusers: row.get("is_superusers"),
            library,
            twin,
            oids: (oid("oid"), oid("twin_oid")),
            rows: (None, None),
        });
    }
    // Where nothing is there twice, nothing is asked.
    let queries = counts.chunks(2 * COUNTED_AT_ONCE);
    for (found, counts) in found.chunks_mut(COUNTED_AT_ONCE).zip(queries) {
        if found.iter().any(|found| found.twin.is_some()) {
            count_rows(session, found, counts);
        }
    }
    Ok(found)
}

/// What refers to the tables that are there twice. Where none is, nothing is asked.
pub(super) fn references(session: &mut Session, misplaced: &[Misplaced]) -> Result<Vec<(u32, u32)>, SqlError> {
    let copies = misplaced.iter().filter(|found| found.are_tables());
    let oids: Vec<_> = copies.flat_map(|found| [found.oids.0.to_string(), found.oids.1.to_string()]).collect();
    if oids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = query(session, include_str!("references.sql"), &[&oids.join(",")])?;
    Ok(rows.iter().map(|row| (row.get("table"), row.get("referrer"))).collect())
}

/// How many objects, each with its namesake, one query counts the rows of.
const COUNTED_AT_ONCE: usize = 250;

/// The number of rows as SQL, up to 10,000; `how` is what `misplaced.sql` says of the table.
fn count(how: Option<&str>, table: &Object, oid: u32) -> String {
    match how {
        Some("rows") => format!("(SELECT count(*) FROM (SELECT FROM {} LIMIT 10000) AS counted)", table.qualified()),
        Some(_) => format!("CASE WHEN pg_catalog.pg_relation_size({oid}) = 0 THEN 0 END"),
        None => "NULL".to_owned(),
    }
}

/// Fills in the rows of objects and their namesakes; where one cannot be read after all, they stay unknown.
fn count_rows(session: &mut Session, found: &mut [Misplaced], counts: &[String]) {
    let Ok(Some(counts)) = counted(session, counts) else { return };
    for (found, pair) in found.iter_mut().zip(counts.chunks(2)) {
        found.rows = (pair[0], pair[1]);
    }
}
