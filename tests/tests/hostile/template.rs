//! While a template of the test databases is made: who gets in, and what comes of it.

use tests::{Cluster, Workspace};

/// A workspace whose migrate command does more in a template that is being made.
fn building(command: &str) -> (Cluster, Workspace) {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE mallory LOGIN PASSWORD 'm'");
    let workspace = Workspace::on(&cluster);
    let migrate =
        format!("{} && case $PGDATABASE in *_building_*) {command};; esac", workspace.setting("MIGRATE_COMMAND"));
    (cluster, workspace.with("MIGRATE_COMMAND", &migrate))
}

#[test]
fn a_session_that_stays_in_it_ends_the_build() {
    let (cluster, workspace) = building("psql -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 &");
    let run = workspace.testdb(&["sql"]);
    assert_ne!(run.code, 0, "{}", run.stdout);
    let run = run.complains("another session is in aura_db_building_");
    assert!(run.stderr.contains("of role aura_user (psql)"), "{}", run.stderr);
    let templates = "SELECT count(*) FROM pg_database WHERE datname LIKE 'aura\\_db\\_template%'";
    assert_eq!(cluster.value("postgres", templates), "0");
}

#[test]
fn no_other_role_gets_into_it() {
    let attempt = "PGUSER=mallory PGPASSWORD=m psql -c 'SELECT 1' >refused 2>&1; grep -q 'permission denied' refused";
    let (cluster, workspace) = building(attempt);
    workspace.testdb(&["sql"]).exits(0);
    // What is made of it lets in whom any database does.
    let first =
        "SELECT datname FROM pg_database WHERE datname LIKE 'aura\\_db\\_ready%' OR datname LIKE 'aura\\_db\\_test%'";
    let clone = match cluster.value("postgres", first).as_str() {
        // Nothing is proved on this version: none is kept.
        "" => return,
        clone => clone.to_owned(),
    };
    for (role, privilege) in [("mallory", "CONNECT"), ("mallory", "TEMPORARY"), ("aura_user", "CREATE")] {
        let has = format!("SELECT has_database_privilege('{role}', '{clone}', '{privilege}')");
        assert_eq!(cluster.value("postgres", &has), "t", "{role} {privilege}");
    }
    assert_eq!(
        cluster.value("postgres", &format!("SELECT datconnlimit FROM pg_database WHERE datname = '{clone}'")),
        "-1"
    );
}
