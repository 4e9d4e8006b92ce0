//! The readers in Python: `tests/readers/python`, with what its `requirements.txt` names.

use serde_json::Value;
use tests::python;

use crate::{
    installed::{converse, data, target},
    reader::Question,
};

/// Asks a script; none where Python, or what it needs, is not to be had.
pub(crate) fn ask(script: &str, arguments: &[&str], questions: &[Question]) -> Option<Vec<Value>> {
    let scripts = data().join("python");
    let mut python = python(&scripts.join("requirements.txt"), &target())?;
    Some(converse(python.arg(scripts.join(script)).args(arguments), questions))
}
