//! `db-reset`: its guards, and what is left when it is done.

use tests::{Cluster, Workspace, shows};

use crate::state;

const ROWS: &str = "SELECT pg_catalog.count(*) FROM aura.artworks_artist";

fn set_up_with_data() -> (Cluster, Workspace) {
    let (cluster, workspace) = state::set_up();
    cluster.sql("aura_db", "CREATE TABLE aura.kept (id int); INSERT INTO aura.kept VALUES (1)");
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
