//! `db-psql`: psql on the app's database, its password in no process list.

use std::{fs, process::Stdio, thread, time::Duration};

use tests::{Cluster, Workspace};

#[test]
fn arguments_and_exit_codes_are_psqls_own() {
    let (_cluster, workspace) = Cluster::set_up();
    let run = workspace.run(&["db-psql", "--", "-X", "-Atc", "SELECT 1, current_user, current_schema()"]).exits(0);
    assert_eq!(run.line(), "1|aura_user|aura");
    workspace
        .run(&["db-psql", "--", "-X", "-v", "ON_ERROR_STOP=1", "-c", "SELECT nonsense"])
        .exits(1)
        .shows("error-of-psql");
}

#[test]
fn the_users_own_libpq_variables_do_not_lead_astray() {
    let (_cluster, workspace) = Cluster::set_up();
    let workspace = workspace.with("PGDATABASE", "postgres").with("PGUSER", "postgres").with("PGAPPNAME", "mine");
    let run = workspace.run(&["db-psql", "--", "-X", "-Atc", "SELECT current_user, current_database()"]).exits(0);
    assert_eq!(run.line(), "aura_user|aura_db");
}

#[test]
fn no_password_is_in_the_process_list() {
    let cluster = Cluster::start();
    let password = "Zq7-only-this-test-has-it";
    let workspace = Workspace::on(&cluster).with("DATABASE_URL", &cluster.url("aura_user", password, "aura_db"));
    workspace.run(&["db-setup"]).exits(0);
    let mut command = workspace.command(&["db-psql", "--", "-X", "-Atc", "SELECT pg_sleep(600), 4711"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // From its start until psql has sent its query, which the server then cancels.
    let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
                  WHERE query = 'SELECT pg_sleep(600), 4711' AND state = 'active'";
    let mut psql = false;
    for attempt in 0.. {
        for line in command_lines() {
            assert!(!line.contains(password), "the password is in a command line");
            psql |= line.contains("pg_sleep(600), 4711") && line.split('\0').next().unwrap().ends_with("psql");
        }
        if psql && cluster.value("postgres", cancel) == "1" {
            break;
        }
        assert!(attempt < 3000 && child.try_wait().unwrap().is_none(), "psql sends its query");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(child.wait().unwrap().code(), Some(1), "as psql ends when its query is cancelled");
}

#[test]
fn without_psql_it_says_where_to_get_it() {
    let (_cluster, workspace) = Cluster::set_up();
    workspace.with("PATH", "/nowhere").run(&["db-psql"]).exits(1).shows("no-psql").never_says("the-app's");
}

/// The command lines of all processes, with a zero byte after each argument.
fn command_lines() -> impl Iterator<Item = String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|process| {
        let line = fs::read(process.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).into_owned())
    })
}
