//! The program `aura`: what it prints, and how it ends.

use std::process::Command;

use serde_json::Value;
use tests::{Cluster, Run};

use crate::{PASSWORD, database};

/// Runs the program; no stream may ever hold the password.
fn aura(url: Option<&str>, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twin-aura"));
    let output = command.env_clear().envs(url.map(|url| ("DATABASE_URL", url))).args(arguments).output().unwrap();
    let run = Run::of(format!("aura {}", arguments.join(" ")), output);
    [PASSWORD, "only-the-app%27s", "only-the-app"].into_iter().fold(run, Run::never_says)
}

#[test]
fn from_pending_to_applied() {
    let cluster = Cluster::start();
    let url = database(&cluster, "program");
    let pending = aura(Some(&url), &["status"]);
    assert_eq!((pending.code, pending.stderr.as_str()), (3, ""));
    pending.shows("pending");

    let migrate = aura(Some(&url), &["migrate"]);
    assert_eq!((migrate.code, migrate.stderr.as_str()), (0, ""));
    migrate.shows("applied");
    let again = aura(Some(&url), &["migrate"]);
    again.exits(0).shows("nothing-to-do");

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
fn errors_exit_with_1_and_say_what_to_do() {
    let cluster = Cluster::start();
    let url = database(&cluster, "program");
    for (url, says) in [
        (None, "error: DATABASE_URL is not set"),
        (Some(" ".to_owned()), "error: DATABASE_URL is not set"),
        (Some("mysql://a:only-the-app's@h/d".to_owned()), "error: DATABASE_URL cannot be used"),
        (Some("postgres://u:only-the-app's@x@h/d".to_owned()), "write it as %40"),
        (Some(url.replace("/program", "/nowhere")), "database \"nowhere\" does not exist (3D000)"),
        (Some(url.replace(&cluster.port().to_string(), "1")), "error: connect: no server answers at 127.0.0.1:1: "),
        (Some(format!("{url}&options=-csearch_path=public")), "error: tables would be made in schema public"),
    ] {
        for command in ["migrate", "status"] {
            let ended = aura(url.as_deref(), &[command]);
            assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{says}: {}", ended.stderr);
            assert!(ended.stderr.contains(says), "no {says:?} in {}", ended.stderr);
        }
    }
}

#[test]
fn usage() {
    for arguments in [&["nonsense"][..], &["migrate", "--nonsense"], &["status", "--format", "xml"], &[]] {
        assert_eq!(aura(None, arguments).code, 2, "{arguments:?}");
    }
    assert_eq!(aura(None, &["--help"]).code, 0);
    let help = aura(None, &["status", "--help"]);
    help.exits(0).shows("help");
}
