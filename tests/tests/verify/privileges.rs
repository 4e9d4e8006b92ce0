//! Grants that were revoked, and one that was given.

use crate::case::{CASE, Case, check};

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
