//! `db-psql`: psql on the app's database, its password in no process list.

use std::{fs, process::Stdio, thread, time::Duration};

use tests::{Cluster, Run, Workspace};

#[test]
fn arguments_and_exit_codes_are_psqls_own() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    let run = workspace.run(&["db-psql", "--", "-X", "-Atc", "SELECT 1, current_user, current_schema()"]).exits(0);
    assert_eq!(run.line(), "1|aura_user|aura");
    workspace
        .run(&["db-psql", "--", "-X", "-v", "ON_ERROR_STOP=1", "-c", "SELECT nonsense"])
        .exits(1)
        .complains("nonsense");
}

#[test]
fn the_users_own_libpq_variables_do_not_lead_astray() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
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
    let mut command = workspace.command(&["db-psql", "--", "-X", "-Atc", "SELECT pg_sleep(1), 4711"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut seen, mut psql) = (false, false);
    for _ in 0..40 {
        for line in command_lines() {
            seen |= line.contains(password);
            psql |= line.contains("pg_sleep(1), 4711") && line.split('\0').next().unwrap().ends_with("psql");
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert!(psql, "psql ran, and was looked at");
    assert!(!seen, "the password stood in a command line");
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "|4711\n");
}

#[test]
fn without_psql_it_says_where_to_get_it() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    let run: Run = workspace.with("PATH", "/nowhere").run(&["db-psql"]).exits(1);
    run.complains("postgresql-client").never_says("the-app's");
}

/// The command lines of all processes, their arguments parted by zero bytes.
fn command_lines() -> impl Iterator<Item = String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|process| {
        let line = fs::read(process.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).into_owned())
    })
}
