//! What other people's settings, locks and processes must not break.

use std::{process::Stdio, time::Instant};

use tests::{Cluster, Rung, Workspace, seen};

#[test]
fn settings_of_the_role_do_not_make_one_server_two() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    cluster.sql(
        "postgres",
        "ALTER ROLE aura_user SET timezone = 'Asia/Tokyo'; ALTER ROLE aura_user SET datestyle = 'German';
         ALTER DATABASE aura_db SET extra_float_digits = 0",
    );
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
    workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(0);
}

#[test]
fn a_reset_survives_an_administrator_in_the_apps_own_database() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    let inside = cluster.superuser().with_database("aura_db").url();
    let workspace = workspace.with("ADMIN_DATABASE_URL", &inside);
    let run = workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(0);
    assert!(run.stderr.contains("dropped database aura_db"), "{}", run.stderr);
    workspace.verify().exits(0);

    // The app itself, kept out of `postgres`.
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
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    let elsewhere = cluster.superuser().with_database("template1").url();
    let slow = Workspace::on(&cluster).with("MIGRATE_COMMAND", "touch begun; sleep 3; touch ended");
    let mut first = slow.command(&["db-migrate"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !slow.root().join("begun").exists() {
        assert!(first.try_wait().unwrap().is_none(), "the slow migration ended before it began");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let second = workspace.with("ADMIN_DATABASE_URL", &elsewhere).run(&["db-setup"]).exits(0);
    assert!(slow.root().join("ended").exists(), "the second setup did not wait for the first");
    assert!(first.wait().unwrap().success());
    seen(&format!("from postgres and from template1: {}", second.said("waiting for another setup")));
}

#[test]
fn a_slow_migration_outlives_idle_session_timeout() {
    // 13 knows no such setting.
    if [Rung::Local(Some(13)), Rung::Container(13)].contains(&Rung::named()) {
        return;
    }
    let cluster = Cluster::start_with(&[("idle_session_timeout", "300ms")]);
    let workspace = Workspace::on(&cluster);
    let command = format!("sleep 1; {}", workspace.setting("MIGRATE_COMMAND"));
    let workspace = workspace.with("MIGRATE_COMMAND", &command);
    workspace.run(&["db-setup"]).exits(0);

    // The app as its own administrator, whose lock can only lie in its own database.
    cluster.sql("postgres", "REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC");
    workspace.without("ADMIN_DATABASE_URL").run(&["db-migrate"]).exits(0);
}

#[test]
fn somebody_elses_lock_is_an_error_that_names_the_statement() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    cluster.sql("aura_db", "ALTER TABLE aura.notes_note OWNER TO postgres");
    let mut reader = pg_config::connect(&cluster.superuser().with_database("aura_db")).unwrap();
    reader.client.batch_execute("BEGIN; SELECT FROM aura.notes_note").unwrap();
    workspace
        .run(&["db-setup"])
        .exits(1)
        .complains("55P03")
        .complains("ALTER TABLE aura.notes_note OWNER TO aura_user");
    drop(reader);
    workspace.run(&["db-setup"]).exits(0);
}

#[test]
fn what_the_migrate_command_leaves_running_is_not_waited_for() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    let command = format!("sleep 60 & echo $! > left; {}", workspace.setting("MIGRATE_COMMAND"));
    let workspace = workspace.with("MIGRATE_COMMAND", &command);
    let started = Instant::now();
    workspace.run(&["db-setup"]).exits(0);
    assert!(started.elapsed().as_secs() < 50, "it waited for the process that was left");
    let left = std::fs::read_to_string(workspace.root().join("left")).unwrap();
    assert!(
        std::process::Command::new("sh").args(["-c", &format!("kill {}", left.trim())]).status().unwrap().success()
    );
}

#[test]
fn the_apps_own_variables_reach_its_migrations_and_the_administrators_do_not() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).with("DB_POOL_SIZE", "5").with("MIGRATE_COMMAND", "env; false");
    let run = workspace.run(&["db-setup"]).exits(1).complains("DB_POOL_SIZE=5");
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
