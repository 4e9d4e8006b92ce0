//! `db-reset`: its guards, and what is left when it is done.

use std::{
    io::Write as _,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::Instant,
};

use tests::{Cluster, Passage, Proxy, Sender, Workspace, shows};

use crate::{concurrency::poll, signals::at_a_terminal, state};

const ROWS: &str = "SELECT pg_catalog.count(*) FROM aura.artworks_artist";

fn set_up_with_data() -> (Cluster, Workspace) {
    let (cluster, workspace) = state::set_up();
    cluster.sql("aura_db", "SET ROLE aura_user; CREATE TABLE aura.kept (id int); INSERT INTO aura.kept VALUES (1)");
    (cluster, workspace)
}

#[test]
fn the_guards_hold() {
    let (cluster, workspace) = set_up_with_data();
    let before = cluster.dump("aura_db");
    let mut screens = String::new();
    for arguments in [
        &["db-reset"][..],
        &["db-reset", "--yes"],
        &["db-reset", "--host", "127.0.0.1"],
        &["db-reset", "--yes", "--host", "localhost"],
        &["db-reset", "--yes", "--host", "db.example.org"],
    ] {
        screens += &workspace.run(arguments).exits(1).screen();
        assert_eq!(cluster.dump("aura_db"), before, "{arguments:?}");
    }
    shows("guards", &screens);
}

#[test]
fn a_person_is_told_what_will_be_lost() {
    let (cluster, workspace) = set_up_with_data();
    let mut open = pg_config::connect(&cluster.superuser().with_database("aura_db")).unwrap();
    let oid = "SELECT oid FROM pg_database WHERE datname = 'aura_db'";
    let before = cluster.value("postgres", oid);
    let size = cluster.value("postgres", "SELECT pg_size_pretty(pg_database_size('aura_db'))");
    for (answer, code) in [("n", 1), ("", 1), ("y", 0)] {
        let mut child = at_a_terminal(&workspace, "db-reset --host 127.0.0.1");
        child.stdin.take().unwrap().write_all(format!("{answer}\n").as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let place = format!("drop database aura_db on 127.0.0.1:{}", cluster.port());
        assert!(said.contains(&format!("{place} (26 tables, {size}, 1 session)? [y/N] ")), "{said}");
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(said.contains("nothing dropped"), code == 1, "{said}");
        assert_eq!(cluster.value("postgres", oid) == before, code == 1, "{said}");
    }
    assert!(open.client.simple_query("SELECT 1").is_err());
}

#[test]
fn the_servers_own_databases_are_refused() {
    let cluster = Cluster::start();
    let mut screens = String::new();
    for database in ["postgres", "template0", "template1"] {
        let workspace = Workspace::on(&cluster).with("DATABASE_URL", &cluster.url("aura_user", "x-y-z", database));
        let oid = format!("SELECT oid FROM pg_database WHERE datname = '{database}'");
        let before = cluster.value("postgres", &oid);
        screens += &workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(1).screen();
        assert_eq!(cluster.value("postgres", &oid), before);
    }
    shows("databases-of-the-server", &screens);
}

#[test]
fn f32_a_plain_url_really_empties() {
    let (cluster, workspace) = set_up_with_data();
    let url = cluster.url("aura_user", "the-app's", "aura_db");
    assert!(!url.contains("options"));
    let oid = "SELECT oid FROM pg_database WHERE datname = 'aura_db'";
    let before = cluster.value("postgres", oid);
    // Another session is idle in a transaction.
    let mut open = pg_config::connect(&cluster.superuser().with_database("aura_db")).unwrap();
    open.client.batch_execute("BEGIN; SELECT * FROM aura.kept").unwrap();
    workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(0).shows("dropped-database");
    assert!(open.client.simple_query("SELECT 1").is_err());
    assert_ne!(cluster.value("postgres", oid), before);
    assert_eq!(cluster.value("aura_db", "SELECT coalesce(pg_catalog.to_regclass('aura.kept')::text, 'gone')"), "gone");
    assert_eq!(cluster.value("aura_db", ROWS), "0");
    state::assert_complete(&workspace, "after a reset");
    assert_eq!(cluster.inventory(), "database aura_db, role aura_user");
}

#[test]
fn a_database_that_is_not_there_is_set_up() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(0).shows("no-database");
    state::assert_complete(&workspace, "reset from nothing");
}

