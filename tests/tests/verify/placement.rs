//! Objects in the wrong schema: strays, a migration tool's bookkeeping, another application's objects.

use crate::case::{CASE, Case, Fix, Setup, cases, set_up};

/// `db-setup` moves nothing and drops nothing: it ends with the same finding.
const FOUND: Setup = Setup::Fails(&["strays"]);

cases! {
    mod strays;

    fn table_of_the_superuser() = Case {
        breaks: "CREATE TABLE public.sketch (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)",
        fails: &["strays"],
        fix: Fix::Move(&[]),
        setup: FOUND,
        ..CASE
    };

    fn table_of_the_app() = Case {
        breaks: "GRANT CREATE ON SCHEMA public TO aura_user; SET ROLE aura_user; \
                 CREATE TABLE public.sketch (id serial PRIMARY KEY); RESET ROLE",
        fails: &["strays"],
        warns: &["public-create"],
        fix: Fix::Move(&[]),
        setup: FOUND,
        ..CASE
    };

    fn objects_in_a_schema_with_another_name() = Case {
        breaks: r#"CREATE SCHEMA "Old one"; CREATE TABLE "Old one".sketch (id int); CREATE VIEW "Old one".v AS SELECT 1;
                   ALTER TABLE "Old one".sketch OWNER TO aura_user; ALTER VIEW "Old one".v OWNER TO aura_user"#,
        fails: &["strays"],
        fix: Fix::Move(&["--from", "Old one"]),
        setup: FOUND,
        ..CASE
    };

    fn partitioned_table() = Case {
        breaks: "CREATE TABLE public.visit (id int, at date) PARTITION BY RANGE (at); \
                 CREATE TABLE public.visit_2026 PARTITION OF public.visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        fails: &["strays"],
        fix: Fix::Move(&[]),
        setup: FOUND,
        ..CASE
    };

    fn every_other_kind() = Case {
        breaks: "CREATE VIEW public.v AS SELECT 1; CREATE MATERIALIZED VIEW public.m AS SELECT 1; \
                 CREATE SEQUENCE public.s; CREATE TYPE public.mood AS ENUM ('calm'); CREATE DOMAIN public.d AS text; \
                 CREATE TYPE public.span AS RANGE (SUBTYPE = int); CREATE TYPE public.pair AS (a int); \
                 CREATE FUNCTION public.f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'; \
                 CREATE AGGREGATE public.sum_of (bigint) (SFUNC = int8pl, STYPE = bigint)",
        fails: &["strays"],
        fix: Fix::Move(&[]),
        setup: FOUND,
        ..CASE
    };
}

cases! {
    mod another_application;

    fn table_in_public() = Case {
        breaks: "CREATE TABLE public.blog (id serial PRIMARY KEY); ALTER TABLE public.blog OWNER TO other",
        warns: &["strays"],
        fix: Fix::Person,
        setup: Setup::Warns(&["strays"]),
        ..CASE
    };

    fn copy_and_bookkeeping() = Case {
        breaks: "CREATE TABLE public.core_user (id int); ALTER TABLE public.core_user OWNER TO other; \
                 CREATE TABLE public.schema_migrations (version text); ALTER TABLE public.schema_migrations OWNER TO other",
        warns: &["duplicates", "bookkeeping"],
        fix: Fix::Person,
        setup: Setup::Warns(&["duplicates", "bookkeeping"]),
        ..CASE
    };
}

/// An extension of the app's own, to which a migration adds what it has made.
macro_rules! in_an_extension {
    ($makes:literal, $adds:literal) => {
        concat!(
            "GRANT CREATE ON SCHEMA public TO aura_user; SET ROLE aura_user; CREATE EXTENSION hstore SCHEMA public; ",
            $makes,
            "; ALTER EXTENSION hstore ADD ",
            $adds,
            "; RESET ROLE; REVOKE CREATE ON SCHEMA public FROM aura_user"
        )
    };
}

