//! Stored paths: their text, and where they lead.

use tests::{Cluster, psql};

/// A list setting's stored text is not SQL, whatever stands in it: `set_config` and `FROM CURRENT` store it as it was
/// given.
#[test]
fn the_text_of_a_stored_path_is_never_run() {
    let (cluster, workspace) = Cluster::set_up();
    let app = cluster.url("aura_user", "the-app's", "aura_db");
    let text = "aura, public, x;ALTER/**/ROLE/**/aura_user/**/SUPERUSER;--";
    let store = format!(
        "SELECT set_config('search_path', '{text}', false);
         ALTER ROLE aura_user IN DATABASE aura_db SET search_path FROM CURRENT;
         CREATE FUNCTION aura.f() RETURNS int LANGUAGE sql SET search_path FROM CURRENT AS 'SELECT 1';"
    );
    psql(&app, &["-v", "ON_ERROR_STOP=1"], &store).exits(0);
    let is_super = || cluster.value("postgres", "SELECT rolsuper FROM pg_roles WHERE rolname = 'aura_user'");
    // What is printed for a person is as harmless as what is run.
    let found = workspace.verify();
    for check in found.json()["checks"].as_array().unwrap() {
        let fix = found.fix(check["id"].as_str().unwrap());
        psql(&cluster.superuser().with_database("aura_db").url(), &[], &fix);
        assert_eq!(is_super(), "f", "{fix}");
    }
    psql(&app, &["-v", "ON_ERROR_STOP=1"], &store.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")).exits(0);
    workspace.run(&["db-verify", "--fix"]);
    workspace.run(&["db-clone", "one"]);
    workspace.testdb(&["sql"]);
    // A test that stores it, after which its role is restored.
    workspace.testdb(&[
        "sql",
        &format!("SELECT set_config('search_path', '{text}', false)"),
        "ALTER ROLE aura_user SET search_path FROM CURRENT",
    ]);
    workspace.testdb(&["sql"]);
    assert_eq!(is_super(), "f");
}

/// Where the path names another schema before pg_catalog, that schema's functions decide what the app reads.
#[test]
fn a_path_that_hides_the_catalog_is_a_failure() {
    let (cluster, workspace) = Cluster::set_up();
    cluster.sql(
        "aura_db",
        "CREATE FUNCTION aura.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT 'aura, public'::text $$;
         ALTER FUNCTION aura.current_setting(text) OWNER TO aura_user",
    );
    for broken in [
        "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aura, pg_catalog, public",
        "ALTER DATABASE aura_db SET search_path = aura, pg_catalog, public",
        "ALTER ROLE aura_user SET search_path = aura, public, pg_catalog",
    ] {
        cluster.sql("aura_db", broken);
        let found = workspace.verify().exits(3);
        assert_eq!(found.with_status("fail"), ["search-path"], "{broken}");
        if !broken.contains("aura_user SET") {
            workspace.run(&["db-verify", "--fix"]).exits(0);
        }
    }
    cluster.sql("aura_db", "ALTER ROLE aura_user RESET search_path");
    let options = workspace.setting("DATABASE_URL").to_owned() + "&options=-csearch_path%3Daura,pg_catalog,public";
    let asked = workspace.with("DATABASE_URL", &options);
    assert_eq!(asked.verify().exits(3).with_status("fail"), ["search-path"]);
}
