//! The ways in which the documented procedure fails, reproduced; the numbers are those of failure-modes.md.

use tests::{Cluster, Workspace, connection, psql, shows};

use crate::state;

const ROLE: &str = "CREATE ROLE aura_user LOGIN PASSWORD 'the-app''s'";

#[test]
fn f06_f24_options_that_lead_elsewhere_are_refused_first() {
    let cluster = Cluster::start();
    let before = (cluster.globals(), cluster.inventory());
    let url = cluster.url("aura_user", "the-app's", "aura_db");
    let with = |options: &str| Workspace::on(&cluster).with("DATABASE_URL", &format!("{url}&options={options}"));
    let mut screens = String::new();
    for options in ["-csearch_path=public", "-csearch_path=\"Aura\",aura", "-csearch_path=other,aura"] {
        screens += &format!("{options}\n{}\n", with(options).run(&["db-setup"]).exits(1).screen());
        assert_eq!((cluster.globals(), cluster.inventory()), before, "{options}");
    }
    shows("options-for-another-path", &screens);
    // The seed document's, for another schema than the seed document's.
    let other = with("-csearch_path=aura").with("DB_SCHEMA", "atelier");
    other.run(&["db-setup"]).exits(1).shows("options-for-another-schema");
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
        workspace.run(&["db-setup"]).exits(1).shows("role-without-rights");
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
    assert_eq!(workspace.value("SELECT current_user || ' in ' || current_database()"), "atelier_user in atelier");
    let settings = "SELECT pg_catalog.count(*) FROM pg_db_role_setting WHERE setrole = 'aura_user'::regrole OR \
                    setdatabase = (SELECT oid FROM pg_database WHERE datname = 'aura_db')";
    assert_eq!(cluster.value("postgres", settings), "0");
    let granted = "SELECT pg_catalog.count(*) FROM pg_namespace, pg_catalog.aclexplode(nspacl) WHERE grantee = 'aura_user'::regrole";
    assert_eq!(cluster.value("atelier", granted), "0");
}

/// Makes a test of each way to break a database that was set up.
macro_rules! breakages {
    (mod $group:ident; $(fn $test:ident() = $broken:expr;)+) => {
        mod $group {
            $(#[test]
            fn $test() {
                super::assert_fixed($broken);
            })+
        }
    };
}

breakages! {
    mod what_is_missing;

    fn f11_usage_and_create_on_the_schema() = "REVOKE USAGE, CREATE ON SCHEMA aura FROM aura_user";
    fn f11_path_of_the_role() = "ALTER ROLE aura_user IN DATABASE aura_db RESET ALL";
    fn f11_path_of_the_database() = "ALTER DATABASE aura_db RESET search_path";
    fn f11_public_first_in_the_path_of_the_role() = "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = public, aura";
    fn f11_misspelled_path_of_the_database() = "ALTER DATABASE aura_db SET search_path = aurra, public";
    fn f11_all_on_a_table() = "REVOKE ALL ON aura.artworks_artist FROM aura_user";
    fn f11_all_on_all_tables() = "REVOKE ALL ON ALL TABLES IN SCHEMA aura FROM aura_user";
    fn f11_all_on_all_sequences() = "REVOKE ALL ON ALL SEQUENCES IN SCHEMA aura FROM aura_user";
    fn f11_create_on_public_for_everyone() = "GRANT CREATE ON SCHEMA public TO PUBLIC";
    fn f11_connect_create_and_temporary_on_the_database() = "REVOKE CONNECT, CREATE, TEMPORARY ON DATABASE aura_db FROM aura_user";
    fn f11_connect_on_the_database() = "REVOKE CONNECT ON DATABASE aura_db FROM PUBLIC, aura_user";
    fn f11_default_privileges_on_tables() = "ALTER DEFAULT PRIVILEGES IN SCHEMA aura REVOKE ALL ON TABLES FROM aura_user";
    fn f11_default_privileges_on_sequences() = "ALTER DEFAULT PRIVILEGES IN SCHEMA aura REVOKE ALL ON SEQUENCES FROM aura_user";
    fn f11_owner_of_the_schema() = "ALTER SCHEMA aura OWNER TO postgres";
    fn f11_owner_of_a_table() = "ALTER TABLE aura.artworks_artist OWNER TO postgres";
    fn f11_login_of_the_role() = "ALTER ROLE aura_user NOLOGIN";
}

