//! Functions that lead out of the schema, by their text or by their own search_path.

use crate::case::{CASE, Case, Mend, Setup, check};

const FAILED: Setup = Setup::Refuses(3, "function-bodies");
const WARNED: Setup = Setup::Refuses(0, "function-bodies");

#[test]
fn texts_that_name_another_schema() {
    check(&[
        Case {
            name: "a table that public does not have",
            breaks: "SET check_function_bodies = off; SET ROLE aura_user; CREATE FUNCTION aura.notes(of bigint) RETURNS bigint \
                     LANGUAGE sql AS 'SELECT count(*) FROM public.notes_note WHERE id = $1'",
            fails: &["function-bodies"],
            says: &["function aura.notes(bigint) names public.notes_note, of which there is none"],
            mend: Mend::Person,
            setup: FAILED,
            ..CASE
        },
        Case {
            name: "a copy in another schema, by dynamic SQL, in capitals and in quotes",
            breaks: r#"CREATE SCHEMA "Attic"; CREATE TABLE "Attic".core_user (id int); GRANT USAGE ON SCHEMA "Attic" TO PUBLIC;
                       SET ROLE aura_user; CREATE FUNCTION aura.users() RETURNS void LANGUAGE plpgsql AS
                       $$ BEGIN EXECUTE 'SELECT count(*) FROM "Attic" . CORE_USER'; END $$"#,
            fails: &["function-bodies"],
            says: &["names \\\"Attic\\\".core_user, and not aura.core_user, which the app uses"],
            mend: Mend::Person,
            setup: FAILED,
            ..CASE
        },
        Case {
            name: "something of somebody's, which works",
            since: 14,
            breaks: "CREATE SCHEMA shop; CREATE TABLE shop.price (id int); GRANT USAGE ON SCHEMA shop TO PUBLIC; \
                     GRANT SELECT ON shop.price TO PUBLIC; SET ROLE aura_user; \
                     CREATE PROCEDURE aura.reprice() LANGUAGE sql BEGIN ATOMIC SELECT * FROM shop.price; END",
            warns: &["function-bodies"],
            says: &["names shop.price: no search_path leads it elsewhere, should that ever move"],
            mend: Mend::Person,
            setup: WARNED,
            ..CASE
        },
    ]);
}

#[test]
fn search_paths_of_functions_own() {
    check(&[
        Case {
            name: "public alone",
            breaks: "SET ROLE aura_user; CREATE FUNCTION aura.f(a text, b aura.notes_note) RETURNS int \
                     LANGUAGE sql SET search_path = public AS 'SELECT 1'",
            warns: &["function-bodies"],
            mend: Mend::ByHand,
            says: &["sets its own search_path to public: by a bare name it does not find what lies in aura"],
            setup: WARNED,
            ..CASE
        },
        Case {
            name: "as it was meant, and pg_temp last",
            breaks: "CREATE SCHEMA audit; CREATE TABLE audit.log (id int); GRANT USAGE ON SCHEMA audit TO PUBLIC; \
                     SET ROLE aura_user; CREATE FUNCTION aura.note() RETURNS int LANGUAGE sql SECURITY DEFINER \
                     SET search_path = audit, pg_temp AS 'SELECT 1'",
            warns: &["function-bodies"],
            mend: Mend::ByHand,
            setup: WARNED,
            ..CASE
        },
        Case {
            name: "another schema first, and one that does not exist",
            breaks: "CREATE SCHEMA shop; SET ROLE aura_user; \
                     CREATE PROCEDURE aura.p() LANGUAGE sql SET search_path = shop, aura AS 'SELECT 1'; \
                     CREATE FUNCTION aura.g() RETURNS int LANGUAGE sql SET search_path = aurra, public AS 'SELECT 1'",
            warns: &["function-bodies"],
            mend: Mend::ByHand,
            says: &["function aura.g() sets its own search_path to aurra, public", "and 1 more function"],
            setup: WARNED,
            ..CASE
        },
    ]);
}
