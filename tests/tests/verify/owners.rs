//! Objects of the app's schema that another role owns.

mod acting;

use tests::{Run, psql};

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

    fn text_search_objects_statistics_and_a_foreign_table() = Case {
        breaks: "CREATE TEXT SEARCH DICTIONARY aura.words (TEMPLATE = simple); \
                 CREATE TEXT SEARCH CONFIGURATION aura.words (COPY = simple); \
                 CREATE STATISTICS aura.note_stats ON id, title FROM aura.notes_note; \
                 CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere; \
                 CREATE FOREIGN TABLE aura.far (id int) SERVER nowhere",
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
    mod children;

    fn of_another_owner() = Case {
        breaks: "SET ROLE aura_user; CREATE TABLE aura.event (id int, at date) PARTITION BY RANGE (at); RESET ROLE; \
                 CREATE TABLE aura.e20 PARTITION OF aura.event FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
        fails: &["ownership"],
        ..CASE
    };
}

#[test]
fn partitions_in_another_schema_belong_to_their_table() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        "CREATE SCHEMA archive; GRANT USAGE ON SCHEMA archive TO aura_user; SET ROLE aura_user; \
         CREATE TABLE aura.event (id int, at date) PARTITION BY RANGE (at); CREATE TABLE aura.place (id int); RESET ROLE; \
         CREATE TABLE archive.e19 (id int, at date) PARTITION BY RANGE (at); \
         CREATE TABLE archive.e19a PARTITION OF archive.e19 FOR VALUES FROM ('2019-01-01') TO ('2019-07-01'); \
         ALTER TABLE aura.event ATTACH PARTITION archive.e19 FOR VALUES FROM ('2019-01-01') TO ('2020-01-01'); \
         CREATE TABLE archive.old_place () INHERITS (aura.place); ALTER TABLE archive.e19 OWNER TO other; \
         ALTER TABLE archive.e19a OWNER TO other; ALTER TABLE archive.old_place OWNER TO other",
    );
    let url = cluster.url("aura_user", "the-app's", "aura_db");
    let alter = "ALTER TABLE aura.event ADD COLUMN a int; ALTER TABLE aura.place ADD COLUMN a int";
    let altered = || psql(&url, &["-v", "ON_ERROR_STOP=1"], alter);
    altered().exits(3).complains("must be owner of table e19");
    // What lies elsewhere is for a person.
    for command in [&["db-verify", "--fix"][..], &["db-setup"]] {
        workspace.run(command).exits(3);
    }
    let run = workspace.verify().exits(3).shows("partitions-in-another-schema");
    assert_eq!(run.with_status("fail"), ["ownership"]);
    cluster.sql("aura_db", &run.fix("ownership"));
    altered().exits(0);
    // Now they are the app's, and lie outside its schema.
    let run = workspace.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["strays"]);
    workspace.run(&["db-move", "--from", "archive"]).exits(0);
    workspace.verify().exits(0);
}

/// What an extension keeps in a schema of its own for the app, as Timescale does with the chunks of a table.
#[test]
fn chunks_in_the_schema_of_an_extension_are_no_strays() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        "CREATE SCHEMA chunks; GRANT USAGE, CREATE ON SCHEMA chunks TO aura_user; ALTER EXTENSION plpgsql ADD SCHEMA chunks; \
         SET ROLE aura_user; CREATE TABLE aura.reading (at timestamptz); CREATE TABLE chunks.reading_1 () INHERITS (aura.reading); \
         CREATE VIEW chunks.partial_view_1 AS SELECT * FROM aura.reading",
    );
    workspace.run(&["db-setup"]).exits(0);
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
    // A migration that fills a table makes some.
    let migration = "psql -X -q -v ON_ERROR_STOP=1 -c 'CREATE TABLE chunks.reading_2 () INHERITS (aura.reading)'";
    let migrated = workspace.command(&["db-migrate"]).env("MIGRATE_COMMAND", migration).output().unwrap();
    Run::of(migration.to_owned(), migrated).exits(0);
    // What lies in any other schema is a stray.
    cluster.sql("aura_db", "ALTER EXTENSION plpgsql DROP SCHEMA chunks");
    let failed = workspace.verify().exits(3).with_status("fail");
    assert!(failed.contains(&"strays".to_owned()), "{failed:?}");
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
