//! Setups at the same time: one lock, one role, one database.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use pg_config::Session;
use tests::{Cluster, Run, Rung, Workspace, shows};

use crate::state;

fn eight(workspace: &Workspace) -> Vec<Run> {
    thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| workspace.run(&["db-setup"]))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    })
}

#[track_caller]
fn all_succeed(runs: Vec<Run>) {
    for run in runs {
        run.exits(0);
    }
}

#[test]
fn f35_eight_at_once_on_an_empty_server() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    all_succeed(eight(&workspace));
    assert_eq!(cluster.inventory(), "database aura_db, role aura_user");
    state::assert_complete(&workspace, "eight at once");
    let applied = "SELECT pg_catalog.string_agg(version::text, ',' ORDER BY version) FROM aura.refinery_schema_history";
    assert_eq!(cluster.value("aura_db", applied), "1,2");
}

#[test]
fn f35_eight_at_once_without_an_administrator() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE aura_user LOGIN CREATEDB PASSWORD 'the-app''s'");
    let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
    all_succeed(eight(&workspace));
    state::assert_complete(&workspace, "eight at once");
}

#[test]
fn an_interrupted_setup_is_finished_by_the_next() {
    let cluster = Cluster::start();
    let waits = "touch begun; while [ ! -e go ]; do sleep 0.02; done; exit 1";
    let stops = Workspace::on(&cluster).with("MIGRATE_COMMAND", waits);
    let interrupted = |is_time: &dyn Fn() -> bool| {
        let mut child = stops.command(&["db-setup", "-q"]).spawn().unwrap();
        poll(is_time);
        child.kill().unwrap();
        child.wait().unwrap();
    };
    // At any moment, then once the role is there, the database, and in the migrations.
    for pause in [0, 15, 30, 45, 60, 80, 100, 130] {
        let begun = Instant::now();
        interrupted(&|| begun.elapsed() >= Duration::from_millis(pause));
    }
    for made in ["role aura_user", "database aura_db"] {
        interrupted(&|| cluster.inventory().contains(made));
    }
    let _ = std::fs::remove_file(stops.root().join("begun"));
    interrupted(&|| stops.root().join("begun").exists());
    // The killed run's migrate command ends, too.
    stops.write("go", "");
    assert_eq!(cluster.value("aura_db", "SELECT coalesce(to_regclass('aura.notes_note')::text, 'missing')"), "missing");

    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(cluster.inventory(), "database aura_db, role aura_user");
    state::assert_complete(&workspace, "after interruptions");
}

#[test]
fn f35_eight_at_once_without_a_server() {
    let workspace = Workspace::new();
    all_succeed(eight(&workspace));
    let servers = match Rung::named() {
        Rung::Local(_) => postmasters(workspace.root()),
        Rung::Container(_) => workspace.containers("{{.Names}}").len(),
    };
    assert_eq!(servers, 1);
    state::assert_complete(&workspace, "eight at once");
}

/// How many servers run with their data in this directory.
fn postmasters(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap());
    entries
        .map(|entry| match entry.file_type().unwrap().is_dir() {
            true => postmasters(&entry.path()),
            false => usize::from(entry.file_name() == "postmaster.pid"),
        })
        .sum()
}

