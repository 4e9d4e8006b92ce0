//! Names that both schemas have, and empty tables that make room.

use std::collections::{HashMap, HashSet};

use pg_config::{Identifier, Session};
use postgres::Row;

use super::{
    Finding, Request,
    item::{Item, Key, RELATIONS},
};
use crate::{
    Expected, Facts,
    query::{counted, query},
    sql_error::SqlError,
    transaction::in_transaction,
};

/// Tables of the app's schema that make room, and what stands in the way.
#[derive(Clone, Debug, Default)]
pub(super) struct Collisions {
    pub(super) replaced: Vec<Replaced>,
    pub(super) in_the_way: Vec<Finding>,
}

/// An empty table that is dropped.
#[derive(Clone, Debug)]
pub(super) struct Replaced {
    oid: u32,
    pub(super) name: Identifier,
}

/// Reads what both schemas have. The app's own session has counted the rows.
pub(super) fn read(
    session: &mut Session,
    request: &Request,
    moves: &[Item],
    facts: Option<&Facts>,
    expected: &Expected,
) -> Result<Collisions, SqlError> {
    let (from, to) = (&request.from, &expected.schema);
    let keys: HashSet<Key> = moves.iter().map(|item| item.key).collect();
    let rows = query(session, include_str!("../sql/relocate/collisions.sql"), &[from.as_str(), to.as_str()])?;
    let key = |row: &Row, class, oid| (row.get::<_, u32>(class), row.get::<_, u32>(oid));
    let part = |row: &Row| (RELATIONS, row.get::<_, u32>("part_of"));
    let moving: Vec<_> =
        rows.iter().filter(|row| keys.contains(&key(row, "class", "oid")) || keys.contains(&part(row))).collect();
    let counts: HashMap<_, _> =
        facts.iter().flat_map(|facts| &facts.misplaced).map(|found| (found.oids, found.rows)).collect();
    let mut collisions = Collisions::default();
    let mut going = HashSet::new();
    let (tables, others): (Vec<_>, Vec<_>) = moving.into_iter().partition(|row| row.get::<_, bool>("are_tables"));
    for row in &tables {
        let (oid, twin): (u32, u32) = (row.get("oid"), row.get("twin"));
        let name = crate::facts::name(row, "name");
        let (here, there) = counts.get(&(oid, twin)).copied().unwrap_or((None, None));
        if there == Some(0) && request.replace_empty {
            going.insert(twin);
            collisions.replaced.push(Replaced { oid: twin, name });
            continue;
        }
        let help = match there {
            Some(0) => format!("add --replace-empty: {to}.{name} is dropped, if nothing refers to it"),
            _ => format!("look at both, and drop or rename the one that is not needed: {from}.{name} or {to}.{name}"),
        };
        let what = format!(
            "table {name} is there twice, with {} in {from} and {} in {to}",
            counted_rows(here),
            counted_rows(there)
        );
        collisions.in_the_way.push(Finding { what, help });
    }
    let named: HashSet<u32> = tables.iter().map(|row| row.get("twin")).collect();
    let wholes: HashMap<u32, u32> = rows.iter().map(|row| (row.get("twin"), row.get("twin_part_of"))).collect();
    for row in others {
        let whole: u32 = row.get("twin_part_of");
        // What belongs to a table goes and stays with it; before version 14 a sequence has a type of its own, too.
        let top = wholes.get(&whole).copied().unwrap_or(0);
        if [whole, top].iter().any(|oid| going.contains(oid) || named.contains(oid)) {
            continue;
        }
        let (kind, name) = (row.get::<_, &str>("kind"), crate::facts::name(row, "name"));
        let what = format!("{kind} {name} is there twice, in {from} and in {to}");
        let help = format!("drop or rename the one that is not needed: {from}.{name} or {to}.{name}");
        collisions.in_the_way.push(Finding { what, help });
    }
    Ok(collisions)
}

/// Whether these tables are empty still, asked by the app's own session while nobody can write to them: the first that is
/// not, or that does not answer.
pub(super) fn not_empty(
    app: &mut Session,
    tables: &[Replaced],
    schema: &Identifier,
) -> Result<Option<Identifier>, SqlError> {
    let values: Vec<_> = tables
        .iter()
        .map(|Replaced { oid, name }| {
            format!(
                "CASE WHEN pg_catalog.row_security_active({oid}::oid) THEN pg_catalog.pg_relation_size({oid}::oid::regclass) \
                 ELSE (SELECT count(*) FROM (SELECT FROM {schema}.{name} LIMIT 1) AS counted) END"
            )
        })
        .collect();
    let counts = in_transaction(app, |app, _| counted(app, &values))?;
    let is_empty = |at: usize| counts.as_ref().and_then(|counts| counts.get(at)).copied().flatten() == Some(0);
    Ok(tables.iter().enumerate().find(|(at, _)| !is_empty(*at)).map(|(_, table)| table.name.clone()))
}

fn counted_rows(count: Option<i64>) -> String {
    match count {
        None => "rows that cannot be counted".to_owned(),
        Some(1) => "1 row".to_owned(),
        Some(10_000) => "10000 rows or more".to_owned(),
        Some(count) => format!("{count} rows"),
    }
}
