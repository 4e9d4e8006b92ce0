//! Objects of the schema that are there twice: which of them can go.

use crate::case::{CASE, Case, Fix, Setup, cases, set_up};

/// `db-setup` moves nothing and drops nothing: it ends with the same finding.
const FOUND: Setup = Setup::Fails(&["duplicates"]);

cases! {
    mod two_objects_of_one_name;

    fn empty_in_public() = Case {
        breaks: "CREATE TABLE public.artworks_support (LIKE aura.artworks_support)",
        fails: &["duplicates"],
        fix: Fix::ByHand,
        setup: FOUND,
        ..CASE
    };

    fn rows_in_both() = Case {
        breaks: "CREATE TABLE public.artworks_support AS SELECT * FROM aura.artworks_support LIMIT 3; \
                 GRANT SELECT ON public.artworks_support TO aura_user",
        fails: &["duplicates"],
        fix: Fix::Person,
        setup: FOUND,
        ..CASE
    };

    fn no_right_to_read_the_copy() = Case {
        breaks: "CREATE TABLE public.artworks_support (id int); INSERT INTO public.artworks_support VALUES (1)",
        fails: &["duplicates"],
        fix: Fix::Person,
        setup: FOUND,
        ..CASE
    };

    fn rows_hidden_by_row_level_security() = Case {
        breaks: "CREATE TABLE public.artworks_support (id int); INSERT INTO public.artworks_support VALUES (1); \
                 ALTER TABLE public.artworks_support ENABLE ROW LEVEL SECURITY; \
                 GRANT SELECT ON public.artworks_support TO aura_user",
        fails: &["duplicates"],
        fix: Fix::Person,
        setup: FOUND,
        ..CASE
    };

    fn view_named_like_a_table() = Case {
        breaks: "CREATE VIEW public.notes_note AS SELECT 1 AS a",
        fails: &["duplicates"],
        fix: Fix::Person,
        setup: FOUND,
        ..CASE
    };

    fn other_kinds_named_like_a_table() = Case {
        breaks: "CREATE MATERIALIZED VIEW public.core_user AS SELECT 1 AS a; CREATE SEQUENCE public.notes_note; \
                 SET ROLE aura_user; CREATE VIEW aura.latest AS SELECT 1 AS a; RESET ROLE; \
                 CREATE TABLE public.latest (a int)",
        fails: &["duplicates"],
        fix: Fix::Person,
        setup: FOUND,
        ..CASE
    };

    fn one_empty_and_one_uncounted() = Case {
        breaks: "CREATE TABLE public.notes_note (id int); INSERT INTO public.notes_note VALUES (1)",
        fails: &["duplicates"],
        fix: Fix::Person,
        setup: FOUND,
        ..CASE
    };

    fn copies_in_two_schemas() = Case {
        breaks: "CREATE TABLE public.notes_note (LIKE aura.notes_note); \
                 CREATE SCHEMA attic; GRANT USAGE ON SCHEMA attic TO PUBLIC; \
                 CREATE TABLE attic.core_user (LIKE aura.core_user); ALTER TABLE attic.core_user OWNER TO aura_user",
        fails: &["duplicates"],
        fix: Fix::ByHand,
        setup: FOUND,
        ..CASE
    };

    fn type_and_function() = Case {
        breaks: "SET ROLE aura_user; CREATE TYPE aura.mood AS ENUM ('calm'); \
                 CREATE FUNCTION aura.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; RESET ROLE; \
                 CREATE TYPE public.mood AS ENUM ('calm'); \
                 CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        fails: &["duplicates"],
        fix: Fix::Person,
        setup: FOUND,
        ..CASE
    };
}

cases! {
    mod empty_copies_with_references;

    fn foreign_key_to_the_one_in_aura() = Case {
        breaks: "CREATE TABLE public.auth_group (LIKE aura.auth_group INCLUDING ALL); \
                 INSERT INTO public.auth_group (id, name) VALUES (1, 'a'); \
                 GRANT SELECT ON public.auth_group TO aura_user",
        fails: &["duplicates"],
        fix: Fix::Person,
        setup: FOUND,
        ..CASE
    };

    fn view_in_a_third_schema() = Case {
        breaks: "CREATE TABLE public.artworks_support (LIKE aura.artworks_support); \
                 CREATE SCHEMA attic; CREATE VIEW attic.v AS SELECT * FROM public.artworks_support",
        fails: &["duplicates"],
        fix: Fix::Person,
        setup: FOUND,
        ..CASE
    };

    fn rows_refer_through_another_table() = Case {
        breaks: "CREATE TABLE public.core_user (id int PRIMARY KEY); \
                 CREATE TABLE public.notes_note (id int PRIMARY KEY, of_user int REFERENCES public.core_user); \
                 CREATE TABLE public.artworks_support (id int, of_note int REFERENCES public.notes_note); \
                 INSERT INTO public.artworks_support VALUES (1, NULL); GRANT SELECT ON ALL TABLES IN SCHEMA public TO aura_user",
        fails: &["duplicates"],
        fix: Fix::Person,
        setup: FOUND,
        ..CASE
    };

    fn only_empty_tables_refer() = Case {
        breaks: "CREATE TABLE public.core_user (id serial PRIMARY KEY); \
                 CREATE TABLE public.notes_note (id serial PRIMARY KEY, of_user int REFERENCES public.core_user, \
                                                 of_note int REFERENCES public.notes_note)",
        fails: &["duplicates"],
        fix: Fix::ByHand,
        setup: FOUND,
        ..CASE
    };

    fn empty_partition() = Case {
        breaks: "CREATE SCHEMA attic; CREATE TABLE attic.visit (id int) PARTITION BY LIST (id); \
                 CREATE TABLE public.artworks_support PARTITION OF attic.visit FOR VALUES IN (1)",
        fails: &["duplicates"],
        fix: Fix::Person,
        setup: FOUND,
        ..CASE
    };

    fn table_of_an_extension() = Case {
        breaks: "CREATE EXTENSION hstore SCHEMA public; SET ROLE aura_user; CREATE TABLE aura.t (id int); RESET ROLE; \
                 ALTER EXTENSION hstore ADD TABLE aura.t; CREATE TABLE public.t (id int); \
                 INSERT INTO public.t VALUES (1); GRANT SELECT ON public.t TO aura_user",
        fails: &["duplicates"],
        fix: Fix::Person,
        setup: FOUND,
        ..CASE
    };
}

