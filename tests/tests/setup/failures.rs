//! The ways in which the documented procedure fails, reproduced; the numbers are those of failure-modes.md.

use tests::{Cluster, Workspace, psql};

use crate::state;

const ROLE: &str = "CREATE ROLE aura_user LOGIN PASSWORD 'the-app''s'";

/// A set-up database, and an administrator who stays.
fn set_up() -> (Cluster, Workspace) {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    (cluster, workspace)
}

#[test]
fn f06_f24_options_that_lead_elsewhere_are_refused_first() {
    let cluster = Cluster::start();
    let before = (cluster.globals(), cluster.inventory());
    let url = cluster.url("aura_user", "the-app's", "aura_db");
    let with = |options: &str| Workspace::on(&cluster).with("DATABASE_URL", &format!("{url}&options={options}"));
    for options in ["-csearch_path=public", "-csearch_path=\"Aura\",aura", "-csearch_path=other,aura"] {
        with(options).run(&["db-setup"]).exits(1).complains("search_path").complains("nothing was changed");
        assert_eq!((cluster.globals(), cluster.inventory()), before, "{options}");
    }
    // The seed document's, for another schema than the seed document's.
    let other = with("-csearch_path=aura").with("DB_SCHEMA", "atelier");
    other.run(&["db-setup"]).exits(1).complains("schema atelier");
    assert_eq!((cluster.globals(), cluster.inventory()), before);
    for options in ["-csearch_path=\"$user\",aura,public", "-c%20search_path%3DAURA%20--statement_timeout=0"] {
        with(options).run(&["db-setup"]).exits(0);
        state::assert_complete(&with(options), options);
    }
}

#[test]
fn f08_a_role_that_does_not_own_the_database() {
    let cluster = Cluster::start();
    cluster.sql("postgres", ROLE);
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
    let before = cluster.globals() + &cluster.dump("aura_db");
    // Twice: the second run knows no more than the first.
    for _ in 0..2 {
        workspace.run(&["db-setup"]).exits(1).complains("nothing was changed");
        assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
    }
    // With the right to make the schema, and still no owner: the path is the role's own setting.
    cluster.sql("postgres", "GRANT CREATE ON DATABASE aura_db TO aura_user");
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "no owner");
    let done = cluster.globals() + &cluster.dump("aura_db");
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), done);
}

#[test]
fn f09_f10_names_come_from_the_connection() {
    let cluster = Cluster::start();
    // Another application's, under the very names that the scripts have hard-coded.
    cluster.sql("postgres", "CREATE ROLE aura_user LOGIN PASSWORD 'somebody''s'");
    cluster.sql("postgres", "CREATE DATABASE aura_db OWNER aura_user");
    cluster.sql("aura_db", "CREATE TABLE public.somebodys (id int)");
    let before = cluster.dump("aura_db");
    let workspace = Workspace::on(&cluster).with("DATABASE_URL", &cluster.url("atelier_user", "the-app's", "atelier"));
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "other names");
    assert_eq!(cluster.dump("aura_db"), before);
    let settings = "SELECT pg_catalog.count(*) FROM pg_db_role_setting WHERE setrole = 'aura_user'::regrole OR \
                    setdatabase = (SELECT oid FROM pg_database WHERE datname = 'aura_db')";
    assert_eq!(cluster.value("postgres", settings), "0");
    let granted = "SELECT pg_catalog.count(*) FROM pg_namespace, pg_catalog.aclexplode(nspacl) WHERE grantee = 'aura_user'::regrole";
    assert_eq!(cluster.value("atelier", granted), "0");
}