#[test]
fn f35_eight_workspaces_share_a_role() {
    let cluster = Cluster::start();
    let workspaces: Vec<_> = (0..8)
        .map(|number| {
            let url = cluster.url("aura_user", "the-app's", &format!("aura_{number}"));
            Workspace::on(&cluster).with("DATABASE_URL", &url)
        })
        .collect();
    let runs = thread::scope(|scope| {
        let runs: Vec<_> = workspaces.iter().map(|one| scope.spawn(|| one.run(&["db-setup"]))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    all_succeed(runs);
    for workspace in &workspaces {
        state::assert_complete(workspace, "eight databases of one role");
    }
}

/// Holds the setup's lock for as long as the session lives.
fn holder(cluster: &Cluster) -> Session {
    let mut session = pg_config::connect(&cluster.superuser()).unwrap();
    session.client.batch_execute("SELECT pg_catalog.pg_advisory_lock(1885810035, 1667786093)").unwrap();
    session
}

#[test]
fn a_lock_that_is_held_is_waited_for_and_its_holder_named() {
    let cluster = Cluster::start();
    let held = holder(&cluster);
    let before = (cluster.globals(), cluster.inventory());
    let workspace = Workspace::on(&cluster);
    let started = Instant::now();
    workspace.run(&["db-setup", "--lock-wait", "1"]).exits(1);
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    let setup = workspace.run(&["db-setup", "--lock-wait", "0"]).exits(1);
    assert_eq!((cluster.globals(), cluster.inventory()), before);
    drop(held);
    workspace.run(&["db-setup", "--lock-wait", "1"]).exits(0);
    // The other commands that write take the same lock.
    let held = holder(&cluster);
    let before = cluster.dump("aura_db");
    let migrate = workspace.run(&["db-migrate", "--lock-wait", "0"]).exits(1);
    let reset = workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1", "--lock-wait", "0"]).exits(1);
    assert_eq!(cluster.dump("aura_db"), before);
    shows("held-lock", &(setup.screen() + &migrate.screen() + &reset.screen()));
    drop(held);
}

#[test]
fn a_released_lock_is_taken() {
    let cluster = Cluster::start();
    let mut held = holder(&cluster);
    let pid: i32 = held.client.query_one("SELECT pg_catalog.pg_backend_pid()", &[]).unwrap().get(0);
    let workspace = Workspace::on(&cluster);
    let mut setup = workspace.command(&["db-setup"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // The setup names the process that it waits for.
    let line = line_with(&mut setup, &pid.to_string());
    shows("waiting", &line);
    assert!(setup.try_wait().unwrap().is_none());
    drop(held);
    assert!(setup.wait().unwrap().success());
}

/// Whoever held the lock before may have reset the database: the sessions from before the lock have ended.
#[test]
fn what_was_seen_before_the_lock_is_looked_at_again() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    let path = "ALTER ROLE aura_user IN DATABASE aura_db SET search_path =";
    for command in [&["db-setup"][..], &["db-migrate"], &["db-verify", "--fix"]] {
        cluster.sql("aura_db", &format!("{path} public"));
        let mut held = holder(&cluster);
        let pid: i32 = held.client.query_one("SELECT pg_catalog.pg_backend_pid()", &[]).unwrap().get(0);
        let mut waiting = workspace.command(command).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let _ = line_with(&mut waiting, &pid.to_string());
        cluster.sql("aura_db", &format!("{path} aura, public"));
        cluster.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'aura_user'");
        drop(held);
        assert!(waiting.wait().unwrap().success(), "{command:?}");
    }
}

#[test]
fn what_is_seen_in_the_middle_of_a_setup_is_no_finding() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    for (breaks, ends) in [
        ("ALTER SCHEMA aura RENAME TO other", "ALTER SCHEMA other RENAME TO aura"),
        ("ALTER ROLE aura_user NOLOGIN", "ALTER ROLE aura_user LOGIN"),
    ] {
        let mut held = holder(&cluster);
        held.client.batch_execute("SET application_name = 'cargo xtask db-reset'").unwrap();
        cluster.sql("aura_db", breaks);
        let mut verify =
            workspace.command(&["db-verify"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let line = line_with(&mut verify, "cargo xtask db-reset");
        shows("verify-beside-a-reset", &line);
        let verdict = workspace.run(&["db-verify", "--lock-wait", "0"]).exits(1);
        shows("verify-that-does-not-wait", &verdict.screen());
        cluster.sql("aura_db", ends);
        drop(held);
        assert!(verify.wait().unwrap().success(), "{breaks}");
    }
}

/// A migration that waits behind a table's lock says nothing by itself.
#[test]
fn who_holds_a_lock_in_front_of_the_migrations_is_named() {
    let cluster = Cluster::start_with(&[("max_prepared_transactions", "1")]);
    let change = "psql -X -q -v ON_ERROR_STOP=1 -c 'ALTER TABLE aura.tag ADD note text'";
    let workspace = Workspace::on(&cluster).with("MIGRATE_COMMAND", change);
    let table = "CREATE TABLE aura.tag (id int); ALTER TABLE aura.tag OWNER TO aura_user";
    workspace.run(&["db-setup"]).exits(1);
    cluster.sql("aura_db", table);
    for ends in ["ROLLBACK", "PREPARE TRANSACTION 'forgotten'"] {
        let mut holder = pg_config::connect(&pg_config::ConnInfo {
            database: "aura_db".to_owned(),
            application_name: Some("report".to_owned()),
            ..cluster.superuser()
        })
        .unwrap();
        let lock = "BEGIN; LOCK TABLE aura.tag; SELECT 'of role x PASSWORD s3cret'";
        holder.client.batch_execute(lock).unwrap();
        let is_prepared = ends.starts_with("PREPARE");
        if is_prepared {
            holder.client.batch_execute(ends).unwrap();
        }
        let mut migrate =
            workspace.command(&["db-migrate"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let line = line_with(&mut migrate, "waiting for a lock of");
        assert!(!line.contains("s3cret"), "{line}");
        shows(if is_prepared { "prepared-transaction-in-front" } else { "lock-in-front" }, &line);
        assert!(migrate.try_wait().unwrap().is_none());
        holder.client.batch_execute(if is_prepared { "ROLLBACK PREPARED 'forgotten'" } else { ends }).unwrap();
        assert!(migrate.wait().unwrap().success());
        cluster.sql("aura_db", "ALTER TABLE aura.tag DROP note");
    }
}

/// A verdict does not wait for ever for what somebody has locked: that is an error, and no finding.
#[test]
fn a_locked_catalog_is_an_error_within_bounds() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    let mut holder = pg_config::connect(&cluster.superuser().with_database("aura_db")).unwrap();
    holder.client.batch_execute("BEGIN; LOCK TABLE pg_catalog.pg_extension").unwrap();
    let run = workspace.run(&["db-verify"]).exits(1).shows("locked-catalog");
    assert!(run.stderr.contains("55P03"), "{}", run.stderr);
}

/// The first line of a process's stderr that holds this text. The rest of stderr is read, too.
fn line_with(process: &mut Child, text: &str) -> String {
    let mut stderr = BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "no line with {text}");
    }
    thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    line
}

/// Waits until this is so.
pub(crate) fn poll(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it did not come to that");
        thread::sleep(Duration::from_millis(5));
    }
}
