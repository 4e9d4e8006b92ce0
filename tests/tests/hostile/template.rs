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

/// The planner evaluates what an index or extended statistics hold, whoever asks: a superuser's session empties no
/// such table.
#[test]
fn no_expression_of_a_table_is_evaluated_by_a_superuser() {
    for trap in [
        "CREATE INDEX ON trapped (v) WHERE aura.f(1) = 1",
        "CREATE INDEX ON trapped ((aura.f(1) || v))",
        "CREATE STATISTICS aura.st ON (aura.f(1) + id), v FROM trapped",
    ] {
        let cluster = Cluster::start_with(&[]);
        // Statistics of expressions came with 14.
        if trap.contains("STATISTICS") && cluster.value("postgres", "SHOW server_version_num").as_str() < "140000" {
            continue;
        }
        let workspace = Workspace::on(&cluster);
        workspace.write(
            "trap.sql",
            format!(
                "CREATE FUNCTION aura.f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
                    RAISE LOG 'sprung: %', current_user; RETURN 1; END $$;
                 CREATE TABLE trapped (id int PRIMARY KEY, v text); {trap}; DELETE FROM trapped;"
            ),
        );
        let migrate = format!("{} && psql -v ON_ERROR_STOP=1 -f trap.sql", workspace.setting("MIGRATE_COMMAND"));
        let workspace = workspace.with("MIGRATE_COMMAND", &migrate);
        for _ in 0..2 {
            workspace.testdb(&["sql", "INSERT INTO trapped VALUES (1, 'a')"]).exits(0);
        }
        let log = cluster.log();
        assert!(log.contains("sprung: aura_user"), "{trap}: the trap works");
        assert!(!log.contains("sprung: postgres"), "{trap}");
    }
}
