//! Objects of the wrong owner, and grants that grant nothing, as the documented procedure leaves them; the
//! numbers are those of failure-modes.md.

use tests::{Cluster, Workspace, psql};

use crate::state;

const ROLE: &str = "CREATE ROLE aura_user LOGIN PASSWORD 'the-app''s'";

/// psql prints the SQLSTATE of an error or a warning, not its message.
const STATE: &str = "--set=VERBOSITY=sqlstate";

/// The migrations, run by an operator, who owns all that they made.
fn made_by_operator(cluster: &Cluster, operator: &str) {
    let workspace = Workspace::new().with("DATABASE_URL", operator);
    let mut migrate =
        std::process::Command::new(workspace.command(&[]).get_program().to_str().unwrap().replace("xtask", "aura"));
    let migrate = migrate.arg("migrate").env_clear().env("DATABASE_URL", operator).output().unwrap();
    assert!(migrate.status.success(), "{}", String::from_utf8_lossy(&migrate.stderr));
    let tables = "SELECT pg_catalog.count(*) FROM pg_class WHERE relnamespace = 'aura'::regnamespace AND relkind = 'r'";
    assert_eq!(cluster.value("aura_db", tables), "25");
}

#[test]
fn f12_tables_made_by_an_operator_become_the_apps() {
    let cluster = Cluster::start();
    cluster.sql("postgres", ROLE);
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    cluster.sql("aura_db", "CREATE SCHEMA aura");
    cluster.sql("aura_db", "ALTER DATABASE aura_db SET search_path = aura, public");
    made_by_operator(&cluster, &cluster.superuser().with_database("aura_db").url());
    let app = cluster.url("aura_user", "the-app's", "aura_db");
    psql(&app, &[STATE, "-c", "SELECT FROM aura.artworks_artwork"], "").exits(1).complains("42501");
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0).shows("tables-of-an-operator");
    state::assert_complete(&workspace, "by an operator");
    assert_eq!(workspace.value("SELECT pg_catalog.count(*) FROM artworks_artwork"), "0");
    // Later DDL is the app's to do.
    let url = workspace.run(&["db-url"]).exits(0);
    psql(url.line(), &["-c", "ALTER TABLE artworks_artwork ADD COLUMN later int"], "").exits(0);
    // What the operator makes there next, too.
    cluster.sql("aura_db", "CREATE TABLE aura.next (id serial)");
    assert_eq!(workspace.value("INSERT INTO next DEFAULT VALUES RETURNING id"), "1");
}

#[test]
fn f12_without_the_rights_it_is_found_with_the_sql() {
    let (cluster, workspace) = state::set_up();
    cluster.sql(
        "aura_db",
        "ALTER TABLE aura.artworks_artist OWNER TO postgres; REVOKE ALL ON aura.artworks_artist FROM aura_user",
    );
    let alone = workspace.without("ADMIN_DATABASE_URL");
    let setup = alone.run(&["db-setup", "--format", "json"]).exits(3).shows("table-of-the-administrator");
    assert_eq!(setup.check("ownership")["status"], "fail");
    let statements = setup.fix("ownership");
    assert!(statements.contains("ALTER TABLE aura.artworks_artist OWNER TO aura_user"), "{statements}");
    psql(&cluster.superuser().with_database("aura_db").url(), &["-v", "ON_ERROR_STOP=1"], &statements).exits(0);
    alone.run(&["db-setup"]).exits(0);
    state::assert_complete(&alone, "fixed by hand");
}

#[test]
fn f14_what_each_creator_makes_is_the_apps_to_use() {
    let (cluster, workspace) = state::set_up();
    cluster.sql("postgres", "CREATE ROLE operator LOGIN PASSWORD 'x-y-z'");
    cluster.sql("aura_db", "GRANT ALL ON SCHEMA aura TO operator; CREATE VIEW aura.of_operator AS SELECT 1; ALTER VIEW aura.of_operator OWNER TO operator");
    workspace.run(&["db-setup"]).exits(0);
    cluster.sql("aura_db", "CREATE TABLE aura.by_superuser (id serial, what text)");
    let operator = cluster.url("operator", "x-y-z", "aura_db");
    psql(&operator, &["-c", "CREATE TABLE aura.by_operator (id serial, what text)"], "").exits(0);
    for table in ["by_superuser", "by_operator"] {
        assert_eq!(workspace.value(&format!("INSERT INTO {table} (what) VALUES ('it') RETURNING id")), "1");
        assert_eq!(workspace.value(&format!("UPDATE {table} SET what = 'that' RETURNING what")), "that");
        assert_eq!(workspace.value(&format!("DELETE FROM {table} RETURNING what")), "that");
        workspace.value(&format!("TRUNCATE {table}"));
    }
}

