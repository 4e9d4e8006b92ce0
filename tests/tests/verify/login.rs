//! What keeps the app from logging in, or leads it astray.

use tests::{Cluster, seen};

use crate::case::{CASE, Case, Mend, Setup, check, fresh};

#[test]
fn a_refused_login_is_a_finding() {
    let away = Case { at: "postgres", ..CASE };
    check(&[
        Case {
            name: "the database was dropped",
            breaks: "DROP DATABASE aura_db",
            fails: &["database"],
            says: &[r#"database \"aura_db\" does not exist (3D000)"#],
            mend: Mend::Command(&["db-setup"]),
            ..away
        },
        Case {
            name: "the role's password was changed",
            breaks: "ALTER ROLE aura_user PASSWORD 'another'",
            fails: &["role"],
            says: &["password authentication failed", "(28P01)"],
            mend: Mend::Command(&["db-setup", "--set-password"]),
            setup: Setup::Refuses(1, "--set-password"),
            ..away
        },
        Case {
            name: "the role may not log in",
            breaks: "ALTER ROLE aura_user NOLOGIN",
            fails: &["role"],
            says: &["is not permitted to log in"],
            mend: Mend::Command(&["db-setup"]),
            ..away
        },
        Case {
            name: "the role may not connect to the database",
            breaks: "REVOKE CONNECT ON DATABASE aura_db FROM PUBLIC, aura_user",
            fails: &["database"],
            says: &["permission denied for database"],
            ..away
        },
        Case {
            name: "the database takes no connections",
            breaks: "ALTER DATABASE aura_db ALLOW_CONNECTIONS false",
            fails: &["database"],
            says: &["is not currently accepting connections"],
            mend: Mend::ByHand,
            setup: Setup::Refuses(1, "is not currently accepting connections"),
            ..away
        },
    ]);
}

#[test]
fn a_role_that_does_not_exist_is_a_finding() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    let url = cluster.url("somebody", "the-app's", "aura_db");
    let run = workspace.with("DATABASE_URL", &url).verify().exits(3);
    assert_eq!(run.with_status("fail"), ["role"]);
    let unknown = run.with_status("skip").len() + run.with_status("pass").len() + 1;
    assert_eq!(unknown, pg_schema::CHECKS.len(), "what cannot be known is said to be skipped");
}

#[test]
fn no_server_is_exit_code_4() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    drop(cluster);
    let run = workspace.run(&["db-verify", "--wait", "0"]).exits(4).never_says("the-app's");
    assert_eq!(run.stdout, "");
    run.complains("127.0.0.1");
}

#[test]
fn f28_the_verdict_is_the_apps_own_view_and_the_whole_catalog() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql("aura_db", "REASSIGN OWNED BY aura_user TO other");
    // What the documented check shows: nothing at all.
    let shown = workspace.value("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'aura'");
    assert_eq!(shown, "0");
    let hidden = workspace.value("SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'aura'");
    assert_eq!(hidden, "0");

    let run = workspace.verify().exits(3);
    let tables = run.json()["summary"]["tables"].clone();
    assert_eq!(tables, 25);
    assert_eq!(
        run.with_status("fail"),
        ["schema-privileges", "table-privileges", "sequence-privileges", "default-privileges", "ownership"]
    );
    workspace.run(&["db-setup"]).exits(0);
    workspace.verify().exits(0);
    assert_eq!(workspace.value("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'aura'"), "25");
    seen(&format!(
        "the documented check shows {shown} tables, db-verify {tables}: {}",
        run.message("schema-privileges")
    ));
}
