//! Objects of the app's schema that are somebody else's.

use tests::{Cluster, psql};

use crate::case::{CASE, Case, check, fresh};

/// Who owns an object of the schema may make more there: its default privileges are asked for too.
const OWNER: &[&str] = &["default-privileges", "ownership"];

#[test]
fn other_owners_are_found_and_mended() {
    check(&[
        Case {
            name: "a table with an identity column",
            breaks: "ALTER TABLE aura.notes_note OWNER TO other",
            fails: &["table-privileges", "sequence-privileges", "default-privileges", "ownership"],
            says: &["aura.notes_note"],
            ..CASE
        },
        Case {
            name: "a table made by the administrator",
            breaks: "CREATE TABLE aura.made_by_hand (id bigint)",
            fails: &["ownership"],
            says: &["table aura.made_by_hand belongs to postgres, so aura_user cannot alter it"],
            ..CASE
        },
        Case {
            name: "a view",
            breaks: "CREATE VIEW aura.latest AS SELECT 1; ALTER VIEW aura.latest OWNER TO other",
            fails: OWNER,
            ..CASE
        },
        Case {
            name: "a materialized view",
            breaks: "CREATE MATERIALIZED VIEW aura.totals AS SELECT 1; ALTER MATERIALIZED VIEW aura.totals OWNER TO other",
            fails: OWNER,
            ..CASE
        },
        Case {
            name: "a sequence",
            breaks: "CREATE SEQUENCE aura.invoice; ALTER SEQUENCE aura.invoice OWNER TO other",
            fails: OWNER,
            ..CASE
        },
        Case {
            name: "functions, a procedure and an aggregate",
            breaks: "CREATE FUNCTION aura.twice(int, VARIADIC text[]) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2'; \
                     CREATE FUNCTION aura.twice(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT $1 * 2'; \
                     CREATE PROCEDURE aura.tidy(a int DEFAULT 1) LANGUAGE sql AS 'SELECT 1'; \
                     CREATE AGGREGATE aura.sum_of (bigint) (SFUNC = int8pl, STYPE = bigint)",
            fails: &["ownership"],
            says: &["and 3 more objects"],
            ..CASE
        },
        Case {
            name: "an enum, a domain, a composite type and a range",
            breaks: "CREATE TYPE aura.mood AS ENUM ('calm'); CREATE DOMAIN aura.name AS text; \
                     CREATE TYPE aura.point3 AS (x int, y int); CREATE TYPE aura.span AS RANGE (SUBTYPE = int)",
            fails: &["ownership"],
            says: &["and 3 more objects"],
            ..CASE
        },
        Case {
            name: "names that must be quoted",
            breaks: r#"CREATE TABLE aura."Œuvre ""neuve""" (id int); CREATE FUNCTION aura."Zähle"(a aura."Œuvre ""neuve""")
                       RETURNS int LANGUAGE sql AS 'SELECT 1'"#,
            fails: &["ownership"],
            says: &["and 1 more object"],
            ..CASE
        },
    ]);
}

#[test]
fn the_sql_holds_whatever_the_path_of_who_runs_it_is() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql(
        "aura_db",
        r#"CREATE TYPE aura."Mood" AS ENUM ('calm'); CREATE TABLE aura.moods (mood aura."Mood");
           CREATE FUNCTION aura.of(aura."Mood"[], VARIADIC int[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
           CREATE PROCEDURE aura.tell(IN a aura."Mood", INOUT b numeric(3, 1)) LANGUAGE sql AS 'SELECT 1.0';
           CREATE AGGREGATE aura.every_one (*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0');
           CREATE AGGREGATE aura.middle (float8 ORDER BY "any") (SFUNC = ordered_set_transition, STYPE = internal,
                FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA)"#,
    );
    let run = workspace.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["ownership"]);
    assert_eq!(run.check("ownership")["objects"].as_array().unwrap().len(), 6, "{}", run.stdout);
    let url = cluster.superuser().with_database("aura_db").url() + "&options=-csearch_path%3Dpg_catalog";
    psql(&url, &["-v", "ON_ERROR_STOP=1"], &run.fix("ownership")).exits(0);
    workspace.verify().exits(0);
}

#[test]
fn the_schema_of_another_owner_is_warned_of() {
    check(&[Case {
        name: "the schema",
        breaks: "ALTER SCHEMA aura OWNER TO other; GRANT ALL ON SCHEMA aura TO aura_user; \
                 ALTER DEFAULT PRIVILEGES FOR ROLE other IN SCHEMA aura GRANT ALL ON TABLES TO aura_user; \
                 ALTER DEFAULT PRIVILEGES FOR ROLE other IN SCHEMA aura GRANT ALL ON SEQUENCES TO aura_user",
        warns: &["ownership"],
        says: &["cannot alter, drop or re-grant it"],
        setup: crate::case::Setup::Refuses(0, "cannot alter, drop or re-grant it"),
        ..CASE
    }]);
}

#[test]
fn a_function_keeps_the_rights_that_it_runs_with() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql(
        "aura_db",
        "CREATE FUNCTION aura.roles() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog \
         AS 'SELECT count(*) FROM pg_authid'",
    );
    let works = || workspace.value("SELECT aura.roles() > 0");
    assert_eq!(works(), "t");
    for command in [&["db-verify", "--fix"][..], &["db-setup"]] {
        workspace.run(command).exits(0);
        assert_eq!(works(), "t", "{command:?}");
    }
    let run = workspace.verify().exits(0);
    assert_eq!(run.with_status("warn"), ["ownership"]);
    assert!(run.message("ownership").contains("runs with the rights of postgres, its owner (SECURITY DEFINER)"));
    cluster.sql("aura_db", &run.fix("ownership"));
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}
