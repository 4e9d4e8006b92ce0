//! The ways in which the documented procedure fails, reproduced; the numbers are those of failure-modes.md.

use tests::{Cluster, Workspace, psql, seen};

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
    let refused = other.run(&["db-setup"]).exits(1).shows("options-for-another-schema");
    assert_eq!((cluster.globals(), cluster.inventory()), before);
    for options in ["-csearch_path=\"$user\",aura,public", "-c%20search_path%3DAURA%20--statement_timeout=0"] {
        with(options).run(&["db-setup"]).exits(0);
        state::assert_complete(&with(options), options);
    }
    seen(&format!("exit code {}, nothing was made: {}", refused.code, refused.said("schema atelier")));
}

#[test]
fn f08_a_role_that_does_not_own_the_database() {
    let cluster = Cluster::start();
    cluster.sql("postgres", ROLE);
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
    let before = cluster.globals() + &cluster.dump("aura_db");
    // Twice: the second run knows no more than the first.
    let refused = [(); 2].map(|()| {
        let refused = workspace.run(&["db-setup"]).exits(1).shows("role-without-rights");
        assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
        refused
    });
    // With the right to make the schema, and still no owner: the path is the role's own setting.
    cluster.sql("postgres", "GRANT CREATE ON DATABASE aura_db TO aura_user");
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "no owner");
    let done = cluster.globals() + &cluster.dump("aura_db");
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), done);
    let codes = refused.each_ref().map(|run| run.code);
    seen(&format!("exit codes {codes:?}, the dump unchanged: {}", refused[1].said("nothing was changed")));
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
    let complete = state::assert_complete(&workspace, "other names");
    assert_eq!(cluster.dump("aura_db"), before);
    assert_eq!(workspace.value("SELECT current_user || ' in ' || current_database()"), "atelier_user in atelier");
    let settings = "SELECT pg_catalog.count(*) FROM pg_db_role_setting WHERE setrole = 'aura_user'::regrole OR \
                    setdatabase = (SELECT oid FROM pg_database WHERE datname = 'aura_db')";
    assert_eq!(cluster.value("postgres", settings), "0");
    let granted = "SELECT pg_catalog.count(*) FROM pg_namespace, pg_catalog.aclexplode(nspacl) WHERE grantee = 'aura_user'::regrole";
    assert_eq!(cluster.value("atelier", granted), "0");
    seen(&format!("{complete} of atelier; the dump of somebody else's aura_db unchanged"));
}

#[test]
fn f11_what_is_missing_is_mended_though_the_schema_exists() {
    let (cluster, workspace) = set_up();
    let intact = cluster.globals() + &cluster.dump("aura_db");
    let mut mended_ones = 0;
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
        "ALTER DEFAULT PRIVILEGES IN SCHEMA aura REVOKE ALL ON SEQUENCES FROM aura_user",
        "ALTER SCHEMA aura OWNER TO postgres",
        "ALTER TABLE aura.artworks_artist OWNER TO postgres",
        "ALTER ROLE aura_user NOLOGIN",
    ] {
        cluster.sql("aura_db", broken);
        // What breaks nothing would prove nothing.
        let found = workspace.verify();
        assert!(!found.with_status("fail").is_empty() || !found.with_status("warn").is_empty(), "{broken}");
        workspace.run(&["db-setup"]).exits(0);
        let verified = workspace.verify().exits(0);
        assert_eq!(verified.with_status("fail"), [""; 0], "{broken}");
        state::assert_complete(&workspace, broken);
        // An access list may spell the same privileges differently; the next run finds nothing to do.
        let mended = cluster.globals() + &cluster.dump("aura_db");
        workspace.run(&["db-setup"]).exits(0).complains("unchanged");
        assert_eq!(cluster.globals() + &cluster.dump("aura_db"), mended, "{broken}");
        mended_ones += 1;
    }
    let data = |dump: &str| dump.lines().filter(|line| line.contains('\t')).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(data(&cluster.dump("aura_db")), data(&intact));
    seen(&format!(
        "{mended_ones} of {mended_ones} missing grants, paths and owners mended, {} rows kept",
        data(&intact).len()
    ));
}

#[test]
fn f13_a_schema_that_the_role_may_not_see() {
    let cluster = Cluster::start();
    cluster.sql("postgres", ROLE);
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    cluster.sql("aura_db", "CREATE SCHEMA aura");
    let shown = "SELECT pg_catalog.count(*) FROM information_schema.schemata WHERE schema_name = 'aura'";
    let app = cluster.url("aura_user", "the-app's", "aura_db");
    let shown = psql(&app, &["-c", shown], "").exits(0);
    assert_eq!(shown.line(), "0");
    let before = cluster.globals() + &cluster.dump("aura_db");
    let alone = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
    alone.run(&["db-setup"]).exits(1).complains("schema aura").complains("nothing was changed");
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
    let verified = alone.verify().exits(3);
    let schema = verified.message("schema");
    assert_eq!(verified.check("schema")["status"], "pass");
    assert_eq!(verified.check("schema-privileges")["status"], "fail");
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "invisible");
    seen(&format!("information_schema shows {} schemas, db-verify: {schema}", shown.line()));
}

#[test]
fn f23_plain_urls_lead_to_the_schema() {
    let (cluster, workspace) = set_up();
    let plain = cluster.url("aura_user", "the-app's", "aura_db");
    let lands = "SELECT coalesce((current_schemas(false))[1], 'nowhere')";
    let led = [
        // The database's setting is there.
        ("schema missing", "DROP SCHEMA aura CASCADE; ALTER ROLE aura_user IN DATABASE aura_db RESET ALL", "public"),
        (
            "no setting",
            "ALTER ROLE aura_user IN DATABASE aura_db RESET ALL; ALTER DATABASE aura_db RESET ALL",
            "public",
        ),
        // "$user" would prefer it.
        (
            "a schema named like the role",
            "ALTER ROLE aura_user IN DATABASE aura_db RESET ALL; ALTER DATABASE aura_db RESET ALL; \
             CREATE SCHEMA aura_user AUTHORIZATION aura_user",
            "aura_user",
        ),
        (
            "the role's own path",
            "ALTER ROLE aura_user SET search_path = public; ALTER ROLE aura_user IN DATABASE aura_db RESET ALL",
            "public",
        ),
    ]
    .map(|(situation, broken, elsewhere)| {
        cluster.sql("aura_db", broken);
        let before = psql(&plain, &["-c", lands], "").exits(0);
        assert_eq!(before.line(), elsewhere, "{situation}");
        workspace.run(&["db-setup"]).exits(0);
        state::assert_complete(&workspace, situation);
        let after = psql(&plain, &["-c", lands], "").exits(0);
        assert_eq!(after.line(), "aura", "{situation}");
        format!("{situation}: {} before, {} after", before.line(), after.line())
    });
    seen(&led.join("; "));
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
    let superusers = cluster.value("aura_db", "SELECT pg_catalog.current_schema()");
    assert_eq!(superusers, "aura");
    seen(&format!("settings of role and database: {path} {path}; the superuser's session: {superusers}"));
}
