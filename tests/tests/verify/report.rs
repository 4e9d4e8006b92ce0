//! The report's shape: JSON for programs, text for people.

use serde_json::Value;
use tests::shows;

use crate::case::{CASE, set_up};

/// What its schema cannot say of a report.
#[track_caller]
fn is_report(report: &Value, port: u16) {
    let server = &report["server"];
    assert_eq!(
        (&server["source"], &server["host"], &server["port"]),
        (&"env".into(), &"127.0.0.1".into(), &port.into())
    );
    assert_eq!(
        (&report["database"], &report["role"], &report["schema"]),
        (&"aura_db".into(), &"aura_user".into(), &"aura".into())
    );
    assert!(report["elapsed_ms"].is_u64(), "{report}");

    let checks = report["checks"].as_array().unwrap();
    let ids: Vec<_> = checks.iter().map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(ids, pg_schema::CHECKS, "each id once, in the contract's order");
    for status in ["pass", "fail", "warn", "skip"] {
        let count = checks.iter().filter(|check| check["status"] == status).count();
        assert_eq!(report["summary"][status], count, "{status}");
    }
}

#[test]
fn json_has_the_contracts_shape() {
    let (cluster, workspace) = set_up(&CASE);
    for command in ["db-verify", "db-setup", "db-migrate"] {
        let run = workspace.run(&[command, "--format", "json"]).exits(0);
        is_report(&run.json(), cluster.port());
        assert!(run.json()["server"]["version"].as_str().unwrap().starts_with(char::is_numeric));
        assert_eq!(run.json()["summary"]["tables"], 25);
    }
    cluster.sql("aura_db", "CREATE TABLE public.sketch (id int)");
    let run = workspace.verify().exits(3);
    is_report(&run.json(), cluster.port());
    assert_eq!(
        run.check("strays")["objects"],
        serde_json::json!([{ "kind": "table", "schema": "public", "name": "sketch", "owner": "postgres" }])
    );
    assert_eq!(run.fix("strays"), "");
    assert_eq!(run.check("strays")["message"], "table public.sketch lies outside aura; run cargo xtask db-move");

    cluster.sql("postgres", "DROP DATABASE aura_db WITH (FORCE)");
    let run = workspace.verify().exits(3);
    is_report(&run.json(), cluster.port());
    assert_eq!(run.json()["server"]["version"], Value::Null, "no server answered");
}

#[test]
fn text_has_the_fix_under_the_finding() {
    let (cluster, workspace) = set_up(&CASE);
    let run = workspace.run(&["db-verify"]).exits(0).never_says("the-app's");
    assert_eq!(run.stderr, "", "nothing to say but the result");
    assert!(!run.stdout.contains('\x1b'), "colours without a terminal");
    assert_eq!(run.stdout.lines().count(), 2, "what passed is a number: {}", run.stdout);
    let run = workspace.run(&["db-verify", "-v"]).exits(0).never_says("the-app's");
    assert!(run.stdout.lines().count() <= 24, "one screen: {}", run.stdout);
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 160), "{}", run.stdout);
    shows("verified", &run.stdout);

    cluster.sql("aura_db", "CREATE TABLE public.sketch (id int); REVOKE INSERT ON aura.notes_note FROM aura_user");
    workspace.run(&["db-verify"]).exits(3).shows("not-verified");
}

#[test]
fn quiet_and_colours() {
    let (cluster, workspace) = set_up(&CASE);
    let quiet = workspace.run(&["db-verify", "-q"]).exits(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let json = workspace.run(&["db-verify", "-q", "--format", "json"]).exits(0);
    assert_eq!(json.with_status("fail"), [""; 0]);

    let painted = workspace.run(&["db-verify", "--color", "always"]).exits(0);
    assert!(painted.stdout.contains("\x1b["));
    let never = workspace.run(&["db-verify", "--color", "never"]).exits(0);
    let bare: String = painted.stdout.split("\x1b[").enumerate().fold(String::new(), |text, (number, piece)| {
        text + if number == 0 { piece } else { piece.split_once('m').unwrap().1 }
    });
    let without_time = |text: &str| text.rsplit_once(" in ").unwrap().0.to_owned();
    assert_eq!(without_time(&bare), without_time(&never.stdout), "paint changes no letter");
    let workspace = workspace.with("NO_COLOR", "1");
    assert!(!workspace.run(&["db-verify"]).exits(0).stdout.contains('\x1b'));

    cluster.sql("aura_db", "CREATE TABLE public.sketch (id int)");
    workspace.run(&["db-verify", "-q"]).exits(3).shows("quiet");
}

#[test]
fn objects_that_share_a_name_are_told_apart() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        "CREATE FUNCTION aura.twice(int, text[]) RETURNS int LANGUAGE sql AS 'SELECT 1'; \
         CREATE FUNCTION aura.twice() RETURNS int LANGUAGE sql AS 'SELECT 1'; \
         CREATE TABLE aura.a (n int); CREATE TABLE aura.b (n int); CREATE DOMAIN aura.d AS int; \
         ALTER TABLE aura.a ADD CONSTRAINT positive CHECK (n > 0) NOT VALID; \
         ALTER TABLE aura.b ADD CONSTRAINT positive CHECK (n > 0) NOT VALID; \
         ALTER DOMAIN aura.d ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID",
    );
    let run = workspace.verify();
    let of = |id: &str, kind: &str, key: &str| {
        let check = run.check(id);
        let objects = check["objects"].as_array().unwrap().iter().filter(|object| object["kind"] == kind);
        let mut found: Vec<_> = objects.map(|object| object[key].as_str().map(str::to_owned)).collect();
        found.sort();
        found
    };
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(of("ownership", "routine", "arguments"), [named(""), named("integer, text[]")]);
    assert_eq!(of("invalid-indexes", "constraint", "table"), [None, named("a"), named("b")]);
}
