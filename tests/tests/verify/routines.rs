//! Functions that lead out of the schema, by their text or by their own search_path.

use crate::case::{CASE, Case, Fix, Setup, cases, set_up};

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

cases! {
    mod bodies_with_a_missing_schema;

    fn copy_of_a_table() = Case {
        breaks: "SET check_function_bodies = off; SET ROLE aura_user; CREATE FUNCTION aura.users() RETURNS bigint \
                 LANGUAGE sql AS 'SELECT count(*) FROM legacy.core_user'",
        fails: &["function-bodies"],
        fix: Fix::Person,
        setup: FAILED,
        ..CASE
    };

    fn table_of_nobody() = Case {
        breaks: "SET ROLE aura_user; CREATE FUNCTION aura.log() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN INSERT INTO \"legacy\" . log (id) VALUES (NEW.id); RETURN NEW; END $$",
        warns: &["function-bodies"],
        fix: Fix::Person,
        setup: WARNED,
        ..CASE
    };

    fn function_of_nobody() = Case {
        breaks: "SET ROLE aura_user; CREATE FUNCTION aura.tell() RETURNS void LANGUAGE plpgsql AS \
                 $$ DECLARE found int; BEGIN found := legacy.tell(1); END $$",
        warns: &["function-bodies"],
        fix: Fix::Person,
        setup: WARNED,
        ..CASE
    };
}

/// Aliases, variables, parameters and fields stand before a dot as schemas do.
#[test]
fn an_alias_is_no_missing_schema() {
    let (cluster, workspace) = set_up(&CASE);
    for (number, (arguments, language, body)) in [
        ("", "sql", "SELECT extract(epoch FROM t.created_at) FROM aura.notes_note t"),
        ("", "sql", "SELECT extract(epoch FROM notes_note.created_at) FROM aura.notes_note"),
        ("", "sql", "SELECT 1 FROM aura.notes_note AS t WHERE t.id IS DISTINCT FROM t.id"),
        ("f aura.notes_note", "plpgsql", "BEGIN RETURN extract(epoch FROM f.created_at); END"),
        ("", "plpgsql", "DECLARE r record; BEGIN FOR r IN SELECT 1 AS a LOOP PERFORM r.a; UPDATE aura.notes_note SET id = id WHERE id = r.a; END LOOP; RETURN 1; END"),
        ("", "plpgsql", "<<outer>> DECLARE x int := 1; BEGIN PERFORM outer.x; RETURN outer.x; END"),
        ("id int", "plpgsql", "BEGIN PERFORM g6.id; RETURN 1; END"),
        ("", "plpgsql", "BEGIN -- FROM legacy.core_user\n RETURN 1; END"),
        ("", "plpgsql", "BEGIN EXECUTE format('SELECT 1 FROM %I.%I', 'a', 'b'); RETURN 1; END"),
        ("", "plpgsql", "BEGIN PERFORM pg_catalog.now(); RETURN (SELECT count(*) FROM information_schema.tables); END"),
    ]
    .into_iter()
    .enumerate()
    {
        cluster.sql(
            "aura_db",
            &format!(
                "SET check_function_bodies = off; SET ROLE aura_user; \
                 CREATE FUNCTION aura.g{number}({arguments}) RETURNS float8 LANGUAGE {language} AS $f$ {body} $f$"
            ),
        );
        let run = workspace.verify().exits(0);
        assert_eq!(run.with_status("warn"), [""; 0], "{body}: {}", run.message("function-bodies"));
    }
}
