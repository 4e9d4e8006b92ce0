//! sqlx, in a program of `tests/peers`.

use serde_json::Value;
use tests::{peers, scrubbed};

use crate::{installed::converse, reader::Question};

/// Asks that program.
pub(crate) fn ask(questions: &[Question]) -> Option<Vec<Value>> {
    Some(converse(&mut scrubbed(peers()?.join("reader-sqlx")), questions))
}
