//! The schema of the JSON reports. [`tests::Run::json`] holds every report that a test reads against it; here is
//! what it refuses.

use serde_json::{Value, json};
use tests::violation;

fn report() -> Value {
    json!({
        "version": 1,
        "server": { "source": "env", "version": "15.18", "host": "127.0.0.1", "port": 5432 },
        "database": "aura_db",
        "role": "aura_user",
        "schema": "aura",
        "checks": [{
            "id": "strays",
            "status": "fail",
            "message": "table public.sketch lies outside aura",
            "objects": [{ "kind": "table", "schema": "public", "name": "sketch", "owner": null }],
            "fix": ["SET search_path = pg_catalog, pg_temp;", "ALTER TABLE public.sketch SET SCHEMA aura;"],
            "fixes": [{ "sql": "ALTER TABLE public.sketch SET SCHEMA aura;", "safe": false, "as": null }]
        }],
        "summary": { "pass": 0, "fail": 1, "warn": 0, "skip": 0, "tables": 25 },
        "elapsed_ms": 12
    })
}

/// Each place of a document that is an object, as JSON pointers.
fn objects(document: &Value, at: &str) -> Vec<String> {
    let below = |(key, value): (String, &Value)| objects(value, &format!("{at}/{key}"));
    match document {
        Value::Object(map) => {
            let inner = map.iter().map(|(key, value)| (key.clone(), value)).flat_map(below);
            std::iter::once(at.to_owned()).chain(inner).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).flat_map(below).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn every_key_is_required_and_no_other_is_known() {
    assert_eq!(violation(&report()), None);
    let places = objects(&report(), "");
    assert_eq!(places.len(), 6, "{places:?}");
    for place in places {
        let map = |report: &mut Value| report.pointer_mut(&place).unwrap().as_object_mut().unwrap().clone();
        for key in map(&mut report()).keys() {
            let mut without = report();
            without.pointer_mut(&place).unwrap().as_object_mut().unwrap().remove(key);
            assert!(violation(&without).is_some(), "without {place}/{key}");
        }
        let mut with = report();
        with.pointer_mut(&place).unwrap()["more"] = Value::Null;
        assert!(violation(&with).is_some(), "with {place}/more");
    }
}

#[test]
fn wrong_values_are_refused() {
    for (place, wrong) in [
        ("/version", json!(2)),
        ("/server/source", json!("elsewhere")),
        ("/server/version", json!("")),
        ("/server/host", json!("")),
        ("/server/port", json!(0)),
        ("/server/port", json!("5432")),
        ("/database", Value::Null),
        ("/checks", json!([])),
        ("/checks/0/id", json!("stray")),
        ("/checks/0/status", json!("ok")),
        ("/checks/0/message", json!("")),
        ("/checks/0/objects/0/kind", json!("TABLE")),
        ("/checks/0/objects/0/name", Value::Null),
        ("/checks/0/fix/0", json!("ALTER TABLE public.sketch SET SCHEMA aura")),
        ("/checks/0/fixes/0/sql", json!("")),
        ("/checks/0/fixes/0/safe", Value::Null),
        ("/checks/0/fixes/0/as", json!(1)),
        ("/summary/fail", json!(-1)),
        ("/summary/tables", json!(1.5)),
        ("/elapsed_ms", json!("12")),
    ] {
        let mut document = report();
        *document.pointer_mut(place).unwrap() = wrong.clone();
        let violation = violation(&document).unwrap_or_else(|| panic!("{place} may be {wrong}"));
        let parent = place.trim_end_matches("/0");
        assert!(violation.contains(parent), "{place}: {violation}");
    }
    let mut unknown = report();
    unknown["server"]["version"] = Value::Null;
    assert_eq!(violation(&unknown), None, "nobody could ask");
}
