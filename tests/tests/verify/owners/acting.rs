//! Owners in whose name the server acts for the app: of the tables of a foreign key, of views, of SECURITY DEFINER
//! functions.

use tests::psql;

use crate::case::{CASE, Case, Fix, Setup, cases, set_up};

const FAILS: &[&str] = &["table-privileges"];

/// Tables of a role of which the app is a member, and that has no right on the schema.
macro_rules! of_team {
    ($more:literal) => {
        concat!(
            "CREATE ROLE team; GRANT team TO aura_user; CREATE TABLE aura.event (id bigint PRIMARY KEY); \
             CREATE TABLE aura.visit (event bigint REFERENCES aura.event ON DELETE CASCADE); \
             ALTER TABLE aura.event OWNER TO team; ALTER TABLE aura.visit OWNER TO team; \
             GRANT ALL ON aura.event, aura.visit TO aura_user; INSERT INTO aura.event VALUES (1); ",
            $more
        )
    };
}

const OF_TEAM: &str = of_team!("");

cases! {
    mod acting_owners;

    fn foreign_key() = Case { breaks: OF_TEAM, fails: FAILS, ..CASE };

    fn foreign_key_of_owners_without_rights_on_their_tables() = Case {
        breaks: of_team!("GRANT USAGE ON SCHEMA aura TO team; REVOKE UPDATE ON aura.event FROM team; \
                          REVOKE DELETE ON aura.visit FROM team"),
        fails: FAILS,
        ..CASE
    };

    fn partitioned_table() = Case {
        breaks: of_team!("GRANT USAGE ON SCHEMA aura TO team; CREATE ROLE team2; GRANT team2 TO aura_user; \
                 CREATE TABLE aura.day (id int PRIMARY KEY) PARTITION BY RANGE (id); \
                 CREATE TABLE aura.day1 PARTITION OF aura.day FOR VALUES FROM (1) TO (9); ALTER TABLE aura.day OWNER TO team2; \
                 ALTER TABLE aura.day1 OWNER TO aura_user; GRANT ALL ON aura.day TO aura_user; \
                 CREATE TABLE aura.entry (day int REFERENCES aura.day); ALTER TABLE aura.entry OWNER TO aura_user"),
        fails: FAILS,
        ..CASE
    };

    fn view_of_a_group() = Case {
        breaks: "CREATE ROLE team; GRANT team TO aura_user; CREATE VIEW aura.latest AS SELECT id FROM aura.notes_note; \
                 ALTER VIEW aura.latest OWNER TO team; GRANT SELECT ON aura.latest TO aura_user",
        fails: FAILS,
        ..CASE
    };

    fn materialized_view_of_a_group() = Case {
        breaks: "CREATE ROLE team; GRANT team TO aura_user; \
                 CREATE MATERIALIZED VIEW aura.totals AS SELECT count(*) FROM aura.notes_note; \
                 ALTER MATERIALIZED VIEW aura.totals OWNER TO team; GRANT SELECT ON aura.totals TO aura_user",
        fails: FAILS,
        ..CASE
    };

    fn view_of_the_app_on_what_it_may_not_read() = Case {
        breaks: "CREATE SCHEMA ops; CREATE TABLE ops.salary (id int, amount int); GRANT SELECT (id) ON ops.salary TO aura_user; \
                 CREATE VIEW ops.pay AS SELECT * FROM ops.salary; ALTER VIEW ops.pay OWNER TO other; \
                 CREATE VIEW aura.ids AS SELECT id FROM ops.salary; ALTER VIEW aura.ids OWNER TO aura_user; \
                 CREATE VIEW aura.pay AS SELECT amount FROM ops.pay; ALTER VIEW aura.pay OWNER TO aura_user",
        fails: FAILS,
        fix: Fix::ByHand,
        setup: Setup::Fails(FAILS),
        ..CASE
    };

    fn view_that_runs_as_its_caller() = Case {
        since: 15,
        breaks: "CREATE SCHEMA ops; CREATE TABLE ops.salary (id int); CREATE VIEW aura.ids WITH (security_invoker = on) \
                 AS SELECT id FROM ops.salary; GRANT SELECT ON aura.ids TO aura_user; ALTER VIEW aura.ids OWNER TO aura_user",
        fails: FAILS,
        fix: Fix::ByHand,
        setup: Setup::Fails(FAILS),
        ..CASE
    };

    fn security_definer_function_of_a_group() = Case {
        breaks: "CREATE ROLE team; GRANT team TO aura_user; CREATE FUNCTION aura.note_count() RETURNS bigint LANGUAGE sql \
                 SECURITY DEFINER SET search_path = aura, pg_temp AS 'SELECT count(*) FROM notes_note -- FROM aura.nothing'; \
                 ALTER FUNCTION aura.note_count() OWNER TO team; \
                 CREATE FUNCTION aura.note_away(bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER \
                 AS $$ BEGIN DELETE FROM \"aura\".notes_note WHERE id = $1; END $$; \
                 ALTER FUNCTION aura.note_away(bigint) OWNER TO team",
        fails: FAILS,
        ..CASE
    };

    fn security_definer_function_with_a_parsed_body() = Case {
        since: 14,
        breaks: "CREATE ROLE team; GRANT team TO aura_user; CREATE FUNCTION aura.note_count() RETURNS bigint LANGUAGE sql \
                 SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM aura.notes_note; END; \
                 ALTER FUNCTION aura.note_count() OWNER TO team",
        fails: FAILS,
        ..CASE
    };
}

