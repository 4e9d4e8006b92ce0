//! `db-verify --fix`: what it runs, by whom, and what it leaves.

use tests::{Cluster, Workspace, psql};

use crate::case::{CASE, fresh};

/// Breakages of every kind that is safe to mend.
const BROKEN: &str = "
    ALTER ROLE aura_user IN DATABASE aura_db RESET search_path; ALTER DATABASE aura_db RESET search_path;
    REVOKE ALL ON SCHEMA aura FROM aura_user; REVOKE INSERT ON ALL TABLES IN SCHEMA aura FROM aura_user;
    ALTER TABLE aura.notes_note OWNER TO other; GRANT CREATE ON SCHEMA public TO PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA aura REVOKE ALL ON TABLES FROM aura_user;
    INSERT INTO aura.artworks_support (id, name, created_at) VALUES (4711, 'a', now());
    ALTER TABLE aura.notes_note ADD CONSTRAINT has_title CHECK (title <> '') NOT VALID";

#[test]
fn everything_at_once_is_mended_shown_and_verified_again() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    let intact = workspace.verify().exits(0);
    cluster.sql("aura_db", BROKEN);

    let before = (cluster.dump("aura_db"), cluster.globals());
    let dry = workspace.run(&["db-verify", "--fix", "--dry-run"]).exits(3);
    assert!(before == (cluster.dump("aura_db"), cluster.globals()), "--dry-run changed something");
    assert!(dry.stdout.contains("BEGIN;") && dry.stdout.contains("COMMIT;\n"), "{}", dry.stdout);
    assert!(dry.stdout.contains("-- schema-privileges: role aura_user may neither use nor create"), "{}", dry.stdout);

    let fixed = workspace.run(&["db-verify", "--fix", "--format", "json"]).exits(0);
    assert_eq!(fixed.with_status("pass"), intact.with_status("pass"), "{}", fixed.stdout);
    for shown in [
        "aura_user: GRANT USAGE, CREATE ON SCHEMA aura TO aura_user",
        "postgres: ALTER TABLE aura.notes_note OWNER TO aura_user",
    ] {
        assert!(fixed.stderr.contains(shown), "{}", fixed.stderr);
    }
    // Once more there is nothing to do, and nothing is done.
    let mended = (cluster.dump("aura_db"), cluster.globals());
    let again = workspace.run(&["db-verify", "--fix"]).exits(0);
    assert_eq!(again.stderr, "");
    assert!(mended == (cluster.dump("aura_db"), cluster.globals()));
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
}

#[test]
fn what_dry_run_prints_mends_by_psql() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql("aura_db", BROKEN);
    // What is hidden by one finding may show itself once that is mended.
    for _ in 0..3 {
        let script = workspace.run(&["db-verify", "--fix", "--dry-run"]).stdout;
        psql(&cluster.superuser().with_database("aura_db").url(), &["-v", "ON_ERROR_STOP=1"], &script).exits(0);
    }
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}

#[test]
fn what_others_lock_is_left_and_the_rest_is_mended() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql("aura_db", BROKEN);
    let mut other = pg_config::connect(&cluster.superuser().with_database("aura_db")).unwrap();
    other.client.batch_execute("BEGIN; LOCK TABLE aura.notes_note IN ACCESS SHARE MODE").unwrap();
    let run = workspace.run(&["db-verify", "--fix", "--format", "json"]).exits(3);
    for said in
        ["canceling statement due to lock timeout (55P03)", "statement: ALTER TABLE aura.notes_note OWNER TO aura_user"]
    {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    assert_eq!(run.with_status("fail"), ["ownership"], "{}", run.stdout);
    drop(other);
    workspace.run(&["db-verify", "--fix"]).exits(0);
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}

#[test]
fn a_server_that_ends_it_rolls_everything_back() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    // Whoever grants the schema to the app is ended in the midst of it.
    cluster.sql(
        "aura_db",
        "CREATE SCHEMA ops; GRANT USAGE ON SCHEMA ops TO PUBLIC; \
         CREATE FUNCTION ops.end_it() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN \
             PERFORM pg_terminate_backend(pg_backend_pid()); END $$; \
         REVOKE INSERT ON aura.notes_note FROM aura_user; REVOKE CREATE ON SCHEMA aura FROM aura_user; \
         CREATE EVENT TRIGGER end_it ON ddl_command_end WHEN TAG IN ('GRANT') EXECUTE FUNCTION ops.end_it()",
    );
    let before = (cluster.dump("aura_db"), cluster.globals());
    workspace.run(&["db-verify", "--fix"]).exits(1).complains("nothing was changed");
    assert!(before == (cluster.dump("aura_db"), cluster.globals()), "half of it was changed");
    cluster.sql("aura_db", "DROP EVENT TRIGGER end_it");
    workspace.run(&["db-verify", "--fix"]).exits(0);
}

