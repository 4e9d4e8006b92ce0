//! Objects in the wrong place: strays, a migration tool's books, another application's own.

use tests::{Cluster, seen};

use crate::case::{CASE, Case, Mend, Setup, check, fresh};

/// `db-setup` moves nothing and drops nothing: it ends with the same finding.
const FOUND: Setup = Setup::Refuses(3, "\"fail\"");

#[test]
fn strays_are_found_and_mended() {
    check(&[
        Case {
            name: "a table of the superuser's in public",
            breaks: "CREATE TABLE public.sketch (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)",
            fails: &["strays"],
            says: &["table public.sketch lies outside aura"],
            setup: FOUND,
            mend: Mend::ByHand,
            ..CASE
        },
        Case {
            name: "a table of the app's in public, where it may create",
            breaks: "GRANT CREATE ON SCHEMA public TO aura_user; SET ROLE aura_user; \
                     CREATE TABLE public.sketch (id serial PRIMARY KEY); RESET ROLE",
            fails: &["strays"],
            warns: &["public-create"],
            setup: FOUND,
            mend: Mend::ByHand,
            ..CASE
        },
        Case {
            name: "the app's objects in a schema of another name",
            breaks: r#"CREATE SCHEMA "Old one"; CREATE TABLE "Old one".sketch (id int); CREATE VIEW "Old one".v AS SELECT 1;
                       ALTER TABLE "Old one".sketch OWNER TO aura_user; ALTER VIEW "Old one".v OWNER TO aura_user"#,
            fails: &["strays"],
            says: &["and 1 more object"],
            setup: FOUND,
            mend: Mend::ByHand,
            ..CASE
        },
        Case {
            name: "a partitioned table in public",
            breaks: "CREATE TABLE public.visit (id int, at date) PARTITION BY RANGE (at); \
                     CREATE TABLE public.visit_2026 PARTITION OF public.visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
            fails: &["strays"],
            setup: FOUND,
            mend: Mend::ByHand,
            ..CASE
        },
        Case {
            name: "every other kind in public",
            breaks: "CREATE VIEW public.v AS SELECT 1; CREATE MATERIALIZED VIEW public.m AS SELECT 1; \
                     CREATE SEQUENCE public.s; CREATE TYPE public.mood AS ENUM ('calm'); CREATE DOMAIN public.d AS text; \
                     CREATE TYPE public.span AS RANGE (SUBTYPE = int); CREATE TYPE public.pair AS (a int); \
                     CREATE FUNCTION public.f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'; \
                     CREATE AGGREGATE public.sum_of (bigint) (SFUNC = int8pl, STYPE = bigint)",
            fails: &["strays"],
            says: &["and 8 more objects"],
            setup: FOUND,
            mend: Mend::ByHand,
            ..CASE
        },
    ]);
}

#[test]
fn what_is_another_applications_is_left_to_it() {
    let left = Setup::Refuses(0, "another application may live there");
    check(&[
        Case {
            name: "a table in public",
            breaks: "CREATE TABLE public.blog (id serial PRIMARY KEY); ALTER TABLE public.blog OWNER TO other",
            warns: &["strays"],
            says: &["table public.blog belongs to other: another application may live there"],
            mend: Mend::Person,
            setup: left,
            ..CASE
        },
        Case {
            name: "an empty table named like one of ours, and a migration tool's books",
            breaks: "CREATE TABLE public.core_user (id int); ALTER TABLE public.core_user OWNER TO other; \
                     CREATE TABLE public.schema_migrations (version text); ALTER TABLE public.schema_migrations OWNER TO other",
            warns: &["duplicates", "bookkeeping"],
            says: &["table public.core_user belongs to other: another application may live there"],
            mend: Mend::Person,
            setup: left,
            ..CASE
        },
    ]);

    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql(
        "aura_db",
        "CREATE TABLE public.blog (id int); ALTER TABLE public.blog OWNER TO other; CREATE TABLE public.sketch (id int)",
    );
    let run = workspace.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["strays"]);
    let message = run.check("strays")["message"].to_string();
    assert!(message.contains("table public.sketch lies outside aura; table public.blog belongs to other"), "{message}");
    assert!(run.fix("strays").contains("public.sketch") && !run.fix("strays").contains("blog"), "{}", run.stdout);

    // It keeps nobody from recording what was migrated: the next setup skips the command.
    cluster.sql("aura_db", "DROP TABLE public.sketch; COMMENT ON SCHEMA aura IS NULL");
    workspace.run(&["db-setup"]).exits(0);
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");

    // Who makes tables in aura makes them for the app.
    cluster.sql("aura_db", "CREATE TABLE aura.lent (id int); ALTER TABLE aura.lent OWNER TO other");
    let run = workspace.verify().exits(3);
    assert!(run.fix("strays").contains("ALTER TABLE public.blog SET SCHEMA aura"), "{}", run.stdout);
}

#[test]
fn f27_a_migration_tools_books_in_public() {
    let came = check(&[
        Case {
            name: "everything, and the next table goes to aura",
            breaks: "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'aura' LOOP \
                     EXECUTE format('ALTER TABLE aura.%I SET SCHEMA public', t); END LOOP; END $$; \
                     SET ROLE aura_user; SET search_path = aura, public; CREATE TABLE newest (id int); RESET ROLE",
            fails: &["strays", "bookkeeping"],
            // Nor do the app's own migrations go on from there.
            setup: Setup::Refuses(1, "refinery_schema_history is in schema public"),
            mend: Mend::ByHand,
            ..CASE
        },
        Case {
            name: "another tool's",
            breaks: "CREATE TABLE public.django_migrations (id bigint GENERATED BY DEFAULT AS IDENTITY, app text)",
            fails: &["bookkeeping"],
            says: &["public.django_migrations keeps a migration tool's books outside aura"],
            setup: FOUND,
            mend: Mend::ByHand,
            ..CASE
        },
        Case {
            name: "the present tool's, with data, beside new tables in aura",
            breaks: "CREATE TABLE public.refinery_schema_history (LIKE aura.refinery_schema_history); \
                     INSERT INTO public.refinery_schema_history SELECT * FROM aura.refinery_schema_history; \
                     CREATE TABLE public.loans (id int); GRANT SELECT ON ALL TABLES IN SCHEMA public TO aura_user",
            fails: &["strays", "bookkeeping"],
            says: &["public.loans"],
            mend: Mend::Partly,
            setup: FOUND,
            ..CASE
        },
    ]);
    seen(&came);
}

#[test]
fn tables_that_lie_elsewhere_are_not_made_once_more() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql("aura_db", "ALTER SCHEMA aura RENAME TO \"Aura\"");
    let before = (cluster.dump("aura_db"), cluster.globals());
    let run = workspace.verify().exits(3);
    assert_eq!(run.fix("schema"), "ALTER SCHEMA \"Aura\" RENAME TO aura;");
    let message = run.message("schema");
    assert!(
        message.contains("25 of the app's tables lie elsewhere, in \"Aura\": run neither db-setup nor the migrations"),
        "{message}"
    );
    workspace.run(&["db-verify", "--fix"]).exits(3);
    workspace.run(&["db-setup"]).exits(1).complains("the app's tables seem to lie elsewhere");
    workspace.run(&["db-migrate"]).exits(3);
    assert!(before == (cluster.dump("aura_db"), cluster.globals()), "something was made");
    cluster.sql("aura_db", &run.fix("schema"));
    workspace.verify().exits(0);
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
}
