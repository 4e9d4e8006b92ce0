//! Indexes that no query uses, and constraints that were never checked against the rows that were there.

use pg_config::{Identifier, Session};

use crate::{
    Expected, facts,
    object::{Kind, Object},
    query::{SqlError, query},
};

/// An index or a constraint that does not do its work.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// The index or the constraint.
    pub object: Object,
    /// The table or domain that it belongs to.
    pub of: Identifier,
    /// What it is.
    pub state: State,
}

/// What is unfinished, and so what could finish it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// An index whose making failed.
    Invalid,
    /// One that somebody may be making at this moment.
    BeingBuilt,
    /// What REINDEX CONCURRENTLY left behind.
    Leftover,
    /// An index of a partitioned table that some partition has none for.
    Partitioned,
    /// A constraint of a table that is NOT VALID.
    NotValid,
    /// The same of a domain.
    DomainNotValid,
}

pub(super) fn read(session: &mut Session, expected: &Expected) -> Result<Vec<Unfinished>, SqlError> {
    let rows = query(session, include_str!("../sql/indexes.sql"), &[expected.schema.as_str()])?;
    let unfinished = rows.iter().map(|row| {
        let state = match row.get("what") {
            _ if row.get("is_being_built") => State::BeingBuilt,
            "leftover index" => State::Leftover,
            "partitioned index" => State::Partitioned,
            "constraint" => State::NotValid,
            "domain constraint" => State::DomainNotValid,
            _ => State::Invalid,
        };
        let is_constraint = matches!(state, State::NotValid | State::DomainNotValid);
        Unfinished {
            object: Object {
                kind: if is_constraint { Kind::Constraint } else { Kind::Index },
                schema: Some(expected.schema.clone()),
                name: facts::name(row, "name"),
                arguments: None,
                owner: Some(facts::name(row, "owner")),
            },
            of: facts::name(row, "of"),
            state,
        }
    });
    Ok(unfinished.collect())
}
