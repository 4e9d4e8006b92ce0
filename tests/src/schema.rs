//! The JSON Schema of the reports.

use std::{path::Path, sync::LazyLock};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

static SCHEMA: LazyLock<(Schemas, SchemaIndex)> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/pg-xtask/report.schema.json");
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let index = compiler.compile(path.to_str().unwrap(), &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));
    (schemas, index)
});

/// Where a document departs from the schema of the reports, in words.
pub fn violation(document: &Value) -> Option<String> {
    let (schemas, index) = &*SCHEMA;
    schemas.validate(document, *index).err().map(|error| format!("{error:#}"))
}
