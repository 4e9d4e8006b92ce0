//! What an administrator's session does on the app's behalf: gives objects to the app's role, creates extensions, runs
//! DDL under event triggers.

use tests::{Cluster, psql};

/// Whoever owns a function decides what runs wherever it is used.
#[test]
fn a_function_that_others_use_is_not_handed_over() {
    let (cluster, workspace) = Cluster::set_up();
    // What is planted is no part of the migrations.
    let workspace = workspace.with("DB_DRIFT_IGNORE", "*");
    cluster.sql(
        "aura_db",
        "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.t (n int);
         CREATE FUNCTION aura.audit() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER audit ON ddl_command_end EXECUTE FUNCTION aura.audit();
         CREATE FUNCTION aura.on_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER t BEFORE INSERT ON elsewhere.t FOR EACH ROW EXECUTE FUNCTION aura.on_row();
         CREATE FUNCTION aura.in_view() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE VIEW elsewhere.v AS SELECT aura.in_view();
         CREATE FUNCTION aura.in_default() RETURNS int LANGUAGE sql AS 'SELECT 1';
         ALTER TABLE elsewhere.t ALTER n SET DEFAULT aura.in_default();
         CREATE FUNCTION aura.in_check(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
         CREATE DOMAIN elsewhere.d AS int CHECK (aura.in_check(VALUE));
         CREATE FUNCTION aura.in_index(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
         CREATE INDEX ON elsewhere.t (aura.in_index(n));
         CREATE FUNCTION aura.in_policy() RETURNS bool LANGUAGE sql AS 'SELECT true';
         CREATE POLICY p ON elsewhere.t USING (aura.in_policy());
         CREATE FUNCTION aura.in_operator(int, int) RETURNS bool LANGUAGE sql AS 'SELECT true';
         CREATE OPERATOR elsewhere.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = aura.in_operator);
         CREATE FUNCTION aura.in_aggregate(int, int) RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE AGGREGATE elsewhere.a (int) (SFUNC = aura.in_aggregate, STYPE = int);
         CREATE TYPE elsewhere.e AS ENUM ('a');
         CREATE FUNCTION aura.in_cast(elsewhere.e) RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE CAST (elsewhere.e AS int) WITH FUNCTION aura.in_cast(elsewhere.e);
         -- These go with what uses them.
         CREATE TABLE aura.own (n int);
         CREATE FUNCTION aura.own_default() RETURNS int LANGUAGE sql AS 'SELECT 1';
         ALTER TABLE aura.own ALTER n SET DEFAULT aura.own_default();
         CREATE FUNCTION aura.own_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER t BEFORE INSERT ON aura.own FOR EACH ROW EXECUTE FUNCTION aura.own_trigger();
         CREATE FUNCTION aura.own_check(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
         CREATE DOMAIN aura.own_domain AS int CHECK (aura.own_check(VALUE));
         CREATE FUNCTION aura.unused() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    );
    let functions = |owner: &str| {
        cluster.value(
            "aura_db",
            &format!(
                "SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc
                 WHERE pronamespace = 'aura'::regnamespace AND proowner = '{owner}'::regrole"
            ),
        )
    };
    let kept = "audit in_aggregate in_cast in_check in_default in_index in_operator in_policy in_view on_row";
    for command in [&["db-verify", "--fix"][..], &["db-setup"]] {
        workspace.run(command).exits(0);
        assert_eq!(functions("postgres"), kept, "{command:?}");
    }
    assert_eq!(functions("aura_user"), "own_check own_default own_trigger unused");
    let run = workspace.verify().exits(0).shows("used-elsewhere");
    assert_eq!((run.with_status("warn"), run.fix("ownership")), (vec!["ownership".to_owned()], String::new()));
}

/// The same by a detour: a domain, a view or a partition of the schema is used, and the function by that.
#[test]
fn what_is_used_through_others_is_not_handed_over() {
    let (cluster, workspace) = Cluster::set_up();
    cluster.sql(
        "aura_db",
        "CREATE SCHEMA ops;
         CREATE FUNCTION aura.chk(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
         CREATE DOMAIN aura.checked AS int CHECK (aura.chk(VALUE));
         CREATE DOMAIN aura.plain AS int;
         CREATE TYPE aura.mood AS ENUM ('calm');
         CREATE TABLE ops.uses (a aura.checked, b aura.plain[], c aura.mood);
         CREATE FUNCTION aura.in_view() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE TABLE aura.base (n int);
         CREATE VIEW aura.inner_view AS SELECT aura.in_view(), n FROM aura.base;
         CREATE VIEW ops.report AS SELECT * FROM aura.inner_view;
         CREATE TABLE ops.parent (n int) PARTITION BY LIST (n);
         CREATE TABLE aura.part PARTITION OF ops.parent FOR VALUES IN (1);
         CREATE TABLE aura.row_of (n int);
         CREATE FUNCTION ops.takes(aura.row_of) RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION aura.free() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE VIEW aura.free_view AS SELECT aura.free();
         CREATE TABLE ops.refers (n int PRIMARY KEY);
         CREATE TABLE aura.referred (n int PRIMARY KEY);
         ALTER TABLE ops.refers ADD FOREIGN KEY (n) REFERENCES aura.referred",
    );
    for command in [&["db-setup"][..], &["db-verify", "--fix"]] {
        workspace.run(command).exits(0);
        let kept = "SELECT string_agg(name, ' ' ORDER BY name) FROM (
                SELECT relname::text AS name FROM pg_class c WHERE relkind IN ('r', 'v') AND relnamespace = 'aura'::regnamespace AND relowner = 'postgres'::regrole
                UNION ALL SELECT typname::text FROM pg_type t WHERE typtype IN ('d', 'e') AND typnamespace = 'aura'::regnamespace AND typowner = 'postgres'::regrole
                UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'aura'::regnamespace AND proowner = 'postgres'::regrole) x";
        let expected = "checked chk in_view inner_view mood part plain row_of";
        assert_eq!(cluster.value("aura_db", kept), expected, "{command:?}");
    }
}

/// Nor does the move that is advised give a function away.
#[test]
fn a_superusers_function_in_public_is_not_given_away_by_a_move() {
    let (cluster, workspace) = Cluster::set_up();
    cluster.sql(
        "aura_db",
        "CREATE FUNCTION public.audit() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER audit ON ddl_command_end EXECUTE FUNCTION public.audit()",
    );
    workspace.run(&["db-move"]).exits(0);
    workspace.run(&["db-verify", "--fix"]).exits(0);
    let owner = "SELECT pronamespace::regnamespace || ' ' || proowner::regrole FROM pg_proc WHERE proname = 'audit'";
    assert_eq!(cluster.value("aura_db", owner), "aura postgres");
}

/// The script of an extension runs with more rights than its caller's, and finds names in `public`.
#[test]
fn no_extension_is_created_beside_what_others_have_put_into_public() {
    let (cluster, workspace) = Cluster::set_up();
    let workspace = workspace.with("DB_EXTENSIONS", "citext");
    cluster.sql("postgres", "CREATE ROLE mallory");
    for (trap, removal) in [
        (
            "FUNCTION public.length(citext_of text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "FUNCTION public.length(text)",
        ),
        ("OPERATOR public.=~ (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)", "OPERATOR public.=~ (text, text)"),
    ] {
        let set = format!("GRANT CREATE ON SCHEMA public TO mallory; SET ROLE mallory; CREATE {trap}");
        cluster.sql("aura_db", &set);
        let name = removal.split_whitespace().next().unwrap().to_lowercase();
        workspace.run(&["db-setup"]).exits(1).shows(&format!("foreign-{name}-in-public"));
        workspace.run(&["db-verify", "--fix"]).exits(3).shows(&format!("fix-beside-foreign-{name}"));
        let script = workspace.run(&["db-setup", "--dry-run"]).exits(0).stdout;
        psql(&cluster.admin_url(), &[], &script).exits(3).complains("public holds functions or operators");
        assert_eq!(cluster.value("aura_db", "SELECT count(*) FROM pg_extension WHERE extname = 'citext'"), "0");
        cluster.sql("aura_db", &format!("DROP {removal}"));
    }
    // Whoever owns an extension may make a trap a member of it.
    cluster.sql(
        "aura_db",
        "GRANT CREATE ON DATABASE aura_db TO mallory; SET ROLE mallory; CREATE SCHEMA m;
         CREATE EXTENSION hstore SCHEMA m;
         CREATE FUNCTION public.length(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
         ALTER EXTENSION hstore ADD FUNCTION public.length(text)",
    );
    workspace.run(&["db-setup"]).exits(1).complains("could run function public.length(text)");
    let needs = workspace.with("DB_EXTENSIONS", "hstore");
    assert!(!needs.verify().fix("extensions").contains("SET SCHEMA public"));
    cluster.sql("aura_db", "DROP EXTENSION hstore");
    let workspace = needs.with("DB_EXTENSIONS", "citext");
    workspace.run(&["db-setup"]).exits(0);
    // It is there, and whatever lies beside it is no matter any more.
    cluster
        .sql("aura_db", "SET ROLE mallory; CREATE FUNCTION public.length(int) RETURNS int LANGUAGE sql AS 'SELECT 1'");
    let script = workspace.run(&["db-setup", "--dry-run"]).exits(0).stdout;
    psql(&cluster.admin_url(), &[], &script).exits(0);
    workspace.run(&["db-setup"]).exits(0);
}

/// A function that finds names by the path of whoever runs a statement fails by ours; the error names it.
#[test]
fn an_event_trigger_without_a_path_is_named() {
    let (cluster, workspace) = Cluster::set_up();
    cluster.sql(
        "aura_db",
        "CREATE TABLE aura.foreign_one (n int);
         CREATE SCHEMA audit; GRANT USAGE ON SCHEMA audit TO PUBLIC;
         CREATE TABLE audit.ddl_log (tag text); GRANT INSERT ON audit.ddl_log TO PUBLIC;
         CREATE FUNCTION audit.log_ddl() RETURNS event_trigger LANGUAGE plpgsql
             AS 'BEGIN INSERT INTO ddl_log VALUES (tg_tag); END';
         CREATE EVENT TRIGGER \"Log\" ON ddl_command_end EXECUTE FUNCTION audit.log_ddl()",
    );
    workspace.run(&["db-setup"]).exits(1).shows("event-trigger-without-a-path");
    cluster.sql("aura_db", "SET search_path = audit; ALTER FUNCTION audit.log_ddl() SET search_path = audit");
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(cluster.value("aura_db", "SELECT count(*) FROM audit.ddl_log WHERE tag = 'ALTER TABLE'"), "1");
}