#[test]
fn a_server_of_its_own_needs_a_yes_alone() {
    let workspace = Workspace::new();
    workspace.run(&["db-setup"]).exits(0);
    workspace.run(&["db-psql", "--", "-X", "-q", "-c", "CREATE TABLE kept (id int)"]).exits(0);
    workspace.run(&["db-reset"]).exits(1).shows("no-yes");
    assert_eq!(workspace.value("SELECT pg_catalog.to_regclass('aura.kept') IS NOT NULL"), "t");
    workspace.run(&["db-reset", "--yes"]).exits(0);
    assert_eq!(workspace.value("SELECT pg_catalog.to_regclass('aura.kept') IS NOT NULL"), "f");
    state::assert_complete(&workspace, "reset on a server of its own");
}

#[test]
fn without_the_right_to_drop_nothing_is_lost() {
    let (cluster, workspace) = set_up_with_data();
    let before = cluster.dump("aura_db");
    // The app's role may create in the database, and does not own it.
    let alone = workspace.without("ADMIN_DATABASE_URL");
    alone.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(1).shows("no-right-to-drop");
    assert_eq!(cluster.dump("aura_db"), before);
}

#[test]
fn an_administrator_without_the_right_to_make_databases_loses_nothing() {
    let (cluster, workspace) = set_up_with_data();
    cluster.sql("postgres", "CREATE ROLE dba LOGIN PASSWORD 'managed'; ALTER DATABASE aura_db OWNER TO dba");
    let before = cluster.dump("aura_db");
    let workspace = workspace.with("ADMIN_DATABASE_URL", &cluster.url("dba", "managed", "postgres"));
    workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(1).shows("no-right-to-create");
    assert_eq!(cluster.dump("aura_db"), before);
}

#[test]
fn an_administrator_who_may_not_end_the_apps_sessions_waits_for_their_end() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'managed'");
    let workspace = Workspace::on(&cluster).with("ADMIN_DATABASE_URL", &cluster.url("dba", "managed", "postgres"));
    workspace.run(&["db-setup"]).exits(0);
    // Like sessions of earlier commands, which the server ends a moment later.
    let app = tests::connection(&cluster.url("aura_user", "the-app's", "aura_db"));
    let mut ending = pg_config::connect(&app).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || ending.client.batch_execute("SELECT pg_catalog.pg_sleep(1)").unwrap());
        workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(0);
    });
    state::assert_complete(&workspace, "reset by a managed administrator");
}

#[test]
fn an_owner_without_the_right_to_make_databases_loses_nothing() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE aura_user LOGIN PASSWORD 'the-app''s'");
    cluster.sql("postgres", "CREATE DATABASE aura_db OWNER aura_user");
    let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
    workspace.run(&["db-setup"]).exits(0);
    let before = cluster.dump("aura_db");
    // It could drop the database, and never make it again.
    workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(1).shows("owner-without-createdb");
    assert_eq!(cluster.dump("aura_db"), before);
}

const RESET: [&str; 4] = ["db-reset", "--yes", "--host", "127.0.0.1"];

/// What the database before a reset is called until the new one is complete.
const ASIDE: &str = "aura_db_before_reset";

/// All that belongs to a database's name rather than to what lies in it.
fn properties(cluster: &Cluster) -> String {
    cluster.value("postgres", include_str!("properties.sql"))
}

/// The data of [`set_up_with_data`] are there, in a database that serves, and nothing is left of any reset.
#[track_caller]
fn assert_as_before(cluster: &Cluster, workspace: &Workspace, situation: &str) {
    assert_eq!(cluster.inventory(), "database aura_db, role aura_user", "{situation}");
    assert_eq!(
        cluster.value("aura_db", "SELECT pg_catalog.string_agg(id::text, ',') FROM aura.kept"),
        "1",
        "{situation}"
    );
    let limit = "SELECT datallowconn, datconnlimit FROM pg_catalog.pg_database WHERE datname = 'aura_db'";
    assert_eq!(cluster.value("postgres", &limit.replace(", ", "::text || ")), "true-1", "{situation}");
    workspace.run(&["db-verify"]).exits(0);
}

#[test]
fn migrations_that_fail_leave_the_database_from_before() {
    let (cluster, workspace) = set_up_with_data();
    cluster.sql("postgres", "COMMENT ON DATABASE aura_db IS 'ours'");
    let before = (cluster.dump("aura_db"), properties(&cluster));
    let failing = Workspace::on(&cluster).with("MIGRATE_COMMAND", "exit 7");
    failing.run(&RESET).exits(1).shows("failing-migrations");
    assert_eq!((cluster.dump("aura_db"), properties(&cluster)), before);
    assert_as_before(&cluster, &workspace, "after migrations that fail");
}

