//! Objects of the schema that are there twice: which of them can go.

use tests::seen;

use crate::case::{CASE, Case, Mend, Setup, check};

/// `db-setup` moves nothing and drops nothing: it ends with the same finding.
const FOUND: Setup = Setup::Refuses(3, "\"fail\"");

#[test]
fn copies_are_found_and_the_empty_one_goes() {
    check(&[
        Case {
            name: "empty in public, full in aura",
            breaks: "CREATE TABLE public.artworks_support (LIKE aura.artworks_support)",
            fails: &["duplicates"],
            says: &[
                "table artworks_support is there twice, in public and in aura: it has 0 rows in public and",
                "rows in aura",
            ],
            setup: FOUND,
            mend: Mend::ByHand,
            ..CASE
        },
        Case {
            name: "full in public, empty in aura",
            breaks: "CREATE TABLE public.notes_note (LIKE aura.notes_note INCLUDING ALL); \
                     INSERT INTO public.notes_note SELECT nextval('public.notes_note_id_seq'), 'a', 'b', false, now(), now(), 1; \
                     GRANT SELECT ON public.notes_note TO aura_user",
            fails: &["duplicates"],
            says: &["it has 1 row in public and 0 rows in aura"],
            setup: FOUND,
            mend: Mend::ByHand,
            ..CASE
        },
        Case {
            name: "full in both",
            breaks: "CREATE TABLE public.artworks_support AS SELECT * FROM aura.artworks_support LIMIT 3; \
                     GRANT SELECT ON public.artworks_support TO aura_user",
            fails: &["duplicates"],
            says: &["it has 3 rows in public and", "rows in aura", "look at both before either goes"],
            mend: Mend::Person,
            setup: FOUND,
            ..CASE
        },
        Case {
            name: "a copy that may not be read",
            breaks: "CREATE TABLE public.artworks_support (id int); INSERT INTO public.artworks_support VALUES (1)",
            fails: &["duplicates"],
            says: &["has rows that cannot be counted in public", "look at both before either goes"],
            mend: Mend::Person,
            setup: FOUND,
            ..CASE
        },
        Case {
            name: "a copy whose rows row level security hides",
            breaks: "CREATE TABLE public.artworks_support (id int); INSERT INTO public.artworks_support VALUES (1); \
                     ALTER TABLE public.artworks_support ENABLE ROW LEVEL SECURITY; \
                     GRANT SELECT ON public.artworks_support TO aura_user",
            fails: &["duplicates"],
            says: &["has rows that cannot be counted in public", "look at both before either goes"],
            mend: Mend::Person,
            setup: FOUND,
            ..CASE
        },
        Case {
            name: "a view named like a table",
            breaks: "CREATE VIEW public.notes_note AS SELECT 1 AS a",
            fails: &["duplicates"],
            says: &["view notes_note is there twice", "look at both before either goes"],
            mend: Mend::Person,
            setup: FOUND,
            ..CASE
        },
        Case {
            name: "other kinds named like a table, and a table named like a view",
            breaks: "CREATE MATERIALIZED VIEW public.core_user AS SELECT 1 AS a; CREATE SEQUENCE public.notes_note; \
                     SET ROLE aura_user; CREATE VIEW aura.latest AS SELECT 1 AS a; RESET ROLE; \
                     CREATE TABLE public.latest (a int)",
            fails: &["duplicates"],
            says: &["3 objects of public are there twice", "look at both before either goes"],
            mend: Mend::Person,
            setup: FOUND,
            ..CASE
        },
        Case {
            name: "one empty, the other uncountable",
            breaks: "CREATE TABLE public.notes_note (id int); INSERT INTO public.notes_note VALUES (1)",
            fails: &["duplicates"],
            says: &["it has rows that cannot be counted in public and 0 rows in aura", "look at both"],
            mend: Mend::Person,
            setup: FOUND,
            ..CASE
        },
        Case {
            name: "copies in two places",
            breaks: "CREATE TABLE public.notes_note (LIKE aura.notes_note); \
                     CREATE SCHEMA attic; GRANT USAGE ON SCHEMA attic TO PUBLIC; \
                     CREATE TABLE attic.core_user (LIKE aura.core_user); ALTER TABLE attic.core_user OWNER TO aura_user",
            fails: &["duplicates"],
            says: &["2 objects of attic, public are there twice", "core_user has 0 rows in attic and 0 rows in aura"],
            setup: FOUND,
            mend: Mend::ByHand,
            ..CASE
        },
        Case {
            name: "a type and a function of the same names",
            breaks: "SET ROLE aura_user; CREATE TYPE aura.mood AS ENUM ('calm'); \
                     CREATE FUNCTION aura.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; RESET ROLE; \
                     CREATE TYPE public.mood AS ENUM ('calm'); \
                     CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            fails: &["duplicates"],
            mend: Mend::Person,
            setup: FOUND,
            ..CASE
        },
    ]);
}

