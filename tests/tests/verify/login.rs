//! What prevents the app's login.

use crate::case::{CASE, Case, Fix, Setup, cases, set_up};

/// The case is made in another database: the app's own is dropped or closed.
const AWAY: Case = Case { at: "postgres", ..CASE };

cases! {
    mod refused_login;

    fn database_was_dropped() = Case {
        breaks: "DROP DATABASE aura_db",
        fails: &["database"],
        fix: Fix::Command(&["db-setup"]),
        ..AWAY
    };

    fn password_was_changed() = Case {
        breaks: "ALTER ROLE aura_user PASSWORD 'another'",
        fails: &["role"],
        fix: Fix::Command(&["db-setup", "--set-password"]),
        setup: Setup::Refuses,
        ..AWAY
    };

    fn role_without_login() = Case {
        breaks: "ALTER ROLE aura_user NOLOGIN",
        fails: &["role"],
        fix: Fix::Command(&["db-setup"]),
        ..AWAY
    };

    fn role_without_connect() = Case {
        breaks: "REVOKE CONNECT ON DATABASE aura_db FROM PUBLIC, aura_user",
        fails: &["database"],
        ..AWAY
    };

    fn database_without_connections() = Case {
        breaks: "ALTER DATABASE aura_db ALLOW_CONNECTIONS false",
        fails: &["database"],
        fix: Fix::ByHand,
        setup: Setup::Refuses,
        ..AWAY
    };
}

#[test]
fn a_role_that_does_not_exist_is_a_finding() {
    let (cluster, workspace) = set_up(&CASE);
    let url = cluster.url("somebody", "the-app's", "aura_db");
    let run = workspace.with("DATABASE_URL", &url).verify().exits(3);
    assert_eq!(run.with_status("fail"), ["role"]);
    let unknown = run.with_status("skip").len() + run.with_status("pass").len() + 1;
    assert_eq!(unknown, pg_schema::CHECKS.len(), "what cannot be known is said to be skipped");
}

#[test]
fn no_server_is_exit_code_4() {
    let (cluster, workspace) = set_up(&CASE);
    drop(cluster);
    workspace.run(&["db-verify", "--wait", "0"]).exits(4).never_says("the-app's").shows("no-server");
}

#[test]
fn f28_the_verdict_is_the_apps_own_view_and_the_whole_catalog() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("aura_db", "REASSIGN OWNED BY aura_user TO other");
    // What the documented check shows: nothing.
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
}

/// What ends a session in the middle says nothing of the path.
#[test]
fn a_session_that_ends_while_a_table_is_tried_is_no_finding() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        "CREATE FUNCTION public.ends() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
             AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$;
         CREATE EVENT TRIGGER ends ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.ends()",
    );
    // Whether the server's last words arrive is not ours to say.
    workspace.run(&["db-verify"]).exits(1).complains("statement: CREATE TABLE");
    workspace.verify().exits(1);
}
