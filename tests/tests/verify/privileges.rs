//! Grants that were revoked, and one that was given.

use tests::psql;

use crate::case::{CASE, Case, Fix, Setup, cases, set_up};

cases! {
    mod revoked_grants;

    fn insert_and_delete_on_a_table() = Case {
        breaks: "REVOKE INSERT, DELETE ON aura.notes_note FROM aura_user",
        fails: &["table-privileges"],
        ..CASE
    };

    fn select_on_a_view() = Case {
        breaks: "SET ROLE aura_user; CREATE VIEW aura.latest AS SELECT * FROM aura.notes_note; \
                 REVOKE SELECT ON aura.latest FROM aura_user; RESET ROLE",
        fails: &["table-privileges"],
        ..CASE
    };

    fn all_on_all_tables() = Case {
        breaks: "REVOKE ALL ON ALL TABLES IN SCHEMA aura FROM aura_user",
        fails: &["table-privileges"],
        ..CASE
    };

    fn usage_on_a_sequence() = Case {
        breaks: "REVOKE USAGE ON SEQUENCE aura.notes_note_id_seq FROM aura_user",
        fails: &["sequence-privileges"],
        ..CASE
    };

    fn usage_on_the_schema() = Case {
        breaks: "REVOKE USAGE ON SCHEMA aura FROM aura_user",
        fails: &["schema-privileges"],
        ..CASE
    };

    fn create_on_the_schema() = Case {
        breaks: "REVOKE CREATE ON SCHEMA aura FROM aura_user",
        fails: &["schema-privileges"],
        ..CASE
    };

    fn all_on_the_schema() = Case {
        breaks: "REVOKE ALL ON SCHEMA aura FROM aura_user",
        fails: &["schema-privileges"],
        ..CASE
    };

    fn default_privileges_of_the_administrator_on_tables() = Case {
        breaks: "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA aura REVOKE SELECT ON TABLES FROM aura_user",
        fails: &["default-privileges"],
        ..CASE
    };

    fn default_privileges_of_the_administrator_on_sequences() = Case {
        breaks: "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA aura REVOKE ALL ON SEQUENCES FROM aura_user",
        fails: &["default-privileges"],
        ..CASE
    };

    fn default_privileges_of_the_app() = Case {
        breaks: "ALTER DEFAULT PRIVILEGES FOR ROLE aura_user REVOKE ALL ON TABLES FROM aura_user",
        fails: &["default-privileges"],
        ..CASE
    };
}

cases! {
    mod optional_privileges;

    fn create_on_the_database() = Case {
        breaks: "REVOKE CREATE ON DATABASE aura_db FROM aura_user",
        warns: &["database"],
        ..CASE
    };

    fn rows_that_no_policy_shows() = Case {
        breaks: "ALTER TABLE aura.notes_note ENABLE ROW LEVEL SECURITY; ALTER TABLE aura.notes_note FORCE ROW LEVEL SECURITY; \
                 CREATE POLICY others ON aura.notes_note TO other USING (true)",
        fails: &["drift"],
        warns: &["table-privileges"],
        fix: Fix::Person,
        setup: Setup::Fails(&["drift"]),
        ..CASE
    };

    fn temporary_tables() = Case {
        breaks: "REVOKE TEMPORARY ON DATABASE aura_db FROM aura_user, PUBLIC",
        warns: &["database"],
        ..CASE
    };
}

cases! {
    mod create_on_public;

    fn granted_to_the_app() = Case {
        breaks: "GRANT CREATE ON SCHEMA public TO aura_user",
        warns: &["public-create"],
        ..CASE
    };

    fn granted_to_public() = Case {
        breaks: "GRANT CREATE ON SCHEMA public TO PUBLIC",
        warns: &["public-create"],
        ..CASE
    };

    fn granted_to_a_group() = Case {
        breaks: r#"GRANT other TO aura_user; GRANT CREATE ON SCHEMA public TO other"#,
        warns: &["public-create"],
        ..CASE
    };
}

#[test]
fn default_privileges_are_tried_where_the_app_is_a_member() {
    // Nothing of this stands in the catalog's default privileges.
    let takes_away = "CREATE SCHEMA ops; GRANT USAGE ON SCHEMA ops TO PUBLIC; \
         CREATE FUNCTION ops.take() RETURNS event_trigger LANGUAGE plpgsql AS $$ DECLARE made record; BEGIN \
             FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' LOOP \
                 IF current_user = 'other' THEN EXECUTE format('REVOKE DELETE ON %s FROM other', made.object_identity); END IF; \
             END LOOP; END $$; \
         CREATE EVENT TRIGGER take ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION ops.take()";
    let member = "GRANT other TO aura_user; GRANT USAGE, CREATE ON SCHEMA aura TO other; \
                  CREATE VIEW aura.latest AS SELECT 1 AS a; ALTER VIEW aura.latest OWNER TO other";
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("aura_db", member);
    workspace.verify().exits(0);
    cluster.sql("aura_db", takes_away);
    let before = cluster.dump("aura_db");
    let run = workspace.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["default-privileges"]);
    let run = run.shows("event-trigger-that-revokes");
    assert!(before == cluster.dump("aura_db"), "db-verify changed something");
    psql(
        &cluster.superuser().with_database("aura_db").url(),
        &["-v", "ON_ERROR_STOP=1"],
        &run.fix("default-privileges"),
    )
    .exits(0);
    workspace.verify().exits(0);

    // A role that may not create there cannot be tried: the catalog is read.
    cluster.sql("aura_db", "REVOKE CREATE ON SCHEMA aura FROM other");
    workspace.verify().exits(0);
}