#[test]
fn f11_what_is_missing_is_mended_though_the_schema_exists() {
    let (cluster, workspace) = set_up();
    let intact = cluster.globals() + &cluster.dump("aura_db");
    for broken in [
        "REVOKE USAGE, CREATE ON SCHEMA aura FROM aura_user",
        "ALTER ROLE aura_user IN DATABASE aura_db RESET ALL",
        "ALTER DATABASE aura_db RESET search_path",
        "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = public, aura",
        "ALTER DATABASE aura_db SET search_path = aurra, public",
        "REVOKE ALL ON aura.artworks_artist FROM aura_user",
        "REVOKE ALL ON ALL TABLES IN SCHEMA aura FROM aura_user",
        "REVOKE ALL ON ALL SEQUENCES IN SCHEMA aura FROM aura_user",
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        "REVOKE CONNECT, CREATE, TEMPORARY ON DATABASE aura_db FROM aura_user",
        "REVOKE CONNECT ON DATABASE aura_db FROM PUBLIC, aura_user",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA aura REVOKE ALL ON TABLES FROM aura_user",
        "ALTER DEFAULT PRIVILEGES FOR ROLE aura_user IN SCHEMA aura REVOKE ALL ON SEQUENCES FROM aura_user",
        "ALTER SCHEMA aura OWNER TO postgres",
        "ALTER TABLE aura.artworks_artist OWNER TO postgres",
        "ALTER ROLE aura_user NOLOGIN",
    ] {
        cluster.sql("aura_db", broken);
        workspace.run(&["db-setup"]).exits(0);
        let verified = workspace.verify().exits(0);
        assert_eq!(verified.with_status("fail"), [""; 0], "{broken}");
        state::assert_complete(&workspace, broken);
        // An access list may spell the same privileges differently; the next run finds nothing to do.
        let mended = cluster.globals() + &cluster.dump("aura_db");
        workspace.run(&["db-setup"]).exits(0).complains("unchanged");
        assert_eq!(cluster.globals() + &cluster.dump("aura_db"), mended, "{broken}");
    }
    let data = |dump: &str| dump.lines().filter(|line| line.contains('\t')).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(data(&cluster.dump("aura_db")), data(&intact));
}

#[test]
fn f13_a_schema_that_the_role_may_not_see() {
    let cluster = Cluster::start();
    cluster.sql("postgres", ROLE);
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    cluster.sql("aura_db", "CREATE SCHEMA aura");
    let seen = "SELECT pg_catalog.count(*) FROM information_schema.schemata WHERE schema_name = 'aura'";
    let app = cluster.url("aura_user", "the-app's", "aura_db");
    assert_eq!(psql(&app, &["-c", seen], "").exits(0).line(), "0");
    let before = cluster.globals() + &cluster.dump("aura_db");
    let alone = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
    alone.run(&["db-setup"]).exits(1).complains("schema aura").complains("nothing was changed");
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
    let verified = alone.verify().exits(3);
    assert_eq!(verified.check("schema")["status"], "pass");
    assert_eq!(verified.check("schema-privileges")["status"], "fail");
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "invisible");
}

#[test]
fn f23_plain_urls_lead_to_the_schema() {
    // The schema missing, the database's setting there, a plain URL.
    let (cluster, workspace) = set_up();
    cluster.sql("aura_db", "DROP SCHEMA aura CASCADE; ALTER ROLE aura_user IN DATABASE aura_db RESET ALL");
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "schema missing");
    // The schema present, no setting at all.
    cluster.sql("aura_db", "ALTER ROLE aura_user IN DATABASE aura_db RESET ALL; ALTER DATABASE aura_db RESET ALL");
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "no setting");
    // A schema named like the role, which "$user" would prefer.
    cluster.sql(
        "aura_db",
        "ALTER ROLE aura_user IN DATABASE aura_db RESET ALL; ALTER DATABASE aura_db RESET ALL; \
                            CREATE SCHEMA aura_user AUTHORIZATION aura_user",
    );
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "a schema named like the role");
    // A role whose own setting says otherwise.
    cluster.sql(
        "aura_db",
        "ALTER ROLE aura_user SET search_path = public; ALTER ROLE aura_user IN DATABASE aura_db RESET ALL",
    );
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "the role's own path");
}

#[test]
fn f05_f07_the_path_stands_on_the_role_and_on_the_database() {
    let (cluster, workspace) = set_up();
    let url = workspace.run(&["db-url"]).exits(0);
    assert!(!url.stdout.contains("options"), "{}", url.stdout);
    let settings = "SELECT pg_catalog.string_agg(setconfig::text, ' ' ORDER BY setrole) FROM pg_db_role_setting \
                    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = 'aura_db')";
    let path = r#"{"search_path=aura, public"}"#;
    assert_eq!(cluster.value("postgres", settings), format!("{path} {path}"));
    // Anybody else's session, the administrator's for one, has it from the database.
    assert_eq!(cluster.value("aura_db", "SELECT pg_catalog.current_schema()"), "aura");
}
