//! Functions that lead out of the schema, by their text or by their own search_path.

use crate::case::{CASE, Case, Fix, Setup, cases};

const FAILED: Setup = Setup::Fails(&["function-bodies"]);
const WARNED: Setup = Setup::Warns(&["function-bodies"]);

cases! {
    mod bodies_with_another_schema;

    fn missing_table_in_public() = Case {
        breaks: "SET check_function_bodies = off; SET ROLE aura_user; CREATE FUNCTION aura.notes(of bigint) RETURNS bigint \
                 LANGUAGE sql AS 'SELECT count(*) FROM public.notes_note WHERE id = $1'",
        fails: &["function-bodies"],
        fix: Fix::Person,
        setup: FAILED,
        ..CASE
    };

    fn copy_in_another_schema() = Case {
        breaks: r#"CREATE SCHEMA "Attic"; CREATE TABLE "Attic".core_user (id int); GRANT USAGE ON SCHEMA "Attic" TO PUBLIC;
                   SET ROLE aura_user; CREATE FUNCTION aura.users() RETURNS void LANGUAGE plpgsql AS
                   $$ BEGIN EXECUTE 'SELECT count(*) FROM "Attic" . CORE_USER'; END $$"#,
        fails: &["function-bodies"],
        fix: Fix::Person,
        setup: FAILED,
        ..CASE
    };

    fn table_of_another_application() = Case {
        since: 14,
        breaks: "CREATE SCHEMA shop; CREATE TABLE shop.price (id int); GRANT USAGE ON SCHEMA shop TO PUBLIC; \
                 GRANT SELECT ON shop.price TO PUBLIC; SET ROLE aura_user; \
                 CREATE PROCEDURE aura.reprice() LANGUAGE sql BEGIN ATOMIC SELECT * FROM shop.price; END",
        warns: &["function-bodies"],
        fix: Fix::Person,
        setup: WARNED,
        ..CASE
    };
}

cases! {
    mod search_path_of_a_function;

    fn public_alone() = Case {
        breaks: "SET ROLE aura_user; CREATE FUNCTION aura.f(a text, b aura.notes_note) RETURNS int \
                 LANGUAGE sql SET search_path = public AS 'SELECT 1'",
        warns: &["function-bodies"],
        fix: Fix::ByHand,
        setup: WARNED,
        ..CASE
    };

    fn audit_and_pg_temp() = Case {
        breaks: "CREATE SCHEMA audit; CREATE TABLE audit.log (id int); GRANT USAGE ON SCHEMA audit TO PUBLIC; \
                 SET ROLE aura_user; CREATE FUNCTION aura.note() RETURNS int LANGUAGE sql SECURITY DEFINER \
                 SET search_path = audit, pg_temp AS 'SELECT 1'",
        warns: &["function-bodies"],
        fix: Fix::ByHand,
        setup: WARNED,
        ..CASE
    };

    fn another_schema_first() = Case {
        breaks: "CREATE SCHEMA shop; SET ROLE aura_user; \
                 CREATE PROCEDURE aura.p() LANGUAGE sql SET search_path = shop, aura AS 'SELECT 1'; \
                 CREATE FUNCTION aura.g() RETURNS int LANGUAGE sql SET search_path = aurra, public AS 'SELECT 1'",
        warns: &["function-bodies"],
        fix: Fix::ByHand,
        setup: WARNED,
        ..CASE
    };
}
