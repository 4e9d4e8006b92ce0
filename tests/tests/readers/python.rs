//! The readers in Python: `tests/readers/python`, with what its `requirements.txt` names.

use serde_json::Value;
use tests::Python;

use crate::{
    installed::{converse, data},
    reader::Question,
};

/// Asks a script; none where Python, or what it needs, is not to be had.
pub(crate) fn ask(script: &str, arguments: &[&str], questions: &[Question]) -> Option<Vec<Value>> {
    let scripts = data().join("python");
    let mut command = Python::with(&scripts.join("requirements.txt"))?.command();
    command.arg(scripts.join(script)).args(arguments);
    Some(converse(&mut command, questions))
}
