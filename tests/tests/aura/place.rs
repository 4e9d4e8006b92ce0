//! Where the tables may go, and what a lack of rights is called.

use aura::Error;
use tests::{Cluster, shows};

use crate::{PASSWORD, ROLE, database, migrate, migrated};

#[test]
fn a_wrong_path_is_refused_before_anything_is_made() {
    let cluster = Cluster::start();
    let url = database(&cluster, "astray");
    cluster.sql("astray", "GRANT CREATE ON SCHEMA public TO PUBLIC");
    let mut texts = String::new();
    for path in ["public", "aurra,public", "aurra", "pg_catalog", "pg_temp"] {
        let mut client = aura::connect(&format!("{url}&options=-csearch_path={path}")).unwrap();
        let error = migrate(&mut client).unwrap_err();
        assert!(matches!(error, Error::Place { .. }), "{path}: {error}");
        texts += &format!("search_path={path}: {error}\n");
        assert!(matches!(aura::status(&mut client), Err(Error::Place { .. })));
    }
    shows("wrong-paths", &texts);
    assert_eq!(cluster.value("astray", "SELECT count(*) FROM pg_tables WHERE schemaname !~ '^(pg_|information)'"), "0");
}

#[test]
fn tables_behind_the_schema_are_not_hidden_by_new_ones() {
    let cluster = Cluster::start();
    let url = database(&cluster, "behind");
    cluster.sql("behind", "GRANT CREATE ON SCHEMA public TO PUBLIC");
    let mut client = aura::connect(&url).unwrap();
    client.batch_execute("CREATE TABLE public.notes_note (id int)").unwrap();
    let error = migrate(&mut client).unwrap_err();
    assert!(matches!(&error, Error::TablesElsewhere { tables, .. } if tables == &["public.notes_note"]), "{error}");
    client
        .batch_execute("DROP TABLE public.notes_note; CREATE TABLE public.refinery_schema_history (version int)")
        .unwrap();
    let error = migrate(&mut client).unwrap_err();
    assert!(matches!(&error, Error::BookkeepingElsewhere { found, .. } if found == "public"), "{error}");
}

#[test]
fn a_lack_of_rights_has_the_servers_code() {
    let cluster = Cluster::start();
    let url = database(&cluster, "poor");
    cluster.sql("poor", "ALTER SCHEMA aura OWNER TO postgres; GRANT USAGE ON SCHEMA aura TO aura_user");
    let mut client = aura::connect(&url).unwrap();
    let error = migrate(&mut client).unwrap_err();
    assert_eq!(error.code().map(postgres::error::SqlState::code), Some("42501"), "{error}");
    shows("lack-of-rights", &error.to_string());

    cluster.sql("poor", "REVOKE USAGE ON SCHEMA aura FROM aura_user");
    let error = migrate(&mut aura::connect(&url).unwrap()).unwrap_err();
    assert!(matches!(error, Error::Place { .. }), "{error}");
}

#[test]
fn a_refused_login_says_who_and_where_and_no_password() {
    let cluster = Cluster::start();
    drop(migrated(&cluster, "there"));
    let error = aura::connect(&cluster.url(ROLE, "wrong-one", "there")).err().unwrap();
    assert_eq!(error.code().map(postgres::error::SqlState::code), Some("28P01"), "{error}");
    assert!(!error.to_string().contains("wrong-one"), "{error}");
    shows("refused-login", &error.to_string());
    let error = aura::connect(&cluster.url(ROLE, PASSWORD, "nowhere")).err().unwrap();
    assert_eq!(error.code().map(postgres::error::SqlState::code), Some("3D000"), "{error}");
}