#[test]
fn f21_a_grant_that_grants_nothing_is_said() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'managed'");
    let workspace = Workspace::on(&cluster).with("ADMIN_DATABASE_URL", &cluster.url("dba", "managed", "postgres"));
    workspace.run(&["db-setup"]).exits(0);
    // The administrator may read the table, and not pass that on: GRANT only warns.
    cluster.sql("aura_db", "CREATE TABLE aura.of_postgres (id int); GRANT SELECT ON aura.of_postgres TO dba; GRANT USAGE ON SCHEMA aura TO dba");
    let setup = workspace.run(&["db-setup", "--format", "json"]).exits(3);
    let setup = setup.shows("grant-without-effect");
    assert_eq!(setup.check("server")["status"], "warn");
    assert_eq!(setup.check("table-privileges")["status"], "fail");
    assert_eq!(setup.check("ownership")["status"], "fail");
}

#[test]
fn f21_a_schema_without_the_right_to_grant_it_is_an_error_first() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'managed'");
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    let workspace = Workspace::on(&cluster).with("ADMIN_DATABASE_URL", &cluster.url("dba", "managed", "postgres"));
    let before = cluster.globals() + &cluster.dump("aura_db");
    // The database is not the administrator's: it cannot let the app create a schema in it.
    workspace.run(&["db-setup"]).exits(1).shows("no-right-to-create-the-schema");
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
    // Nor pass on what the administrator itself may do in one.
    cluster.sql("aura_db", "CREATE SCHEMA aura; GRANT USAGE, CREATE ON SCHEMA aura TO dba");
    let before = cluster.globals() + &cluster.dump("aura_db");
    workspace.run(&["db-setup"]).exits(1).shows("no-right-to-grant-the-schema");
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
    // With the right to pass it on, it does.
    cluster.sql("aura_db", "GRANT USAGE, CREATE ON SCHEMA aura TO dba WITH GRANT OPTION");
    let setup = workspace.run(&["db-setup", "--format", "json"]).exits(3);
    // What the schema's owner will make there is all that is left, and nobody here may change that.
    assert_eq!(setup.with_status("fail"), ["default-privileges"]);
    let fix = setup.fix("default-privileges");
    psql(&cluster.superuser().with_database("aura_db").url(), &["-v", "ON_ERROR_STOP=1"], &fix).exits(0);
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "granted by a grantee");
}

#[test]
fn f22_a_schema_of_the_administrators_becomes_the_apps() {
    let cluster = Cluster::start();
    cluster.sql("postgres", ROLE);
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    cluster.sql("aura_db", "CREATE SCHEMA aura; GRANT USAGE ON SCHEMA aura TO aura_user");
    let workspace = Workspace::on(&cluster);
    let app = cluster.url("aura_user", "the-app's", "aura_db");
    let alter = "ALTER SCHEMA aura RENAME TO atelier; ALTER SCHEMA atelier RENAME TO aura";
    let grant = "GRANT USAGE ON SCHEMA aura TO PUBLIC; REVOKE USAGE ON SCHEMA aura FROM PUBLIC";
    psql(&app, &[STATE, "-c", alter], "").exits(1).complains("42501");
    psql(&app, &[STATE, "-c", grant], "").complains("01007");
    // The old and the new owner are both shown.
    workspace.run(&["db-setup"]).exits(0).shows("schema-of-the-administrator");
    state::assert_complete(&workspace, "owned by postgres");
    for statements in [alter, grant, "DROP SCHEMA aura CASCADE"] {
        psql(&app, &["-c", &format!("BEGIN; {statements}; COMMIT")], "").exits(0).never_says("WARNING");
    }
}

#[test]
fn f22_a_schema_that_works_keeps_its_owner() {
    let cluster = Cluster::start();
    cluster.sql("postgres", ROLE);
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    cluster.sql("aura_db", "CREATE SCHEMA aura; GRANT USAGE, CREATE ON SCHEMA aura TO aura_user");
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    let owner = "SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'aura'";
    assert_eq!(cluster.value("aura_db", owner), "postgres");
    let verified = workspace.verify().exits(0);
    assert_eq!(verified.check("ownership")["status"], "warn");
    psql(&cluster.superuser().with_database("aura_db").url(), &[], &verified.fix("ownership")).exits(0);
    assert_eq!(workspace.verify().exits(0).check("ownership")["status"], "pass");
}