/// The schema is there, and `db-setup` still makes what is missing.
#[track_caller]
fn assert_fixed(broken: &str) {
    let (cluster, workspace) = state::set_up();
    let rows = rows(&cluster);
    cluster.sql("aura_db", broken);
    // A database that is not broken would prove nothing.
    let found = workspace.verify();
    assert!(!found.with_status("fail").is_empty() || !found.with_status("warn").is_empty(), "{}", found.stdout);
    workspace.run(&["db-setup"]).exits(0);
    let verified = workspace.verify().exits(0);
    assert_eq!(verified.with_status("fail"), [""; 0]);
    state::assert_complete(&workspace, broken);
    // An access list may spell the same privileges differently; the next run finds nothing to do.
    let fixed = cluster.globals() + &cluster.dump("aura_db");
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), fixed);
    assert_eq!(self::rows(&cluster), rows);
}

fn rows(cluster: &Cluster) -> Vec<String> {
    cluster.dump("aura_db").lines().filter(|line| line.contains('\t')).map(str::to_owned).collect()
}

#[test]
fn f13_a_schema_that_the_role_may_not_see() {
    let cluster = Cluster::start();
    cluster.sql("postgres", ROLE);
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    cluster.sql("aura_db", "CREATE SCHEMA aura");
    let shown = "SELECT pg_catalog.count(*) FROM information_schema.schemata WHERE schema_name = 'aura'";
    let app = cluster.url("aura_user", "the-app's", "aura_db");
    assert_eq!(psql(&app, &["-c", shown], "").exits(0).line(), "0");
    let before = cluster.globals() + &cluster.dump("aura_db");
    let alone = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
    alone.run(&["db-setup"]).exits(1).shows("invisible-schema");
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
    let verified = alone.verify().exits(3).shows("verified-invisible-schema");
    assert_eq!(verified.check("schema")["status"], "pass");
    assert_eq!(verified.check("schema-privileges")["status"], "fail");
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "invisible");
}

#[test]
fn f23_plain_urls_lead_to_the_schema() {
    let (cluster, workspace) = state::set_up();
    let plain = cluster.url("aura_user", "the-app's", "aura_db");
    let lands = "SELECT coalesce((current_schemas(false))[1], 'nowhere')";
    for (situation, broken, elsewhere) in [
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
    ] {
        cluster.sql("aura_db", broken);
        assert_eq!(psql(&plain, &["-c", lands], "").exits(0).line(), elsewhere, "{situation}");
        workspace.run(&["db-setup"]).exits(0);
        state::assert_complete(&workspace, situation);
        assert_eq!(psql(&plain, &["-c", lands], "").exits(0).line(), "aura", "{situation}");
    }
}

#[test]
fn f05_f07_the_path_stands_on_the_role_and_on_the_database() {
    let (cluster, workspace) = state::set_up();
    let url = workspace.run(&["db-url"]).exits(0);
    assert!(!url.stdout.contains("options"), "{}", url.stdout);
    let settings = "SELECT pg_catalog.string_agg(setconfig::text, ' ' ORDER BY setrole) FROM pg_db_role_setting \
                    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = 'aura_db')";
    let path = r#"{"search_path=aura, public"}"#;
    assert_eq!(cluster.value("postgres", settings), format!("{path} {path}"));
    // The sessions of other roles, here the administrator's, have it from the database.
    assert_eq!(cluster.value("aura_db", "SELECT pg_catalog.current_schema()"), "aura");
}

