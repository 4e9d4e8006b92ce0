//! The migrations' files and what they made.

use crate::case::{CASE, Case, Fix, cases, set_up};

cases! {
    mod lost;

    fn schema() = Case {
        breaks: "DROP SCHEMA aura CASCADE",
        fails: &["schema"],
        fix: Fix::Command(&["db-setup"]),
        ..CASE
    };

    fn every_table() = Case {
        breaks: "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'aura' LOOP \
                 EXECUTE format('DROP TABLE aura.%I CASCADE', t); END LOOP; END $$",
        fails: &["tables-landed", "drift"],
        fix: Fix::Command(&["db-migrate"]),
        ..CASE
    };

    fn record_of_the_run() = Case {
        breaks: "COMMENT ON SCHEMA aura IS NULL",
        warns: &["migrations"],
        fix: Fix::Command(&["db-migrate"]),
        ..CASE
    };
}

#[test]
fn the_sql_for_a_lost_schema_and_migrating_fix_it() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("aura_db", "DROP SCHEMA aura CASCADE");
    let fix = workspace.verify().fix("schema");
    cluster.sql("aura_db", &fix);
    let run = workspace.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["tables-landed"]);
    workspace.run(&["db-migrate"]).exits(0);
    let run = workspace.verify().exits(0);
    assert!(run.with_status("warn").is_empty(), "{}", run.stdout);
}

#[test]
fn a_changed_file_is_found_and_migrating_fixes_it() {
    let (_cluster, workspace) = set_up(&CASE);
    workspace.write("migrations/V3__later.sql", "-- nothing yet\n");
    let run = workspace.verify().exits(3).shows("changed-file");
    assert_eq!(run.with_status("fail"), ["migrations"]);
    workspace.run(&["db-migrate"]).exits(0);
    workspace.verify().exits(0);

    // A setup migrates too, where the files are not those of the last verified run.
    workspace.write("migrations/V3__later.sql", "-- something else\n");
    workspace.verify().exits(3);
    workspace.run(&["db-setup"]).exits(0);
    workspace.verify().exits(0);
}

#[test]
fn another_comment_on_the_schema_stays() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("aura_db", "COMMENT ON SCHEMA aura IS 'ours since 1998'");
    workspace.run(&["db-setup"]).exits(0);
    let run = workspace.verify().exits(0);
    assert_eq!(run.check("migrations")["status"], "skip");
    assert_eq!(cluster.value("aura_db", "SELECT obj_description('aura'::regnamespace)"), "ours since 1998");
}

#[test]
fn a_routine_that_landed_elsewhere_is_named() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("aura_db", "GRANT CREATE ON SCHEMA public TO aura_user");
    let migrate = "psql -q -v ON_ERROR_STOP=1 -c \"CREATE TYPE aura.mood AS ENUM ('calm')\" \
                   -c \"CREATE FUNCTION public.f(a aura.mood, b int) RETURNS int LANGUAGE sql AS 'SELECT 1'\" \"$DATABASE_URL\"";
    let run = workspace.with("MIGRATE_COMMAND", migrate).run(&["db-migrate", "--format", "json"]).exits(3);
    assert_eq!(run.shows("routine-in-public").check("tables-landed")["status"], "fail");
}
