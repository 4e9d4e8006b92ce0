//! Grants that were revoked, and one that was given.

use tests::{Cluster, psql};

use crate::case::{CASE, Case, Mend, Setup, check, fresh};

#[test]
fn revoked_grants_are_found_and_mended() {
    check(&[
        Case {
            name: "a privilege on a table revoked from its owner",
            breaks: "REVOKE INSERT, DELETE ON aura.notes_note FROM aura_user",
            fails: &["table-privileges"],
            says: &["role aura_user lacks INSERT, DELETE on aura.notes_note"],
            ..CASE
        },
        Case {
            name: "a privilege on a view revoked from its owner",
            breaks: "SET ROLE aura_user; CREATE VIEW aura.latest AS SELECT * FROM aura.notes_note; \
                     REVOKE SELECT ON aura.latest FROM aura_user; RESET ROLE",
            fails: &["table-privileges"],
            says: &["aura.latest"],
            ..CASE
        },
        Case {
            name: "all privileges on all tables revoked",
            breaks: "REVOKE ALL ON ALL TABLES IN SCHEMA aura FROM aura_user",
            fails: &["table-privileges"],
            says: &["and 24 more tables"],
            ..CASE
        },
        Case {
            name: "a privilege on a sequence revoked from its owner",
            breaks: "REVOKE USAGE ON SEQUENCE aura.notes_note_id_seq FROM aura_user",
            fails: &["sequence-privileges"],
            says: &["role aura_user lacks USAGE on aura.notes_note_id_seq"],
            ..CASE
        },
        Case {
            name: "the use of the schema revoked from its owner",
            breaks: "REVOKE USAGE ON SCHEMA aura FROM aura_user",
            fails: &["schema-privileges"],
            says: &["role aura_user may not use schema aura"],
            ..CASE
        },
        Case {
            name: "creating in the schema revoked from its owner",
            breaks: "REVOKE CREATE ON SCHEMA aura FROM aura_user",
            fails: &["schema-privileges"],
            says: &["may not create in schema aura"],
            ..CASE
        },
        Case {
            name: "all on the schema revoked from its owner",
            breaks: "REVOKE ALL ON SCHEMA aura FROM aura_user",
            fails: &["schema-privileges"],
            says: &["neither use nor create"],
            ..CASE
        },
        Case {
            name: "the administrator's default privileges on tables revoked",
            breaks: "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA aura REVOKE SELECT ON TABLES FROM aura_user",
            fails: &["default-privileges"],
            says: &["that postgres will make in aura"],
            ..CASE
        },
        Case {
            name: "the administrator's default privileges on sequences revoked",
            breaks: "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA aura REVOKE ALL ON SEQUENCES FROM aura_user",
            fails: &["default-privileges"],
            ..CASE
        },
        Case {
            name: "the app's own default privileges revoked",
            breaks: "ALTER DEFAULT PRIVILEGES FOR ROLE aura_user REVOKE ALL ON TABLES FROM aura_user",
            fails: &["default-privileges"],
            says: &["that aura_user will make in aura"],
            ..CASE
        },
    ]);
}

#[test]
fn what_the_app_can_do_without_is_warned_of() {
    check(&[
        Case {
            name: "creating in the database",
            breaks: "REVOKE CREATE ON DATABASE aura_db FROM aura_user",
            warns: &["database"],
            says: &["role aura_user may create no schemas in database aura_db"],
            ..CASE
        },
        Case {
            name: "rows that no policy lets it see",
            breaks: "ALTER TABLE aura.notes_note ENABLE ROW LEVEL SECURITY; ALTER TABLE aura.notes_note FORCE ROW LEVEL SECURITY; \
                     CREATE POLICY others ON aura.notes_note TO other USING (true)",
            warns: &["table-privileges"],
            says: &["role aura_user sees no row of aura.notes_note: row-level security is on, and no policy lets it"],
            mend: Mend::Person,
            setup: Setup::Refuses(0, "no policy lets it"),
            ..CASE
        },
        Case {
            name: "temporary tables",
            breaks: "REVOKE TEMPORARY ON DATABASE aura_db FROM aura_user, PUBLIC",
            warns: &["database"],
            says: &["role aura_user may create no temporary tables in database aura_db"],
            ..CASE
        },
    ]);
}

#[test]
fn creating_in_public_is_warned_of() {
    check(&[
        Case {
            name: "granted to the app's role",
            breaks: "GRANT CREATE ON SCHEMA public TO aura_user",
            warns: &["public-create"],
            ..CASE
        },
        Case {
            name: "granted to everybody",
            breaks: "GRANT CREATE ON SCHEMA public TO PUBLIC",
            warns: &["public-create"],
            ..CASE
        },
        Case {
            name: "granted to a group of the app's role",
            breaks: r#"GRANT other TO aura_user; GRANT CREATE ON SCHEMA public TO other"#,
            warns: &["public-create"],
            ..CASE
        },
    ]);
}

#[test]
fn what_a_creator_makes_is_tried_out_where_the_app_may_act_as_it() {
    // Nothing of this stands in the catalog's default privileges.
    let takes_away = "CREATE SCHEMA ops; GRANT USAGE ON SCHEMA ops TO PUBLIC; \
         CREATE FUNCTION ops.take() RETURNS event_trigger LANGUAGE plpgsql AS $$ DECLARE made record; BEGIN \
             FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' LOOP \
                 IF current_user = 'other' THEN EXECUTE format('REVOKE DELETE ON %s FROM other', made.object_identity); END IF; \
             END LOOP; END $$; \
         CREATE EVENT TRIGGER take ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION ops.take()";
    let member = "GRANT other TO aura_user; GRANT USAGE, CREATE ON SCHEMA aura TO other; \
                  CREATE VIEW aura.latest AS SELECT 1 AS a; ALTER VIEW aura.latest OWNER TO other";
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql("aura_db", member);
    workspace.verify().exits(0);
    cluster.sql("aura_db", takes_away);
    let before = cluster.dump("aura_db");
    let run = workspace.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["default-privileges"]);
    assert!(run.check("default-privileges")["message"].as_str().unwrap().contains("that other will make in aura"));
    assert!(before == cluster.dump("aura_db"), "db-verify changed something");
    psql(
        &cluster.superuser().with_database("aura_db").url(),
        &["-v", "ON_ERROR_STOP=1"],
        &run.fix("default-privileges"),
    )
    .exits(0);
    workspace.verify().exits(0);

    // One who may not create there cannot be tried: the catalog says what would be.
    cluster.sql("aura_db", "REVOKE CREATE ON SCHEMA aura FROM other");
    workspace.verify().exits(0);
}
