//! Objects of the app's schema that another role owns.

mod acting;

use tests::psql;

use crate::case::{CASE, Case, Setup, cases, set_up};

/// Who owns an object of the schema may make more there: its default privileges are asked for too.
const OWNER: &[&str] = &["default-privileges", "ownership"];

cases! {
    mod other_owners;

    fn table_with_an_identity_column() = Case {
        breaks: "ALTER TABLE aura.notes_note OWNER TO other",
        fails: &["table-privileges", "sequence-privileges", "default-privileges", "ownership"],
        ..CASE
    };

    fn table_of_the_administrator() = Case {
        breaks: "CREATE TABLE aura.made_by_hand (id bigint)",
        fails: &["ownership"],
        ..CASE
    };

    fn view() = Case {
        breaks: "CREATE VIEW aura.latest AS SELECT 1; ALTER VIEW aura.latest OWNER TO other",
        fails: OWNER,
        ..CASE
    };

    fn materialized_view() = Case {
        breaks: "CREATE MATERIALIZED VIEW aura.totals AS SELECT 1; ALTER MATERIALIZED VIEW aura.totals OWNER TO other",
        fails: OWNER,
        ..CASE
    };

    fn sequence() = Case {
        breaks: "CREATE SEQUENCE aura.invoice; ALTER SEQUENCE aura.invoice OWNER TO other",
        fails: OWNER,
        ..CASE
    };

    fn functions_procedure_and_aggregate() = Case {
        breaks: "CREATE FUNCTION aura.twice(int, VARIADIC text[]) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2'; \
                 CREATE FUNCTION aura.twice(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT $1 * 2'; \
                 CREATE PROCEDURE aura.tidy(a int DEFAULT 1) LANGUAGE sql AS 'SELECT 1'; \
                 CREATE AGGREGATE aura.sum_of (bigint) (SFUNC = int8pl, STYPE = bigint)",
        fails: &["ownership"],
        ..CASE
    };

    fn enum_domain_composite_and_range() = Case {
        breaks: "CREATE TYPE aura.mood AS ENUM ('calm'); CREATE DOMAIN aura.name AS text; \
                 CREATE TYPE aura.point3 AS (x int, y int); CREATE TYPE aura.span AS RANGE (SUBTYPE = int)",
        fails: &["ownership"],
        ..CASE
    };

    fn names_that_need_quotes() = Case {
        breaks: r#"CREATE TABLE aura."Œuvre ""neuve""" (id int); CREATE FUNCTION aura."Zähle"(a aura."Œuvre ""neuve""")
                   RETURNS int LANGUAGE sql AS 'SELECT 1'"#,
        fails: &["ownership"],
        ..CASE
    };
}

#[test]
fn the_sql_works_with_any_search_path() {
    let (cluster, workspace) = set_up(&CASE);
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

cases! {
    mod owner_of_the_schema;

    fn other_role() = Case {
        breaks: "ALTER SCHEMA aura OWNER TO other; GRANT ALL ON SCHEMA aura TO aura_user; \
                 ALTER DEFAULT PRIVILEGES FOR ROLE other IN SCHEMA aura GRANT ALL ON TABLES TO aura_user; \
                 ALTER DEFAULT PRIVILEGES FOR ROLE other IN SCHEMA aura GRANT ALL ON SEQUENCES TO aura_user",
        warns: &["ownership"],
        setup: Setup::Warns(&["ownership"]),
        ..CASE
    };
}

#[test]
fn a_security_definer_function_keeps_its_owner() {
    let (cluster, workspace) = set_up(&CASE);
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
    let run = workspace.verify().exits(0).shows("security-definer");
    assert_eq!(run.with_status("warn"), ["ownership"]);
    cluster.sql("aura_db", &run.fix("ownership"));
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}
