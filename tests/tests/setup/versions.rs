//! The oldest PostgreSQL that is supported, and those between it and the newest, each with its own programs.

use tests::{Cluster, Workspace};

use crate::state;

fn others() -> impl Iterator<Item = Cluster> {
    [13, 15, 17].into_iter().filter_map(Cluster::of)
}

/// All that a setup could change.
fn dumped(cluster: &Cluster) -> String {
    cluster.globals() + &cluster.dump("aura_db")
}

/// Sets up twice: the second time nothing is left to do. These checks warn, and no other.
#[track_caller]
fn assert_sets_up(cluster: &Cluster, workspace: &Workspace, warned: &[&str]) {
    let version = cluster.value("postgres", "SHOW server_version");
    let (number, _) = version.split_once(' ').unwrap();
    let setup = workspace.run(&["db-setup"]).exits(0);
    assert!(!setup.stderr.contains("warning"), "{version}: {}", setup.stderr);
    state::assert_placed(workspace, &version);
    let verified = workspace.verify().exits(0);
    assert_eq!(verified.json()["server"]["version"], number);
    assert_eq!(verified.with_status("warn"), warned, "{version}");
    let before = dumped(cluster);
    assert!(before.contains("CREATE TABLE aura."), "{version}");
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(dumped(cluster), before);
}

/// Before 15 every role may create in the schema public of a new database, and only a superuser can change that.
fn without_superuser(cluster: &Cluster) -> &'static [&'static str] {
    let is_open = "SELECT pg_catalog.has_schema_privilege('public', 'public', 'CREATE')";
    if cluster.value("postgres", is_open) == "t" { &["public-create"] } else { &[] }
}

#[test]
fn by_a_superuser() {
    for cluster in others() {
        let workspace = Workspace::on(&cluster).with("DB_EXTENSIONS", "citext, pg_trgm, pageinspect");
        assert_sets_up(&cluster, &workspace, &[]);
    }
}

#[test]
fn by_a_managed_administrator() {
    for cluster in others() {
        cluster.sql("postgres", "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'managed'");
        let workspace = Workspace::on(&cluster)
            .with("ADMIN_DATABASE_URL", &cluster.url("dba", "managed", "postgres"))
            .with("DB_EXTENSIONS", "citext, pg_trgm");
        assert_sets_up(&cluster, &workspace, without_superuser(&cluster));
        workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(0);
        assert_sets_up(&cluster, &workspace, without_superuser(&cluster));
    }
}

#[test]
fn by_the_owner_of_the_database() {
    for cluster in others() {
        cluster.sql("postgres", "CREATE ROLE aura_user LOGIN PASSWORD 'the-app''s'");
        cluster.sql("postgres", "CREATE DATABASE aura_db OWNER aura_user");
        let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
        // That it owns it is warned of, too.
        let warned = [&["database"], without_superuser(&cluster)].concat();
        assert_sets_up(&cluster, &workspace, &warned);
    }
}

#[test]
fn by_the_script() {
    for cluster in others() {
        cluster.sql("postgres", "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'managed'");
        let script = Workspace::on(&cluster).with("DB_EXTENSIONS", "citext").run(&["db-setup", "--dry-run"]).exits(0);
        let dba = cluster.url("dba", "managed", "postgres");
        cluster.psql(&dba, &["-f", "-"], &script.stdout).exits(0);
        let once = dumped(&cluster);
        cluster.psql(&dba, &["-f", "-"], &script.stdout).exits(0);
        assert_eq!(dumped(&cluster), once);
        let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
        assert_sets_up(&cluster, &workspace, without_superuser(&cluster));
    }
}

#[test]
fn on_a_server_of_its_own() {
    for cluster in others() {
        let workspace = Workspace::new().with("DB_SERVER", "local");
        let workspace = workspace.with("PG_BIN_DIR", &cluster.binaries().display().to_string());
        let setup = workspace.run(&["db-setup"]).exits(0);
        assert!(!setup.stderr.contains("warning"), "{}", setup.stderr);
        let version = "SHOW server_version";
        assert_eq!(workspace.value(version), cluster.value("postgres", version));
        state::assert_complete(&workspace, "a server of its own");
        workspace.run(&["db-setup"]).exits(0);
    }
}