#[test]
fn findings_leave_the_database_from_before() {
    let (cluster, workspace) = set_up_with_data();
    let before = cluster.dump("aura_db");
    let command = format!(
        "{} && psql -X -q -c 'CREATE TABLE aura.t (id int); ALTER TABLE aura.t DISABLE ROW LEVEL SECURITY; CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.t ()'",
        workspace.setting("MIGRATE_COMMAND")
    );
    Workspace::on(&cluster).with("MIGRATE_COMMAND", &command).run(&RESET).exits(3).shows("findings");
    assert_eq!(cluster.dump("aura_db"), before);
    assert_as_before(&cluster, &workspace, "after findings");
}

#[test]
fn what_would_refuse_is_found_before_anything_changes() {
    let cluster =
        Cluster::start_with(&[("wal_level", "logical"), ("max_wal_senders", "4"), ("max_prepared_transactions", "2")]);
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    let before = (cluster.dump("aura_db"), properties(&cluster));
    let mut open = pg_config::connect(&cluster.superuser().with_database("aura_db")).unwrap();
    let mut screens = String::new();
    for (refuses, back) in [
        ("BEGIN; CREATE TABLE aura.t (); PREPARE TRANSACTION 'held'", "ROLLBACK PREPARED 'held'"),
        (
            "SELECT pg_catalog.pg_create_logical_replication_slot('outward', 'pgoutput')",
            "SELECT pg_catalog.pg_drop_replication_slot('outward')",
        ),
        (
            "CREATE SUBSCRIPTION inward CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)",
            "DROP SUBSCRIPTION inward",
        ),
        ("ALTER DATABASE aura_db IS_TEMPLATE true", "ALTER DATABASE aura_db IS_TEMPLATE false"),
        (
            "ALTER ROLE aura_user SET default_transaction_read_only = on",
            "ALTER ROLE aura_user RESET default_transaction_read_only",
        ),
        ("ALTER ROLE aura_user CONNECTION LIMIT 1", "ALTER ROLE aura_user CONNECTION LIMIT -1"),
        ("ALTER ROLE aura_user PASSWORD 'another'", "ALTER ROLE aura_user PASSWORD 'the-app''s'"),
        ("CREATE DATABASE aura_db_before_reset", "DROP DATABASE aura_db_before_reset"),
    ] {
        cluster.sql("aura_db", refuses);
        screens += &workspace.run(&[&RESET[..], &["--wait", "1"]].concat()).exits(1).screen();
        cluster.sql("aura_db", back);
        assert_eq!((cluster.dump("aura_db"), properties(&cluster)), before, "{refuses}");
        // Nobody was sent away.
        open.client.batch_execute("SELECT").unwrap();
    }
    shows("refused-before", &screens);
    drop(open);
    workspace.run(&RESET).exits(0);
}

#[test]
fn what_people_have_set_on_the_database_is_kept() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE owner; CREATE ROLE reporter; CREATE ROLE other CREATEDB");
    cluster.sql(
        "postgres",
        "CREATE DATABASE aura_db OWNER owner TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'",
    );
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    for statement in [
        "COMMENT ON DATABASE aura_db IS 'the shop''s\nown'",
        "ALTER DATABASE aura_db SET timezone = 'Europe/Paris'",
        r#"ALTER ROLE reporter IN DATABASE aura_db SET search_path = "a b", aura, public"#,
        "ALTER ROLE aura_user IN DATABASE aura_db SET work_mem = '8MB'",
        "REVOKE CONNECT ON DATABASE aura_db FROM PUBLIC",
        "GRANT CONNECT ON DATABASE aura_db TO reporter WITH GRANT OPTION",
        "ALTER DATABASE aura_db CONNECTION LIMIT 77",
    ] {
        cluster.sql("postgres", statement);
    }
    let before = properties(&cluster);
    let oid = "SELECT oid FROM pg_catalog.pg_database WHERE datname = 'aura_db'";
    let old = cluster.value("postgres", oid);
    workspace.run(&RESET).exits(0).shows("kept-properties");
    assert_ne!(cluster.value("postgres", oid), old);
    assert_eq!(properties(&cluster), before);
    workspace.run(&["db-setup"]).exits(0).never_says("aura_user:");
}

