//! One JSON document, in the contract's shape.

use pg_schema::{Check, Definition, Object, Status, ddl};
use serde_json::{Value, json};

use super::Printed;
use crate::escape;

pub(super) fn document(printed: &Printed<'_>) -> String {
    let expected = printed.expected();
    let server = &printed.target.server;
    let report = printed.report;
    let document = json!({
        "version": 1,
        "server": {
            "source": server.rung.to_string(),
            "version": printed.version(),
            "host": server.host.to_string(),
            "port": server.port,
        },
        "database": expected.database.as_str(),
        "role": expected.role.as_str(),
        "schema": expected.schema.as_str(),
        "checks": report.checks.iter().map(|found| check(found, expected.role.as_str())).collect::<Vec<_>>(),
        "summary": {
            "pass": report.count(Status::Pass),
            "fail": report.count(Status::Fail),
            "warn": report.count(Status::Warn),
            "skip": report.count(Status::Skip),
            "tables": report.tables,
        },
        "elapsed_ms": u64::try_from(printed.elapsed.as_millis()).unwrap_or(u64::MAX),
    });
    escape::json(&document)
}

fn check(check: &Check, app: &str) -> Value {
    let fixes = check.fix.iter().map(|fix| {
        let as_role = fix.is_for_app.then_some(app);
        json!({ "sql": format!("{};", fix.statement), "safe": fix.is_safe, "as": as_role })
    });
    let first = (!check.fix.is_empty()).then_some(ddl::SAFE_PATH);
    let block = first.into_iter().chain(check.fix.iter().map(|fix| fix.statement.as_str()));
    let mut document = json!({
        "id": check.id,
        "status": check.status.as_str(),
        "message": check.message,
        "objects": check.objects.iter().map(object).collect::<Vec<_>>(),
        "fix": block.map(|statement| format!("{statement};")).collect::<Vec<_>>(),
        "fixes": fixes.collect::<Vec<_>>(),
    });
    if !check.definitions.is_empty() {
        document["definitions"] = check.definitions.iter().map(definition).collect();
    }
    document
}

fn definition(definition: &Definition) -> Value {
    json!({ "name": definition.name, "expected": definition.expected, "found": definition.found })
}

fn object(object: &Object) -> Value {
    let mut value = json!({
        "kind": object.kind.as_str(),
        "schema": object.schema.as_ref().map(|schema| schema.as_str()),
        "name": object.name.as_str(),
        "owner": object.owner.as_ref().map(|owner| owner.as_str()),
    });
    // What the name alone does not tell from others.
    if let Some(arguments) = &object.arguments {
        value["arguments"] = json!(arguments);
    }
    if let Some(table) = &object.table {
        value["table"] = json!(table.as_str());
    }
    value
}