#[test]
fn what_the_fix_grants_is_what_the_server_asks_for() {
    for (breaks, statements) in [
        (OF_TEAM, &["INSERT INTO aura.visit VALUES (1)", "DELETE FROM aura.event"][..]),
        (
            of_team!(
                "GRANT USAGE ON SCHEMA aura TO team; REVOKE UPDATE ON aura.event FROM team; \
                 REVOKE ALL ON aura.visit FROM team"
            ),
            &["INSERT INTO aura.visit VALUES (1)", "DELETE FROM aura.event"],
        ),
        (
            of_team!(
                "CREATE MATERIALIZED VIEW aura.totals AS SELECT 1 AS n FROM aura.notes_note; \
                      ALTER MATERIALIZED VIEW aura.totals OWNER TO team; GRANT SELECT ON aura.totals TO aura_user"
            ),
            &["SET ROLE team; REFRESH MATERIALIZED VIEW aura.totals", "INSERT INTO aura.visit VALUES (1)"],
        ),
        (
            "CREATE ROLE team; GRANT team TO aura_user; CREATE FUNCTION aura.note_off() RETURNS trigger LANGUAGE plpgsql \
             SECURITY DEFINER AS $$ BEGIN INSERT INTO aura.log VALUES (1); RETURN NEW; END $$; \
             ALTER FUNCTION aura.note_off() OWNER TO team; CREATE TABLE aura.log (id int); CREATE TABLE aura.item (id int); \
             ALTER TABLE aura.log OWNER TO aura_user; ALTER TABLE aura.item OWNER TO aura_user; \
             CREATE TRIGGER log AFTER INSERT ON aura.item FOR EACH ROW EXECUTE FUNCTION aura.note_off()",
            &["INSERT INTO aura.item VALUES (1)"],
        ),
    ] {
        for repair in ["db-verify --fix", "db-setup"] {
            let (cluster, workspace) = set_up(&CASE);
            cluster.sql("aura_db", breaks);
            let url = cluster.url("aura_user", "the-app's", "aura_db");
            let run = |statement: &str| psql(&url, &["-v", "ON_ERROR_STOP=1"], statement);
            assert!(statements.iter().all(|statement| run(statement).code != 0), "{breaks}");
            workspace.verify().exits(3);
            workspace.run(&repair.split(' ').collect::<Vec<_>>()).exits(0);
            for statement in statements {
                run(statement).exits(0);
            }
            workspace.verify().exits(0);
        }
    }
}

/// What the server does as the caller, or does not do at all.
#[test]
fn no_finding_where_nothing_is_lacking() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        "CREATE ROLE team; GRANT team TO aura_user; CREATE SCHEMA ops; CREATE TABLE ops.salary (id int, amount int); \
         GRANT SELECT (id) ON ops.salary TO team; \
         CREATE VIEW aura.ids AS SELECT id, pg_relation_size('aura.notes_note'::regclass) AS size FROM ops.salary; \
         CREATE VIEW aura.counted AS SELECT count(*) AS n FROM ops.salary; \
         CREATE FUNCTION ops.secret() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM ops.salary'; \
         CREATE VIEW aura.called AS SELECT ops.secret() AS n; \
         CREATE FUNCTION aura.note_count() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog \
         AS $$ BEGIN /* FROM ops.salary */ -- DELETE FROM aura.notes_note
             RETURN count(*) FROM pg_class; END $$; \
         CREATE FUNCTION aura.notes() RETURNS trigger LANGUAGE plpgsql \
         AS $$ BEGIN DELETE FROM aura.notes_note; RETURN NEW; END $$; \
         ALTER VIEW aura.ids OWNER TO team; ALTER VIEW aura.counted OWNER TO team; ALTER VIEW aura.called OWNER TO team; \
         ALTER FUNCTION aura.note_count() OWNER TO team; ALTER FUNCTION aura.notes() OWNER TO team; \
         CREATE TABLE aura.event (id bigint PRIMARY KEY); CREATE TABLE aura.visit (event bigint REFERENCES aura.event); \
         ALTER TABLE aura.visit DISABLE TRIGGER ALL; ALTER TABLE aura.event DISABLE TRIGGER ALL; \
         ALTER TABLE aura.event OWNER TO team; ALTER TABLE aura.visit OWNER TO aura_user; GRANT ALL ON aura.event TO aura_user",
    );
    for _ in 0..2 {
        let run = workspace.verify();
        assert!(run.with_status("fail").is_empty() && run.with_status("warn").is_empty(), "{}", run.stdout);
        workspace.run(&["db-setup"]).exits(0).never_says("GRANT");
    }
}

/// A role that the app has nothing to do with gets nothing by itself.
#[test]
fn a_stranger_is_granted_nothing_by_itself() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        "CREATE SCHEMA theirs; GRANT USAGE ON SCHEMA theirs TO PUBLIC; \
         CREATE VIEW theirs.all_notes AS SELECT * FROM aura.notes_note; ALTER VIEW theirs.all_notes OWNER TO other; \
         GRANT SELECT ON theirs.all_notes TO aura_user; CREATE VIEW aura.theirs AS SELECT * FROM theirs.all_notes; \
         ALTER VIEW aura.theirs OWNER TO aura_user; \
         CREATE FUNCTION aura.definer() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM aura.notes_note'; \
         ALTER FUNCTION aura.definer() OWNER TO other",
    );
    let granted = || cluster.value("aura_db", "SELECT has_table_privilege('other', 'aura.notes_note', 'SELECT')");
    for command in [&["db-verify", "--fix"][..], &["db-setup"]] {
        workspace.run(command).exits(3);
        assert_eq!(granted(), "f", "{command:?}");
    }
    let run = workspace.verify().exits(3);
    assert_eq!(run.with_status("fail"), FAILS);
    cluster.sql("aura_db", &run.fix("table-privileges"));
    assert_eq!(granted(), "t");
    workspace.verify().exits(0);
}