/// Runs a reset whose migrations wait until they are let go, and does something meanwhile.
fn reset_while<T>(cluster: &Cluster, meanwhile: impl FnOnce(&mut std::process::Child, &Workspace) -> T) -> T {
    let original = Workspace::on(cluster);
    let command =
        format!("touch begun; while [ ! -e go ]; do sleep 0.02; done; {}", original.setting("MIGRATE_COMMAND"));
    let waits = original.with("MIGRATE_COMMAND", &command);
    let mut child = waits.command(&RESET).stdout(std::process::Stdio::null()).spawn().unwrap();
    poll(|| waits.root().join("begun").exists() || child.try_wait().unwrap().is_some());
    let outcome = meanwhile(&mut child, &waits);
    waits.write("go", "");
    outcome
}

fn kill(child: &mut std::process::Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_reset_that_is_killed_while_it_builds_is_taken_back_by_the_next_command() {
    let (cluster, workspace) = set_up_with_data();
    cluster.sql("postgres", "COMMENT ON DATABASE aura_db IS 'ours'");
    let before = properties(&cluster);
    reset_while(&cluster, |reset, _| kill(reset));
    assert_eq!(cluster.inventory(), format!("database aura_db, database {ASIDE}, role aura_user"));
    workspace.run(&["db-setup"]).exits(0).shows("brought-back");
    assert_as_before(&cluster, &workspace, "killed, then a setup");
    assert_eq!(properties(&cluster), before);
    reset_while(&cluster, |reset, _| kill(reset));
    workspace.run(&RESET).exits(0);
    assert_eq!(cluster.inventory(), "database aura_db, role aura_user");
    assert_eq!(cluster.value("aura_db", "SELECT coalesce(pg_catalog.to_regclass('aura.kept')::text, 'gone')"), "gone");
    assert_eq!(properties(&cluster), before);
    state::assert_complete(&workspace, "killed, then a reset");
}

/// A database with data whose sessions the administrator may not end, as one of them is the superuser's; and that one.
fn set_up_with_a_session_that_stays(is_app_administrator: bool) -> (Cluster, Workspace, pg_config::Session) {
    let (cluster, workspace) = set_up_with_data();
    let workspace = if is_app_administrator {
        cluster.sql("postgres", "ALTER ROLE aura_user CREATEDB; ALTER DATABASE aura_db OWNER TO aura_user");
        workspace.without("ADMIN_DATABASE_URL")
    } else {
        cluster.sql(
            "postgres",
            "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'managed'; ALTER DATABASE aura_db OWNER TO dba",
        );
        workspace.with("ADMIN_DATABASE_URL", &cluster.url("dba", "managed", "postgres"))
    };
    let stays = pg_config::connect(&cluster.superuser().with_database("aura_db")).unwrap();
    (cluster, workspace, stays)
}

#[test]
fn a_reset_that_is_killed_before_the_database_is_renamed_is_taken_back() {
    for is_app_administrator in [true, false] {
        let (cluster, workspace, stays) = set_up_with_a_session_that_stays(is_app_administrator);
        let mut reset = workspace.command(&RESET).spawn().unwrap();
        let is_open = "SELECT datallowconn::text FROM pg_catalog.pg_database WHERE datname = 'aura_db'";
        poll(|| cluster.value("postgres", is_open) == "false");
        kill(&mut reset);
        drop(stays);
        let setup = workspace.run(&["db-setup"]).exits(0);
        setup.said("database aura_db is the one from before, with its data");
        workspace.run(&["db-verify"]).exits(0);
        assert_eq!(cluster.value("aura_db", "SELECT id FROM aura.kept"), "1");
    }
}

#[test]
fn a_database_whose_sessions_stay_is_open_again() {
    let (cluster, workspace, mut stays) = set_up_with_a_session_that_stays(false);
    let before = (cluster.dump("aura_db"), properties(&cluster));
    workspace.run(&RESET).exits(1).shows("sessions-that-stay");
    stays.client.batch_execute("SELECT").unwrap();
    assert_eq!((cluster.dump("aura_db"), properties(&cluster)), before);
}

/// A session that keeps a database from being dropped, and from nothing else.
fn holding(cluster: &Cluster, database: &str) -> pg_config::Session {
    let mut session = pg_config::connect(&cluster.superuser()).unwrap();
    session.client.batch_execute(&format!("BEGIN; ALTER DATABASE {database} SET my.own = 'x'")).unwrap();
    session
}

#[test]
fn a_reset_that_is_killed_before_the_old_database_is_dropped_is_finished_by_the_next_command() {
    let (cluster, workspace) = set_up_with_data();
    reset_while(&cluster, |reset, waits| {
        let held = holding(&cluster, ASIDE);
        waits.write("go", "");
        let replaced = format!(
            "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database WHERE datname = '{ASIDE}'"
        );
        poll(|| cluster.value("postgres", &replaced).contains("replaced"));
        kill(reset);
        // The server goes on with the statement of a client that is gone.
        let dropping = "FROM pg_catalog.pg_stat_activity WHERE query LIKE 'DROP DATABASE %' AND pid <> pg_catalog.pg_backend_pid()";
        cluster.sql("postgres", &format!("SELECT pg_catalog.pg_terminate_backend(pid) {dropping}"));
        poll(|| cluster.value("postgres", &format!("SELECT pg_catalog.count(*) {dropping}")) == "0");
        drop(held);
    });
    assert_eq!(cluster.inventory(), format!("database aura_db, database {ASIDE}, role aura_user"));
    workspace.run(&["db-setup"]).exits(0).shows("dropped-leftover");
    assert_eq!(cluster.inventory(), "database aura_db, role aura_user");
    assert_eq!(cluster.value("aura_db", "SELECT coalesce(pg_catalog.to_regclass('aura.kept')::text, 'gone')"), "gone");
    state::assert_complete(&workspace, "killed before the old database was dropped");
}

/// The last step is done by another connection where the first one is lost in it, before the server or after it.
#[test]
fn the_old_database_is_dropped_though_the_connection_is_lost_meanwhile() {
    for sender in [Sender::Client, Sender::Server] {
        let (cluster, workspace) = set_up_with_data();
        let is_cut = Arc::new(AtomicBool::new(false));
        let proxy = Proxy::before(cluster.port(), {
            let is_cut = is_cut.clone();
            move |message| {
                let drops = message.bytes.windows(13).any(|part| part == b"DROP DATABASE");
                match message.sender == sender && drops && !is_cut.swap(true, SeqCst) {
                    true => Passage::Close,
                    false => Passage::Pass,
                }
            }
        });
        let by = |key: &str| workspace.setting(key).replace(&cluster.port().to_string(), &proxy.port.to_string());
        let behind = Workspace::new()
            .with("DATABASE_URL", &by("DATABASE_URL"))
            .with("ADMIN_DATABASE_URL", &by("ADMIN_DATABASE_URL"));
        behind.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(0);
        assert!(is_cut.load(SeqCst), "nothing was lost");
        assert_eq!(cluster.value("postgres", "SELECT count(*) FROM pg_database WHERE datname ~ 'before'"), "0");
    }
}

#[test]
fn a_database_that_was_made_since_is_left_and_so_is_the_one_from_before() {
    let (cluster, workspace) = set_up_with_data();
    reset_while(&cluster, |reset, _| kill(reset));
    poll(|| cluster.value("postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = 'aura_db'") == "0");
    cluster.sql("postgres", "DROP DATABASE aura_db");
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    cluster.sql("aura_db", "CREATE SCHEMA of_a_person; CREATE TABLE of_a_person.t ()");
    let setup = workspace.run(&["db-setup"]).exits(0);
    let reset = workspace.run(&RESET).exits(1);
    shows("made-since", &(setup.screen() + &reset.screen()));
    assert_eq!(cluster.inventory(), format!("database aura_db, database {ASIDE}, role aura_user"));
    assert_eq!(cluster.value("aura_db", "SELECT pg_catalog.to_regclass('of_a_person.t')::text"), "of_a_person.t");
    // What the warning says brings the old one back.
    cluster.sql("postgres", "DROP DATABASE aura_db");
    workspace.run(&["db-setup"]).exits(0);
    assert_as_before(&cluster, &workspace, "the other one was dropped");
}

#[test]
fn killed_at_any_moment_the_data_are_there_or_the_new_database_is_complete() {
    let (cluster, workspace) = set_up_with_data();
    let began = Instant::now();
    workspace.run(&RESET).exits(0);
    let whole = began.elapsed();
    const ROUNDS: u32 = 12;
    let mut brought_back = 0;
    for round in 0..ROUNDS {
        cluster.sql("aura_db", "SET ROLE aura_user; CREATE TABLE IF NOT EXISTS aura.kept ()");
        let mut reset = workspace.command(&RESET).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(whole * round / ROUNDS);
        kill(&mut reset);
        workspace.run(if round % 2 == 0 { &["db-setup"] } else { &RESET }).exits(0);
        assert_eq!(cluster.inventory(), "database aura_db, role aura_user", "round {round}");
        workspace.run(&["db-verify"]).exits(0);
        brought_back +=
            u32::from(cluster.value("aura_db", "SELECT pg_catalog.to_regclass('aura.kept') IS NOT NULL") == "t");
    }
    // The first is killed at once.
    assert!(brought_back > 0);
}
