//! In what condition a database is that serves: what its making left unfinished, what has grown old. Provisioning
//! needs nothing of it.

pub(crate) mod indexes;
pub(crate) mod routines;
mod sequences;
mod sessions;

use pg_config::Session;

pub use self::{
    indexes::Unfinished,
    routines::Outward,
    sequences::{Behind, Sequences},
    sessions::{OlderSession, OlderSessions},
};
use crate::{
    Expected, Facts, facts,
    object::Object,
    query::{SqlError, in_transaction, query},
};

/// The condition of the app's schema, and of the sessions that use it.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Indexes and constraints that do not do their work.
    pub unfinished: Vec<Unfinished>,
    /// Routines that lead out of the schema.
    pub outward: Vec<Outward>,
    /// Tables of which row-level security shows the app no row.
    pub hidden: Vec<Object>,
    /// Sequences that stand behind their columns.
    pub sequences: Sequences,
    /// Sessions that may have another path than a new one would have.
    pub older_sessions: OlderSessions,
}

impl Condition {
    /// Reads it by the app's own session, whose facts these are.
    pub fn read(session: &mut Session, facts: &Facts, expected: &Expected) -> Result<Self, SqlError> {
        let mut condition = in_transaction(session, |session, _| {
            Ok(Self {
                unfinished: indexes::read(session, expected)?,
                outward: routines::read(session, expected)?,
                hidden: query(session, include_str!("sql/row_security.sql"), &[expected.schema.as_str()])?
                    .iter()
                    .filter_map(|row| facts::object(row, &expected.schema))
                    .collect(),
                sequences: sequences::read(session, expected)?,
                older_sessions: OlderSessions::default(),
            })
        })?;
        // Within the transaction the server would show the same sessions again and again.
        let set = facts.schema.as_ref().and_then(|schema| schema.remark.path.as_ref());
        condition.older_sessions = sessions::read(session, facts.path_layers.first(), set, expected)?;
        Ok(condition)
    }
}