#[test]
fn an_empty_copy_that_others_refer_to_stays() {
    check(&[
        Case {
            name: "empty in aura, where a foreign key refers to it",
            breaks: "CREATE TABLE public.auth_group (LIKE aura.auth_group INCLUDING ALL); \
                     INSERT INTO public.auth_group (id, name) VALUES (1, 'a'); \
                     GRANT SELECT ON public.auth_group TO aura_user",
            fails: &["duplicates"],
            says: &["it has 1 row in public and 0 rows in aura", "others refer to the empty one"],
            mend: Mend::Person,
            setup: FOUND,
            ..CASE
        },
        Case {
            name: "empty in public, where a view in a third place refers to it",
            breaks: "CREATE TABLE public.artworks_support (LIKE aura.artworks_support); \
                     CREATE SCHEMA attic; CREATE VIEW attic.v AS SELECT * FROM public.artworks_support",
            fails: &["duplicates"],
            says: &["it has 0 rows in public", "others refer to the empty one"],
            mend: Mend::Person,
            setup: FOUND,
            ..CASE
        },
        Case {
            name: "empty in public, where one that holds rows refers to it through another",
            breaks: "CREATE TABLE public.core_user (id int PRIMARY KEY); \
                     CREATE TABLE public.notes_note (id int PRIMARY KEY, of_user int REFERENCES public.core_user); \
                     CREATE TABLE public.artworks_support (id int, of_note int REFERENCES public.notes_note); \
                     INSERT INTO public.artworks_support VALUES (1, NULL); GRANT SELECT ON ALL TABLES IN SCHEMA public TO aura_user",
            fails: &["duplicates"],
            mend: Mend::Person,
            setup: FOUND,
            ..CASE
        },
        Case {
            name: "empty in public, where only one another refer to them",
            breaks: "CREATE TABLE public.core_user (id serial PRIMARY KEY); \
                     CREATE TABLE public.notes_note (id serial PRIMARY KEY, of_user int REFERENCES public.core_user, \
                                                     of_note int REFERENCES public.notes_note)",
            fails: &["duplicates"],
            setup: FOUND,
            mend: Mend::ByHand,
            ..CASE
        },
        Case {
            name: "an empty partition",
            breaks: "CREATE SCHEMA attic; CREATE TABLE attic.visit (id int) PARTITION BY LIST (id); \
                     CREATE TABLE public.artworks_support PARTITION OF attic.visit FOR VALUES IN (1)",
            fails: &["duplicates"],
            mend: Mend::Person,
            setup: FOUND,
            ..CASE
        },
        Case {
            name: "an extension's own, empty in aura",
            breaks: "CREATE EXTENSION hstore SCHEMA public; SET ROLE aura_user; CREATE TABLE aura.t (id int); RESET ROLE; \
                     ALTER EXTENSION hstore ADD TABLE aura.t; CREATE TABLE public.t (id int); \
                     INSERT INTO public.t VALUES (1); GRANT SELECT ON public.t TO aura_user",
            fails: &["duplicates"],
            mend: Mend::Person,
            setup: FOUND,
            ..CASE
        },
    ]);
}

#[test]
fn f26_two_full_copies() {
    // The framework's way: all tables once more in public, some with rows.
    let copies = "DO $$ DECLARE t text; BEGIN \
                  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'aura' LOOP \
                      EXECUTE format('CREATE TABLE public.%I (LIKE aura.%I INCLUDING ALL)', t, t); \
                      EXECUTE format('ALTER TABLE public.%I OWNER TO aura_user', t); END LOOP; END $$; \
                  ALTER TABLE public.notes_note ADD FOREIGN KEY (user_id) REFERENCES public.core_user (id)";
    let came = check(&[
        Case {
            name: "one of them is empty",
            breaks: copies.to_owned().leak(),
            fails: &["duplicates", "bookkeeping"],
            says: &["24 objects of public are there twice", "has 0 rows in public", "with 19 more, 0 rows against"],
            setup: FOUND,
            mend: Mend::ByHand,
            ..CASE
        },
        Case {
            name: "both hold rows",
            breaks: format!(
                "{copies}; INSERT INTO public.artworks_support SELECT * FROM aura.artworks_support; \
                 INSERT INTO public.artworks_arttype SELECT * FROM aura.artworks_arttype LIMIT 2; \
                 INSERT INTO public.refinery_schema_history SELECT * FROM aura.refinery_schema_history"
            )
            .leak(),
            fails: &["duplicates", "bookkeeping"],
            says: &[
                "24 objects of public are there twice",
                "artworks_arttype has 2 rows in public and",
                "look at both before either goes",
            ],
            mend: Mend::Partly,
            setup: FOUND,
            ..CASE
        },
    ]);
    seen(&came);
}

#[test]
fn f34_if_not_exists_makes_a_second_one() {
    let came = check(&[Case {
        name: "aura.t beside public.t",
        breaks: "CREATE TABLE public.t (id int); INSERT INTO public.t VALUES (1), (2); GRANT SELECT ON public.t TO aura_user; \
                 SET ROLE aura_user; SET search_path = aura, public; CREATE TABLE IF NOT EXISTS t (id int); RESET ROLE",
        fails: &["duplicates"],
        says: &["it has 2 rows in public and 0 rows in aura"],
        mend: Mend::ByHand,
        setup: FOUND,
        ..CASE
    }]);
    seen(&came);
}