/// A framework's way: all tables once more in public.
const ALL_TABLES: &str = "DO $$ DECLARE t text; BEGIN \
         FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'aura' LOOP \
             EXECUTE format('CREATE TABLE public.%I (LIKE aura.%I INCLUDING ALL)', t, t); \
             EXECUTE format('ALTER TABLE public.%I OWNER TO aura_user', t); END LOOP; END $$; \
         ALTER TABLE public.notes_note ADD FOREIGN KEY (user_id) REFERENCES public.core_user (id)";

cases! {
    mod all_tables_twice;

    fn f26_public_is_empty() = Case {
        breaks: ALL_TABLES,
        fails: &["duplicates", "bookkeeping"],
        fix: Fix::ByHand,
        setup: Setup::Fails(&["duplicates", "bookkeeping"]),
        ..CASE
    };

    fn f26_rows_in_both() = Case {
        breaks: format!(
            "{ALL_TABLES}; INSERT INTO public.artworks_support SELECT * FROM aura.artworks_support; \
             INSERT INTO public.artworks_arttype SELECT * FROM aura.artworks_arttype LIMIT 2; \
             INSERT INTO public.refinery_schema_history SELECT * FROM aura.refinery_schema_history"
        )
        .leak(),
        fails: &["duplicates", "bookkeeping"],
        fix: Fix::Partly,
        setup: Setup::Fails(&["duplicates", "bookkeeping"]),
        ..CASE
    };
}

cases! {
    mod create_if_not_exists;

    fn f34_second_table_in_aura() = Case {
        breaks: "CREATE TABLE public.t (id int); INSERT INTO public.t VALUES (1), (2); GRANT SELECT ON public.t TO aura_user; \
                 SET ROLE aura_user; SET search_path = aura, public; CREATE TABLE IF NOT EXISTS t (id int); RESET ROLE",
        fails: &["duplicates"],
        fix: Fix::Move(&["--replace-empty"]),
        setup: FOUND,
        ..CASE
    };
}

#[test]
fn the_empty_copy_in_aura_goes_and_what_the_other_lacks_is_said() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        "CREATE TABLE public.notes_note (LIKE aura.notes_note INCLUDING ALL); \
         INSERT INTO public.notes_note SELECT nextval('public.notes_note_id_seq'), 'a', 'b', false, now(), now(), 1; \
         GRANT SELECT ON public.notes_note TO aura_user",
    );
    let run = workspace.verify().exits(3).shows("two-objects-of-one-name/empty-in-aura");
    assert_eq!(run.with_status("fail"), ["duplicates"]);
    workspace.run(&["db-move", "--replace-empty"]);
    workspace.run(&["db-verify", "--fix"]);
    // A copy by LIKE has no foreign key.
    let run = workspace.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["drift"]);
    assert!(
        run.message("drift").contains("missing: constraint notes_note_user_id_be6c80b4_fk_core_user_id of notes_note")
    );
    workspace.run(&["db-setup", "--accept-drift"]).exits(0);
    assert!(workspace.verify().exits(0).with_status("fail").is_empty());
}

/// An expression of the app's own may never end: the rows are unknown then, and the verdict comes all the same.
#[test]
fn a_table_that_never_answers_is_not_waited_for() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        "SET ROLE aura_user; CREATE FUNCTION aura.slow(id int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN \
             IF current_setting('slow.off', true) IS NULL THEN PERFORM pg_sleep(100000); END IF; RETURN true; END $$; \
         RESET ROLE; CREATE TABLE public.core_user (id int); ALTER TABLE public.core_user OWNER TO aura_user; \
         SET slow.off = 'yes'; CREATE INDEX ON public.core_user (id) WHERE aura.slow(1)",
    );
    let run = workspace.verify().exits(3).shows("table-that-never-answers");
    assert_eq!(run.with_status("fail"), ["duplicates"]);
}