/// A path without the note of when it was set would hide the sessions that have another one.
#[test]
fn the_path_and_its_note_are_written_together_or_not_at_all() {
    let (cluster, workspace) = Cluster::set_up();
    cluster.sql(
        "aura_db",
        "CREATE FUNCTION public.refuses() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog
             AS $$ BEGIN RAISE 'no comments here'; END $$;
         CREATE EVENT TRIGGER refuses ON ddl_command_end WHEN TAG IN ('COMMENT') EXECUTE FUNCTION public.refuses();
         ALTER ROLE aura_user IN DATABASE aura_db SET search_path = elsewhere",
    );
    let path = "SELECT setconfig[1] FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
                WHERE datname = 'aura_db' AND setrole = 'aura_user'::regrole";
    for command in [&["db-setup"][..], &["db-verify", "--fix"]] {
        workspace.run(command).exits(1).complains("no comments here");
        assert_eq!(cluster.value("aura_db", path), "search_path=elsewhere", "{command:?}");
    }
    cluster.sql("aura_db", "DROP EVENT TRIGGER refuses; DROP FUNCTION public.refuses()");
    workspace.run(&["db-verify", "--fix"]).exits(0);
    assert_eq!(cluster.value("aura_db", path), "search_path=aura, public");
}

/// Ends each session that makes a schema.
const ENDS: &str =
    "CREATE FUNCTION public.ends() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
        AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); END $$;
    CREATE EVENT TRIGGER ends ON ddl_command_start WHEN TAG IN ('CREATE SCHEMA') EXECUTE FUNCTION public.ends()";

/// Which one, what was done before, what to do. Whether the server's last words arrive is not ours to say.
#[test]
fn an_error_names_the_connection_that_was_lost() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    cluster.sql("aura_db", ENDS);
    let workspace = Workspace::on(&cluster);
    let lost = format!(
        "error: the connection of role \"aura_user\" to database \"aura_db\" at 127.0.0.1:{} was lost\n  cause: ",
        cluster.port()
    );
    let run = workspace.run(&["db-setup"]).exits(1).complains(&lost).complains("\n  statement: CREATE SCHEMA aura\n");
    let done = "done before: 2 statements, the last of them: GRANT CONNECT, CREATE, TEMPORARY ON DATABASE aura_db TO aura_user";
    run.complains("\n  help: run the command again; ").complains(done);
    cluster.sql("aura_db", "DROP FUNCTION public.ends() CASCADE");
    // In the migrations, that of the program itself.
    let ends =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = user AND pid <> pg_backend_pid()";
    let command = format!("psql -X -q -v ON_ERROR_STOP=1 -c 'CREATE TABLE IF NOT EXISTS one (id int)' -c '{ends}'");
    let migrating = Workspace::on(&cluster).with("MIGRATE_COMMAND", &command);
    for command in ["db-setup", "db-migrate"] {
        let run = migrating.run(&[command]).exits(1);
        let run = run.complains(
            "error: the migrate command has run, and its outcome is not verified\n cause: the connection of role",
        );
        run.complains(lost.trim_start_matches("error: ")).complains("help: run the command again");
    }
    workspace.run(&["db-setup"]).exits(0);
}

/// Of a server that was started here the log is named.
#[test]
fn an_error_names_the_log_of_our_server() {
    let workspace = Workspace::new().with("DB_SERVER", "local");
    workspace.run(&["db-setup"]).exits(0);
    let admin = workspace.run(&["db-url", "--admin"]).exits(0);
    let admin = connection(admin.line()).with_database("aura_db").url();
    psql(&admin, &["-c", "DROP SCHEMA aura CASCADE"], "").exits(0);
    psql(&admin, &["-c", ENDS], "").exits(0);
    let run = workspace.run(&["db-setup"]).exits(1).complains("nothing was changed before");
    let log = workspace.root().join("servers/clusters");
    run.complains(&format!("help: read its log: {}", log.display()));
    psql(&admin, &["-c", "DROP FUNCTION public.ends() CASCADE"], "").exits(0);
    workspace.run(&["db-setup"]).exits(0);
}
