//! The program `aura`: what it prints, and how it ends.

use std::process::Command;

use serde_json::Value;
use tests::{Cluster, Run};

use crate::{PASSWORD, ROLE, database};

/// Runs the program; no stream may ever hold the password.
fn aura(url: Option<&str>, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twin-aura"));
    let output = command.env_clear().envs(url.map(|url| ("DATABASE_URL", url))).args(arguments).output().unwrap();
    let spellings = [PASSWORD, "only-the-app%27s", "only-the-app"];
    spellings.iter().fold(Run::of(format!("aura {}", arguments.join(" ")), output), |run, text| run.never_says(text))
}

#[test]
fn from_pending_to_applied() {
    let cluster = Cluster::start();
    let url = database(&cluster, "program");
    aura(Some(&url), &["status"]).exits(3).shows("pending");
    aura(Some(&url), &["migrate"]).exits(0).shows("applied");
    aura(Some(&url), &["migrate"]).exits(0).shows("nothing-to-do");

    let status = aura(Some(&url), &["status", "--format", "json"]);
    assert_eq!((status.code, status.stderr.as_str()), (0, ""));
    let document: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(
        (&document["version"], &document["database"], &document["schema"]),
        (&1.into(), &"program".into(), &"aura".into())
    );
    let migrations = document["migrations"].as_array().unwrap();
    assert_eq!(migrations.len(), 2);
    for (index, migration) in migrations.iter().enumerate() {
        assert_eq!((&migration["version"], &migration["state"]), (&(index + 1).into(), &"applied".into()));
        assert!(
            migration["name"].is_string() && migration["applied_at"].as_str().unwrap().ends_with('Z'),
            "{migration}"
        );
    }
}

#[test]
fn what_was_migrated_and_is_not_there_is_said() {
    let cluster = Cluster::start();
    let url = database(&cluster, "program");
    aura(Some(&url), &["migrate"]).exits(0);
    // What is there besides is no failure, and the order of columns does not count.
    cluster.sql(
        "program",
        "CREATE INDEX dba_note ON aura.notes_note (title); \
         ALTER TABLE aura.core_user ADD COLUMN x int; ALTER TABLE aura.core_user DROP COLUMN x",
    );
    let status = aura(Some(&url), &["status"]).exits(0);
    assert!(status.stdout.contains("notes_note: index dba_note: not expected"), "{}", status.stdout);
    cluster.sql("program", "ALTER TABLE aura.notes_note DROP COLUMN title; DROP TABLE aura.contacts_contact CASCADE");
    aura(Some(&url), &["status"]).exits(3).shows("not-as-migrated");
    aura(Some(&url), &["migrate"]).exits(0).complains("warning: notes_note: column title: expected");
    let document: Value =
        serde_json::from_str(&aura(Some(&url), &["status", "--format", "json"]).exits(3).stdout).unwrap();
    let differences = document["differences"].as_array().unwrap();
    assert!(
        differences.iter().any(|found| found["table"] == "contacts_contact" && found["found"].is_null()),
        "{document}"
    );
}

#[test]
fn errors_exit_with_1_and_say_what_to_do() {
    let cluster = Cluster::start();
    let url = database(&cluster, "program");
    let mut said = String::new();
    for (what, url) in [
        ("no URL", None),
        ("an empty URL", Some(" ".to_owned())),
        ("another program's URL", Some("mysql://a:only-the-app's@h/d".to_owned())),
        ("a bare @ in the password", Some("postgres://u:only-the-app's@x@h/d".to_owned())),
        ("no such database", Some(url.replace("/program", "/nowhere"))),
        ("no server", Some(url.replace(&cluster.port().to_string(), "1"))),
        ("another path", Some(format!("{url}&options=-csearch_path=public"))),
    ] {
        for command in ["migrate", "status"] {
            let run = aura(url.as_deref(), &[command]).exits(1);
            assert_eq!(run.stdout, "", "{what}: {}", run.stderr);
            said += &format!("{what}: {}", run.screen());
        }
    }
    tests::shows("errors", &said);
}

#[test]
fn what_others_named_does_not_steer_the_screen() {
    let cluster = Cluster::start();
    let url = database(&cluster, "program");
    let schema = "\"red\u{1b}[31m\u{202e}\"";
    cluster.sql(
        "program",
        &format!("CREATE SCHEMA {schema} AUTHORIZATION {ROLE}; ALTER ROLE {ROLE} IN DATABASE program SET search_path = {schema}"),
    );
    // The server repeats the name of the database in its refusal.
    let refused = url.replace("/program", "/red%1B%5B31m%E2%80%AE");
    for (url, arguments, code) in [
        (refused.as_str(), &["migrate"][..], 1),
        (&url, &["status"], 3),
        (&url, &["migrate"], 0),
        (&url, &["migrate"], 0),
    ] {
        let run = aura(Some(url), arguments).exits(code);
        let said = run.stdout.clone() + &run.stderr;
        assert!(!said.contains(|letter| letter != '\n' && pg_config::is_hidden(letter)), "{arguments:?}: {said:?}");
        assert!(code == 0 || said.contains("red\\u{1b}[31m\\u{202e}"), "{arguments:?}: {said}");
    }
}

#[test]
fn usage() {
    for arguments in [&["nonsense"][..], &["migrate", "--nonsense"], &["status", "--format", "xml"], &[]] {
        assert_eq!(aura(None, arguments).code, 2, "{arguments:?}");
    }
    assert_eq!(aura(None, &["--help"]).code, 0);
    aura(None, &["status", "--help"]).exits(0).shows("help-of-status");
}
