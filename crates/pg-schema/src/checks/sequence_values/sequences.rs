//! Sequences that stand behind the values that their columns hold already.

use std::slice;

use pg_config::{Identifier, Literal, Session};
use postgres::error::SqlState;

use super::super::Look;
use crate::{
    facts,
    object::{Kind, Object},
    query::{PASSED, PASSING, PATIENCE, counted, execute_at_once, query},
    report::{Action, Fix},
    sql_error::SqlError,
};

/// A sequence whose next value a row has already, or has passed.
#[derive(Clone, Debug)]
pub(super) struct Behind {
    /// The sequence.
    pub(super) sequence: Object,
    /// The table that it feeds.
    pub(super) table: Object,
    /// The column.
    pub(super) column: Identifier,
    /// The column's largest value; the smallest where the sequence descends.
    pub(super) edge: i64,
    /// By how much it counts; downwards where that is negative.
    pub(super) increment: i64,
    /// The values that its column and its own bounds allow.
    pub(super) bounds: (i64, i64),
}

/// What the sequences' values come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequences {
    /// Those that are behind.
    pub(super) behind: Vec<Behind>,
    /// How many were looked at.
    pub(super) looked_at: usize,
    /// Those whose column's rows the app may not all see.
    pub(super) hidden: Vec<Object>,
    /// Those whose column no index leads to, in tables too large to be read through.
    pub(super) slow: Vec<Object>,
    /// Those that could not be read in time: somebody holds a lock, or the table takes too long.
    pub(super) locked: usize,
    /// Those whose table cannot be read, and the server's words.
    pub(super) failing: Vec<(Object, String)>,
}

/// How many sequences one query asks for: each takes locks until the query ends.
const READ_AT_ONCE: usize = 250;

pub(super) fn read(look: &mut Look<'_>) -> Result<Sequences, SqlError> {
    if look.facts.objects.sequences == 0 {
        return Ok(Sequences::default());
    }
    let Look { session, expected, .. } = look;
    execute_at_once(session, &format!("{PASSING}; {PATIENCE}"))?;
    let rows = query(session, include_str!("query.sql"), &[expected.schema.as_str()]);
    // A session that is broken says so at the next query.
    let _ = execute_at_once(session, PASSED);
    let rows = match rows {
        // Somebody took the lock in between.
        Err(error) if error.is(&SqlState::LOCK_NOT_AVAILABLE) => {
            return Ok(Sequences { locked: 1, ..Sequences::default() });
        }
        rows => rows?,
    };
    let mut sequences = Sequences::default();
    let mut readable = Vec::new();
    for row in &rows {
        let sequence = Object {
            kind: Kind::Sequence,
            schema: Some(expected.schema.clone()),
            name: facts::name(row, "sequence"),
            arguments: None,
            table: None,
            owner: Some(facts::name(row, "owner")),
        };
        match row.get("how") {
            "hidden" => sequences.hidden.push(sequence),
            "slow" => sequences.slow.push(sequence),
            "locked" => sequences.locked += 1,
            _ => {
                let table = Object {
                    kind: Kind::Table,
                    schema: Some(facts::name(row, "table_schema")),
                    name: facts::name(row, "table"),
                    ..sequence.clone()
                };
                let column = facts::name(row, "column");
                let bounds = (row.get("lowest"), row.get("highest"));
                readable.push(Behind { sequence, table, column, edge: 0, increment: row.get("increment"), bounds });
            }
        }
    }
    for chunk in readable.chunks(READ_AT_ONCE) {
        match ask(session, chunk, &mut sequences) {
            // One by one: what one table answers says nothing of the others.
            Err(error) if !error.is_final() => {
                for found in chunk {
                    match ask(session, slice::from_ref(found), &mut sequences) {
                        Err(error) if !error.is_final() => {
                            let words = format!("{}{}", error.message, error.sqlstate);
                            sequences.failing.push((found.sequence.clone(), words));
                        }
                        outcome => outcome?,
                    }
                }
            }
            outcome => outcome?,
        }
    }
    Ok(sequences)
}

/// Asks for what some sequences' columns hold.
fn ask(session: &mut Session, chunk: &[Behind], sequences: &mut Sequences) -> Result<(), SqlError> {
    let values: Vec<_> = chunk.iter().map(value).collect();
    let Some(edges) = counted(session, &values)? else {
        sequences.locked += chunk.len();
        return Ok(());
    };
    sequences.looked_at += chunk.len();
    let behind = chunk.iter().zip(edges).filter_map(|(found, edge)| Some(Behind { edge: edge?, ..found.clone() }));
    sequences.behind.extend(behind);
    Ok(())
}

/// The largest value of the column, where the sequence's next one is no larger; NULL where all is well. The
/// rows are those of the snapshot, the sequence is as it stands a moment later: it can only be further on.
fn value(found: &Behind) -> String {
    let Behind { sequence, table, column, increment, .. } = found;
    let (edge, is_behind) = if *increment < 0 { ("min", ">=") } else { ("max", "<=") };
    format!(
        "(SELECT CASE WHEN CASE WHEN s.is_called THEN s.last_value::pg_catalog.numeric + ({increment}) ELSE s.last_value END \
         {is_behind} edge.value THEN edge.value END \
         FROM (SELECT pg_catalog.{edge}({column})::pg_catalog.int8 AS value FROM {table}) edge, {sequence} s)",
        table = table.qualified(),
        sequence = sequence.qualified(),
    )
}

impl Behind {
    /// Whether others take the values that it leaves out: then it is not simply to go where the column is.
    pub(super) fn is_interleaved(&self) -> bool {
        self.increment.unsigned_abs() != 1
    }

    /// Whether there are values beyond the column's largest one.
    pub(super) fn has_room(&self) -> bool {
        self.edge.checked_add(self.increment).is_some_and(|next| self.bounds.0 <= next && next <= self.bounds.1)
    }

    /// Puts the sequence where its column is, and never back.
    pub(super) fn catch_up(&self) -> Fix {
        let (edge, furthest) = if self.increment < 0 { ("min", "LEAST") } else { ("max", "GREATEST") };
        let (sequence, column, table) = (self.sequence.qualified(), &self.column, self.table.qualified());
        let schema = self.sequence.schema.iter().map(|schema| format!("{}.", schema.in_text()));
        let name: String = schema.chain([self.sequence.name.in_text()]).collect();
        let statement = format!(
            "SELECT pg_catalog.setval({}, {furthest}((SELECT pg_catalog.{edge}({column}) FROM {table}), \
             (SELECT last_value FROM {sequence})))",
            Literal(&name)
        );
        Fix::of(Action::SetSequence, statement)
    }
}
