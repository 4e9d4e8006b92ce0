//! `db-verify --fix`: what it runs, by whom, and that it is all or nothing.

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
    assert!(dry.stdout.contains("BEGIN;") && dry.stdout.ends_with("COMMIT;\n"), "{}", dry.stdout);
    assert!(dry.stdout.contains("-- schema-privileges: role aura_user may neither use nor create"), "{}", dry.stdout);

    let fixed = workspace.run(&["db-verify", "--fix", "--format", "json"]).exits(0);
    assert_eq!(fixed.with_status("pass"), intact.with_status("pass"), "{}", fixed.stdout);
    for shown in [
        "postgres: GRANT USAGE, CREATE ON SCHEMA aura TO aura_user",
        "postgres: ALTER TABLE aura.notes_note OWNER TO aura_user",
    ] {
        assert!(fixed.stderr.contains(shown), "{}", fixed.stderr);
    }
    // Once more there is nothing to do, and nothing is done.
    let mended = (cluster.dump("aura_db"), cluster.globals());
    let again = workspace.run(&["db-verify", "--fix"]).exits(0);
    assert!(!again.stderr.contains("postgres:"), "{}", again.stderr);
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
fn an_error_rolls_everything_back() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql("aura_db", BROKEN);
    // Nobody may have a statement of ours run for ever: what others hold is an error.
    let mut other = pg_config::connect(&cluster.superuser().with_database("aura_db")).unwrap();
    other.client.batch_execute("BEGIN; LOCK TABLE aura.notes_note IN ACCESS SHARE MODE").unwrap();
    let before = (cluster.dump("aura_db"), cluster.globals());
    workspace
        .run(&["db-verify", "--fix"])
        .exits(1)
        .complains("canceling statement due to lock timeout (55P03)")
        .complains("statement: ALTER TABLE aura.notes_note OWNER TO aura_user")
        .complains("nothing was changed");
    assert!(before == (cluster.dump("aura_db"), cluster.globals()), "half of it was changed");
    drop(other);
    workspace.run(&["db-verify", "--fix"]).exits(0);
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
    workspace.run(&["db-verify", "--dry-run"]).exits(2).complains("--fix");
}