cases! {
    mod in_an_extension_of_the_app;

    fn stray() = Case {
        breaks: in_an_extension!("CREATE TABLE public.sketch (id int)", "TABLE public.sketch"),
        warns: &["strays"],
        fix: Fix::Person,
        setup: Setup::Warns(&["strays"]),
        ..CASE
    };

    fn copy() = Case {
        breaks: in_an_extension!("CREATE TABLE public.core_user (id int)", "TABLE public.core_user"),
        fails: &["duplicates"],
        fix: Fix::Person,
        setup: Setup::Fails(&["duplicates"]),
        ..CASE
    };

    fn books() = Case {
        breaks: in_an_extension!("CREATE TABLE public.goose_db_version (id int)", "TABLE public.goose_db_version"),
        fails: &["bookkeeping"],
        fix: Fix::ByHand,
        setup: Setup::Fails(&["bookkeeping"]),
        ..CASE
    };

    fn body_that_names_another_schema() = Case {
        breaks: in_an_extension!(
            "CREATE FUNCTION aura.f() RETURNS bigint LANGUAGE sql SET search_path = public AS 'SELECT 1::bigint'",
            "FUNCTION aura.f()"
        ),
        warns: &["function-bodies"],
        fix: Fix::ByHand,
        setup: Setup::Warns(&["function-bodies"]),
        ..CASE
    };
}

#[test]
fn objects_of_another_application_stay() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        "CREATE TABLE public.blog (id int); ALTER TABLE public.blog OWNER TO other; CREATE TABLE public.sketch (id int)",
    );
    let run = workspace.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["strays"]);
    let run = run.shows("stray-and-table-of-another-application");
    assert_eq!(run.fix("strays"), "");

    // The setup records the migrations all the same: the next one skips the command.
    cluster.sql("aura_db", "DROP TABLE public.sketch; COMMENT ON SCHEMA aura IS NULL");
    workspace.run(&["db-setup"]).exits(0);
    workspace.run(&["db-setup"]).exits(0).shows("setup-with-a-table-of-another-application");

    // A role that makes tables in aura makes them for the app.
    cluster.sql("aura_db", "CREATE TABLE aura.lent (id int); ALTER TABLE aura.lent OWNER TO other");
    let run = workspace.verify().exits(3);
    assert!(run.fix("strays").contains("ALTER TABLE public.blog SET SCHEMA aura"), "{}", run.stdout);
}

cases! {
    mod bookkeeping_in_public;

    fn f27_all_tables_moved() = Case {
        breaks: "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'aura' LOOP \
                 EXECUTE format('ALTER TABLE aura.%I SET SCHEMA public', t); END LOOP; END $$; \
                 SET ROLE aura_user; SET search_path = aura, public; CREATE TABLE newest (id int); RESET ROLE",
        fails: &["strays", "bookkeeping", "drift"],
        // Nor do the app's own migrations go on from there.
        fix: Fix::Move(&[]),
        setup: Setup::Refuses,
        ..CASE
    };

    fn f27_table_of_another_tool() = Case {
        breaks: "CREATE TABLE public.django_migrations (id bigint GENERATED BY DEFAULT AS IDENTITY, app text)",
        fails: &["bookkeeping"],
        fix: Fix::Move(&[]),
        setup: Setup::Fails(&["bookkeeping"]),
        ..CASE
    };

    fn f27_rows_of_the_present_tool() = Case {
        breaks: "CREATE TABLE public.refinery_schema_history (LIKE aura.refinery_schema_history); \
                 INSERT INTO public.refinery_schema_history SELECT * FROM aura.refinery_schema_history; \
                 CREATE TABLE public.loans (id int); GRANT SELECT ON ALL TABLES IN SCHEMA public TO aura_user",
        fails: &["strays", "bookkeeping"],
        fix: Fix::Person,
        setup: Setup::Fails(&["strays", "bookkeeping"]),
        ..CASE
    };
}

#[test]
fn tables_that_lie_elsewhere_are_not_made_once_more() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("aura_db", "ALTER SCHEMA aura RENAME TO \"Aura\"");
    let before = (cluster.dump("aura_db"), cluster.globals());
    let run = workspace.verify().exits(3);
    assert_eq!(run.fix("schema"), "ALTER SCHEMA \"Aura\" RENAME TO aura;");
    let run = run.shows("renamed-schema");
    workspace.run(&["db-verify", "--fix"]).exits(3);
    workspace.run(&["db-setup"]).exits(1).shows("setup-with-a-renamed-schema");
    workspace.run(&["db-migrate"]).exits(3);
    assert!(before == (cluster.dump("aura_db"), cluster.globals()), "something was made");
    cluster.sql("aura_db", &run.fix("schema"));
    workspace.verify().exits(0);
    workspace.run(&["db-setup"]).exits(0).shows("schema-with-its-old-name");
}
