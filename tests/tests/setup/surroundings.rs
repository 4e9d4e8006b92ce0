//! Settings, locks and processes of others, which must break nothing.

use std::{process::Stdio, thread};

use tests::{Cluster, Rung, Workspace};

use crate::{concurrency::poll, state};

#[test]
fn settings_of_the_role_do_not_make_one_server_two() {
    let (cluster, workspace) = state::set_up();
    cluster.sql(
        "postgres",
        "ALTER ROLE aura_user SET timezone = 'Asia/Tokyo'; ALTER ROLE aura_user SET datestyle = 'German';
         ALTER DATABASE aura_db SET extra_float_digits = 0",
    );
    workspace.run(&["db-setup"]).exits(0).shows("settings-of-the-role");
    workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(0);
}

#[test]
fn a_reset_survives_an_administrator_in_the_apps_own_database() {
    let (cluster, workspace) = state::set_up();
    let inside = cluster.superuser().with_database("aura_db").url();
    let workspace = workspace.with("ADMIN_DATABASE_URL", &inside);
    let oid = "SELECT oid FROM pg_database WHERE datname = 'aura_db'";
    let before = cluster.value("postgres", oid);
    workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(0);
    assert_ne!(cluster.value("postgres", oid), before);
    workspace.verify().exits(0);

    // The app itself, which may not connect to `postgres`.
    cluster.sql(
        "postgres",
        "ALTER DATABASE aura_db OWNER TO aura_user; ALTER ROLE aura_user CREATEDB; REVOKE CONNECT ON DATABASE postgres FROM PUBLIC",
    );
    let workspace = workspace.without("ADMIN_DATABASE_URL");
    workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(0);
    workspace.verify().exits(0);
}

#[test]
fn f35_administrators_of_any_database_exclude_each_other() {
    let (cluster, workspace) = state::set_up();
    let elsewhere = cluster.superuser().with_database("template1").url();
    let command = "touch begun; while [ ! -e go ]; do sleep 0.02; done; touch ended";
    let slow = Workspace::on(&cluster).with("MIGRATE_COMMAND", command);
    let mut first = slow.command(&["db-migrate"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    poll(|| slow.root().join("begun").exists());
    let workspace = workspace.with("ADMIN_DATABASE_URL", &elsewhere);
    thread::scope(|scope| {
        let second = scope.spawn(|| workspace.run(&["db-setup"]));
        // It asks for the lock, again and again.
        let asking = "SELECT count(*) > 0 FROM pg_stat_activity \
                      WHERE query LIKE '%pg_try_advisory_lock%' AND pid <> pg_backend_pid() \
                      AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')";
        poll(|| cluster.value("postgres", asking) == "t");
        assert!(!second.is_finished() && !slow.root().join("ended").exists());
        slow.write("go", "");
        second.join().unwrap().exits(0);
    });
    assert!(slow.root().join("ended").exists(), "the second setup did not wait for the first");
    assert!(first.wait().unwrap().success());
}

#[test]
fn a_slow_migration_outlives_idle_session_timeout() {
    // 13 knows no such setting.
    if [Rung::Local(Some(13)), Rung::Container(13)].contains(&Rung::named()) {
        return;
    }
    // The command outlives the timeout. A busy machine's sessions do not.
    let cluster = Cluster::start_with(&[("idle_session_timeout", "1500ms")]);
    let workspace = Workspace::on(&cluster);
    let command = format!("sleep 2; {}", workspace.setting("MIGRATE_COMMAND"));
    let workspace = workspace.with("MIGRATE_COMMAND", &command);
    workspace.run(&["db-setup"]).exits(0);

    // The app as its own administrator, whose lock can only lie in its own database.
    cluster.sql("postgres", "REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC");
    workspace.without("ADMIN_DATABASE_URL").run(&["db-migrate"]).exits(0);
}

#[test]
fn the_lock_of_another_session_is_an_error_that_names_the_statement() {
    let (cluster, workspace) = state::set_up();
    cluster.sql("aura_db", "ALTER TABLE aura.notes_note OWNER TO postgres");
    let mut reader = pg_config::connect(&cluster.superuser().with_database("aura_db")).unwrap();
    reader.client.batch_execute("BEGIN; SELECT FROM aura.notes_note").unwrap();
    workspace.run(&["db-setup"]).exits(1).complains("55P03").shows("locked-table");
    drop(reader);
    workspace.run(&["db-setup"]).exits(0);
}

#[test]
fn setup_does_not_wait_for_a_process_that_the_migrate_command_left() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    let command = format!("sleep 600 & echo $! > left; {}", workspace.setting("MIGRATE_COMMAND"));
    let workspace = workspace.with("MIGRATE_COMMAND", &command);
    workspace.run(&["db-setup"]).exits(0);
    // The process is still there.
    let left = std::fs::read_to_string(workspace.root().join("left")).unwrap();
    assert!(
        std::process::Command::new("sh")
            .args(["-c", &format!("kill -KILL {}", left.trim())])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn the_apps_own_variables_reach_its_migrations_and_the_administrators_do_not() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).with("DB_POOL_SIZE", "5").with("MIGRATE_COMMAND", "env; false");
    let run = workspace.run(&["db-setup"]).exits(1);
    assert!(run.stderr.lines().any(|line| line.ends_with(" DB_POOL_SIZE=5")), "{}", run.stderr);
    run.never_says("ADMIN_DATABASE_URL=").never_says("DB_DATA_DIR=");
}

#[test]
fn extensions_bring_those_that_they_need() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).with("DB_EXTENSIONS", "earthdistance");
    workspace.run(&["db-setup"]).exits(0);
    let found = "SELECT string_agg(extname || ' ' || extnamespace::regnamespace, ', ' ORDER BY 1) FROM pg_extension WHERE extname <> 'plpgsql'";
    assert_eq!(cluster.value("aura_db", found), "cube public, earthdistance public");
}