#[test]
fn what_the_apps_tables_hold_is_never_run_with_more_rights() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql(
        "aura_db",
        "SET ROLE aura_user; CREATE FUNCTION aura.evil(i int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN \
             IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN ALTER ROLE aura_user SUPERUSER; END IF; \
             RETURN true; END $$; \
         CREATE TABLE aura.trap (i int); INSERT INTO aura.trap VALUES (1); \
         ALTER TABLE aura.trap ADD CONSTRAINT evil CHECK (aura.evil(i)) NOT VALID",
    );
    workspace
        .run(&["db-verify", "--fix"])
        .exits(0)
        .complains("aura_user: ALTER TABLE aura.trap VALIDATE CONSTRAINT evil");
    assert_eq!(cluster.value("postgres", "SELECT rolsuper FROM pg_roles WHERE rolname = 'aura_user'"), "f");
    // Somebody else's table is nobody's to validate here.
    cluster.sql(
        "aura_db",
        "ALTER TABLE aura.trap DROP CONSTRAINT evil; ALTER TABLE aura.trap ADD CONSTRAINT evil CHECK (aura.evil(i)) NOT VALID; \
         REVOKE CREATE ON SCHEMA aura FROM aura_user; ALTER SCHEMA aura OWNER TO postgres; ALTER TABLE aura.trap OWNER TO postgres; \
         GRANT ALL ON aura.trap TO aura_user",
    );
    workspace.run(&["db-verify", "--fix"]);
    assert_eq!(cluster.value("postgres", "SELECT rolsuper FROM pg_roles WHERE rolname = 'aura_user'"), "f");
}

#[test]
fn names_that_end_a_line_stay_in_the_remark() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql(
        "aura_db",
        "SET ROLE aura_user; CREATE TABLE aura.U&\"a\\000DALTER ROLE aura_user SUPERUSER; --\" (id serial PRIMARY KEY); \
         INSERT INTO aura.U&\"a\\000DALTER ROLE aura_user SUPERUSER; --\" VALUES (1)",
    );
    let script = workspace.run(&["db-verify", "--fix", "--dry-run"]).exits(3).stdout;
    psql(&cluster.superuser().with_database("aura_db").url(), &[], &script).exits(0);
    assert_eq!(cluster.value("postgres", "SELECT rolsuper FROM pg_roles WHERE rolname = 'aura_user'"), "f");
}

#[test]
fn an_administrator_who_is_kept_out_changes_no_other_database() {
    let cluster = Cluster::start_with(&[]);
    let workspace = fresh(&cluster, &CASE);
    cluster.sql("aura_db", "GRANT CREATE ON SCHEMA public TO PUBLIC");
    cluster.sql("postgres", "GRANT CREATE ON SCHEMA public TO PUBLIC");
    cluster.let_in("host aura_db postgres 127.0.0.1/32 reject");
    let acl = "SELECT nspacl FROM pg_namespace WHERE nspname = 'public'";
    let before = cluster.value("postgres", acl);
    workspace.run(&["db-verify", "--fix"]).exits(0);
    assert_eq!(cluster.value("postgres", acl), before);
}

#[test]
fn the_app_mends_what_is_its_own_and_the_rest_is_said() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE).without("ADMIN_DATABASE_URL");
    cluster.sql(
        "aura_db",
        "REVOKE INSERT ON aura.notes_note FROM aura_user; ALTER ROLE aura_user IN DATABASE aura_db RESET search_path; \
         ALTER TABLE aura.core_user OWNER TO postgres; REVOKE ALL ON DATABASE aura_db FROM aura_user",
    );
    let fixed = workspace.run(&["db-verify", "--fix", "--format", "json"]).exits(3);
    assert!(
        fixed.stderr.contains("aura_user: GRANT ALL PRIVILEGES ON TABLE aura.notes_note TO aura_user"),
        "{}",
        fixed.stderr
    );
    assert!(
        fixed.stderr.contains("aura_user: ALTER ROLE aura_user IN DATABASE aura_db SET search_path"),
        "{}",
        fixed.stderr
    );
    assert!(fixed.stderr.contains("left as it is: must be owner of table core_user (42501)"), "{}", fixed.stderr);
    assert!(fixed.stderr.contains("left as it is: no privileges were granted"), "{}", fixed.stderr);
    assert_eq!(fixed.with_status("fail"), ["table-privileges", "sequence-privileges", "ownership"], "{}", fixed.stdout);
    // Whoever has the rights runs the rest.
    Workspace::on(&cluster).run(&["db-verify", "--fix"]).exits(0);
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}

#[test]
fn a_login_that_is_kept_out_is_mended_by_the_administrator() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql("postgres", "REVOKE CONNECT ON DATABASE aura_db FROM PUBLIC, aura_user");
    workspace
        .run(&["db-verify", "--fix"])
        .exits(0)
        .complains("postgres: GRANT CONNECT, CREATE, TEMPORARY ON DATABASE aura_db");
    workspace.verify().exits(0);
    // What only the app's own connection may run follows, once it is let in; read-only sessions keep nobody.
    cluster.sql("aura_db", BROKEN);
    cluster.sql("postgres", "REVOKE CONNECT ON DATABASE aura_db FROM PUBLIC, aura_user");
    workspace.run(&["db-verify", "--fix"]).exits(0).complains("aura_user: SELECT pg_catalog.setval(");
    cluster.sql(
        "aura_db",
        "ALTER ROLE aura_user SET default_transaction_read_only = on; REVOKE INSERT ON aura.notes_note FROM aura_user",
    );
    let run = workspace.run(&["db-verify", "--fix", "--format", "json"]).exits(3);
    assert_eq!(run.with_status("fail"), ["database"], "{}", run.stdout);
    cluster.sql("postgres", "ALTER ROLE aura_user RESET default_transaction_read_only");
    workspace.verify().exits(0);
    workspace.run(&["db-verify", "--dry-run"]).exits(2).complains("--fix");
}
