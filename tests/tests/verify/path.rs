//! Where unqualified names lead, in every layer that can say so.

use tests::{Cluster, Workspace, psql, shows};

use crate::case::{CASE, Case, Fix, Setup, cases, set_up};

const RESET_ROLE: &str = "ALTER ROLE aura_user IN DATABASE aura_db RESET search_path";
const RESET_DATABASE: &str = "ALTER DATABASE aura_db RESET search_path";
const RESET_BOTH: &str =
    "ALTER ROLE aura_user IN DATABASE aura_db RESET search_path; ALTER DATABASE aura_db RESET search_path";
/// The seed document's, as it stands there: libpq would refuse it.
const OPTIONS: &str = "&options=-csearch_path=aura";

const RESET: Case = Case { fails: &["search-path"], ..CASE };

cases! {
    mod reset_paths;

    fn role() = Case {
        breaks: RESET_ROLE,
        ..RESET
    };

    fn database() = Case {
        breaks: RESET_DATABASE,
        ..RESET
    };

    fn both() = Case {
        breaks: RESET_BOTH,
        ..RESET
    };

    fn role_and_options_in_the_url() = Case { url: OPTIONS, breaks: RESET_ROLE, ..RESET };

    fn database_and_options_in_the_url() = Case { url: OPTIONS, breaks: RESET_DATABASE, ..RESET };

    fn both_and_options_in_the_url() = Case {
        url: OPTIONS,
        breaks: RESET_BOTH,
        ..RESET
    };

    fn misspelled_path_of_the_database() = Case {
        breaks: "ALTER DATABASE aura_db SET search_path = aurra, public",
        ..RESET
    };

    fn path_of_the_database_with_the_schema_in_another_place() = Case {
        breaks: "ALTER DATABASE aura_db SET search_path = public, aura",
        ..RESET
    };
}

/// A path of the database that does not name the schema, and all of whose schemas exist: a neighbour may rely on it.
const NEIGHBOURS: Case =
    Case { warns: &["search-path"], fix: Fix::ByHand, setup: Setup::Warns(&["search-path"]), ..CASE };

cases! {
    mod path_of_a_neighbour;

    fn public_alone() = Case { breaks: "ALTER DATABASE aura_db SET search_path = public", ..NEIGHBOURS };

    fn other_schema() = Case {
        breaks: "CREATE SCHEMA other AUTHORIZATION other; ALTER DATABASE aura_db SET search_path = other, public",
        ..NEIGHBOURS
    };

    fn quoted_schema_and_user() = Case {
        breaks: r#"CREATE SCHEMA "Other, one"; ALTER DATABASE aura_db SET search_path = "$user", "Other, one", public"#,
        ..NEIGHBOURS
    };

    fn schema_before_the_catalog() = Case {
        breaks: "CREATE SCHEMA other; ALTER DATABASE aura_db SET search_path = other, pg_catalog",
        ..NEIGHBOURS
    };

    fn and_no_path_of_the_role() = Case {
        breaks: "CREATE SCHEMA other; ALTER DATABASE aura_db SET search_path = other, public; \
                 ALTER ROLE aura_user IN DATABASE aura_db RESET search_path",
        fails: &["search-path"],
        fix: Fix::HalfByHand,
        setup: Setup::Warns(&["search-path"]),
        ..CASE
    };
}

/// Two workspaces in one database: neither takes the other's path away, on any run.
#[test]
fn two_workspaces_in_one_database() {
    let (cluster, ours) = set_up(&CASE);
    let shop = Workspace::on(&cluster)
        .with("DATABASE_URL", &cluster.url("shop_user", "the-app's", "aura_db"))
        .with("DB_SCHEMA", "shop");
    let setup = shop.run(&["db-setup"]).exits(0);
    setup.shows("second-workspace");
    let (state, paths) = (|| cluster.globals(), "SELECT setconfig::text FROM pg_db_role_setting WHERE setrole = 0");
    let before = (state(), cluster.value("postgres", paths));
    assert_eq!(before.1, r#"{"search_path=aura, public"}"#);
    for _ in 0..2 {
        ours.run(&["db-setup"]).exits(0);
        assert_eq!(ours.verify().exits(0).with_status("warn"), [""; 0]);
        shop.run(&["db-setup"]).exits(0);
        assert_eq!(shop.verify().exits(0).with_status("warn"), ["search-path"]);
        shop.run(&["db-verify", "--fix"]).exits(0);
        assert_eq!((state(), cluster.value("postgres", paths)), before);
    }
    // Nor does the administrator's script.
    let script = shop.run(&["db-setup", "--dry-run"]).exits(0);
    psql(&cluster.superuser().url(), &["-v", "ON_ERROR_STOP=1"], &script.stdout).exits(0);
    assert_eq!(cluster.value("postgres", paths), before.1);
    cluster.sql("postgres", "ALTER DATABASE aura_db SET search_path = gone, public");
    psql(&cluster.superuser().url(), &["-v", "ON_ERROR_STOP=1"], &script.stdout).exits(0);
    assert_eq!(cluster.value("postgres", paths), r#"{"search_path=shop, public"}"#);
}

#[test]
fn a_path_that_only_the_owner_of_the_database_may_set_is_no_failure() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "postgres",
        "CREATE ROLE boss LOGIN CREATEROLE CREATEDB PASSWORD 'boss-only'; ALTER DATABASE aura_db OWNER TO other",
    );
    cluster.sql("aura_db", RESET_DATABASE);
    cluster.sql(
        "aura_db",
        "ALTER DEFAULT PRIVILEGES FOR ROLE boss IN SCHEMA aura GRANT ALL ON TABLES TO aura_user; \
         ALTER DEFAULT PRIVILEGES FOR ROLE boss IN SCHEMA aura GRANT ALL ON SEQUENCES TO aura_user",
    );
    for administrator in [Some(cluster.url("boss", "boss-only", "postgres")), None] {
        let workspace = match &administrator {
            Some(url) => Workspace::on(&cluster).with("ADMIN_DATABASE_URL", url),
            None => Workspace::on(&cluster).without("ADMIN_DATABASE_URL"),
        };
        let run = workspace.verify().exits(0);
        assert_eq!(run.with_status("warn"), ["search-path"], "{administrator:?}: {}", run.stdout);
        assert_eq!(run.fix("search-path"), "ALTER DATABASE aura_db SET search_path = aura, public;");
    }
    workspace.run(&["db-setup"]).exits(0);
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}

cases! {
    mod where_tables_land;

    fn f23_schema_of_the_role_and_no_setting() = Case {
        breaks: "ALTER ROLE aura_user IN DATABASE aura_db RESET search_path; ALTER DATABASE aura_db RESET search_path; \
                 CREATE SCHEMA aura_user AUTHORIZATION aura_user",
        fails: &["search-path"],
        fix: Fix::HalfByHand,
        setup: Setup::Warns(&["search-path"]),
        ..CASE
    };

    fn f23_schema_of_the_role_outside_the_path() = Case {
        breaks: "CREATE SCHEMA aura_user",
        warns: &["search-path"],
        fix: Fix::ByHand,
        setup: Setup::Warns(&["search-path"]),
        ..CASE
    };

    fn f23_schema_of_the_role_with_a_type() = Case {
        breaks: "CREATE SCHEMA aura_user; CREATE TYPE aura_user.mood AS ENUM ('calm')",
        warns: &["search-path"],
        fix: Fix::Person,
        setup: Setup::Warns(&["search-path"]),
        ..CASE
    };

    fn f23_no_setting_and_an_open_public() = Case {
        breaks: "ALTER ROLE aura_user IN DATABASE aura_db RESET search_path; ALTER DATABASE aura_db RESET search_path; \
                 GRANT CREATE ON SCHEMA public TO PUBLIC",
        fails: &["search-path"],
        warns: &["public-create"],
        ..CASE
    };
}

cases! {
    mod misspelled_schema;

    fn f33_public_is_closed() = Case {
        breaks: "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aurra, public",
        fails: &["search-path"],
        ..CASE
    };

    fn f33_public_is_open() = Case {
        breaks: "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aurra, public; \
                 GRANT CREATE ON SCHEMA public TO aura_user",
        fails: &["search-path"],
        warns: &["public-create"],
        ..CASE
    };

    fn f33_two_names_in_one() = Case {
        breaks: "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = 'aura, public'",
        fails: &["search-path"],
        ..CASE
    };

    fn f33_after_the_schema_of_the_app() = Case {
        breaks: r#"ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aura, "pub,lic", public"#,
        warns: &["search-path"],
        setup: Setup::Warns(&["search-path"]),
        ..CASE
    };
}

#[test]
fn f33_the_fix_is_for_the_wrong_layer_alone() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("aura_db", "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aurra, public");
    let fix = workspace.verify().fix("search-path");
    assert_eq!(fix, "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aura, public;");
    cluster.sql("aura_db", &fix);

    // No SQL fixes the connection string.
    let url = cluster.url("aura_user", "the-app's", "aura_db") + "&options=-csearch_path%3Daurra,public";
    let misspelled = workspace.with("DATABASE_URL", &url);
    let run = misspelled.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["search-path"]);
    assert_eq!(run.shows("misspelled-options").fix("search-path"), "", "the connection string is wrong");
}

#[test]
fn f24_every_layer_is_shown_in_its_order() {
    let (cluster, workspace) = set_up(&CASE);
    let path = |workspace: &Workspace| workspace.verify().message("search-path");
    let url = cluster.url("aura_user", "the-app's", "aura_db");
    // What the server says itself.
    let shown = |url: &str| psql(url, &["-c", "SHOW search_path"], "").exits(0).line().to_owned();

    cluster
        .sql("aura_db", "ALTER ROLE aura_user SET search_path = public; ALTER ROLE ALL SET search_path = pg_catalog");
    let mut layers = vec![path(&workspace)];
    assert_eq!(shown(&url), "aura, public");
    workspace.verify().exits(0);

    let with_options = workspace.with("DATABASE_URL", &format!("{url}{OPTIONS}"));
    layers.push(path(&with_options));
    assert_eq!(shown(&format!("{url}&options=-csearch_path%3Daura")), "aura");

    // Without the layer that won, the next one wins: the role's before the database's.
    cluster.sql("aura_db", RESET_ROLE);
    let plain = with_options.with("DATABASE_URL", &url);
    layers.push(path(&plain));
    assert_eq!(shown(&url), "public");

    // And then the database's, before that of all roles, which comes last.
    cluster.sql("aura_db", "ALTER ROLE aura_user RESET search_path");
    layers.push(path(&plain));
    assert_eq!(shown(&url), "aura, public");
    cluster.sql("aura_db", RESET_DATABASE);
    layers.push(path(&plain));
    assert_eq!(shown(&url), "pg_catalog");
    shows("layers", &layers.join("\n"));
    plain.run(&["db-setup"]).exits(0);
    plain.verify().exits(0);
}

#[test]
fn f30_a_restore_that_lost_the_path() {
    let (cluster, workspace) = set_up(&CASE);
    let dump = pg_dump(&cluster);
    cluster.sql("postgres", "CREATE DATABASE restored");
    psql(&cluster.superuser().with_database("restored").url(), &["-v", "ON_ERROR_STOP=1"], &dump).exits(0);

    let url = cluster.url("aura_user", "the-app's", "restored");
    let path = || psql(&url, &["-c", "SHOW search_path"], "").exits(0).line().to_owned();
    assert_eq!(path(), r#""$user", public"#);
    let restored = workspace.with("DATABASE_URL", &url);
    let run = restored.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["search-path"]);
    restored.run(&["db-setup"]).exits(0).shows("restored-database");
    restored.verify().exits(0);
    assert_eq!(cluster.value("restored", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
    assert_eq!(path(), "aura, public");
}

/// The app's database as a person dumps it, without `-C`.
fn pg_dump(cluster: &Cluster) -> String {
    let connection = cluster.superuser().with_database("aura_db");
    let output = std::process::Command::new(cluster.binaries().join("pg_dump"))
        .envs(connection.libpq_environment())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

cases! {
    mod extensions;

    fn f31_extension_in_aura() = Case {
        breaks: "CREATE EXTENSION citext SCHEMA aura",
        warns: &["extensions"],
        fix: Fix::ByHand,
        setup: Setup::Warns(&["extensions"]),
        ..CASE
    };

    fn f31_needed_and_missing() = Case {
        environment: &[("DB_EXTENSIONS", "pg_trgm, uuid-ossp")],
        breaks: "DROP EXTENSION pg_trgm",
        fails: &["extensions"],
        ..CASE
    };

    fn f31_needed_and_outside_the_path() = Case {
        environment: &[("DB_EXTENSIONS", "citext")],
        breaks: "CREATE SCHEMA ext; ALTER EXTENSION citext SET SCHEMA ext",
        fails: &["extensions"],
        fix: Fix::ByHand,
        setup: Setup::Refuses,
        ..CASE
    };

    fn f31_needed_where_a_provider_keeps_it() = Case {
        environment: &[("DB_EXTENSIONS", "citext")],
        breaks: "CREATE SCHEMA extensions; ALTER EXTENSION citext SET SCHEMA extensions",
        fails: &["extensions"],
        fix: Fix::ByHand,
        setup: Setup::Refuses,
        ..CASE
    };

    fn f31_needed_and_no_public_in_the_path() = Case {
        environment: &[("DB_EXTENSIONS", "citext")],
        breaks: "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aura",
        fails: &["extensions"],
        ..CASE
    };

    fn f31_needed_and_not_relocatable() = Case {
        environment: &[("DB_EXTENSIONS", "xml2")],
        breaks: "CREATE SCHEMA ext; DROP EXTENSION xml2; CREATE EXTENSION xml2 SCHEMA ext",
        fails: &["extensions"],
        fix: Fix::Person,
        setup: Setup::Refuses,
        ..CASE
    };

    fn f31_outside_the_path_and_no_public() = Case {
        environment: &[("DB_EXTENSIONS", "citext, pg_trgm")],
        breaks: "CREATE SCHEMA ext; ALTER EXTENSION citext SET SCHEMA ext; \
                 ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aura",
        fails: &["extensions"],
        fix: Fix::HalfByHand,
        setup: Setup::Refuses,
        ..CASE
    };
}

/// As on Supabase: found before the migrations run, which would fail without the cause.
#[test]
fn f31_an_extension_that_a_provider_keeps_elsewhere() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    cluster.sql("aura_db", "CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions");
    let workspace = Workspace::on(&cluster)
        .with("MIGRATE_COMMAND", "touch ran; psql -X -q -v ON_ERROR_STOP=1 -c 'CREATE TABLE visitor (name citext)'")
        .without("MIGRATE_INPUTS")
        .with("DB_EXTENSIONS", "citext");
    let refused = workspace.run(&["db-setup"]).exits(1).shows("extension-of-a-provider");
    assert!(!workspace.root().join("ran").exists());
    // The lines that it prints lead there, and no run takes them back.
    let is_sql = |line: &&str| ["GRANT", "ALTER"].iter().any(|word| line.trim_start().starts_with(word));
    let statements: String =
        refused.stderr.lines().skip_while(|line| !line.starts_with("error:")).filter(is_sql).collect();
    assert!(statements.contains("GRANT USAGE"), "{}", refused.stderr);
    psql(&cluster.superuser().with_database("aura_db").url(), &["-v", "ON_ERROR_STOP=1"], &statements).exits(0);
    for _ in 0..2 {
        workspace.run(&["db-setup"]).exits(0);
        std::fs::remove_file(workspace.root().join("ran")).unwrap();
        cluster.sql("aura_db", "DROP TABLE aura.visitor");
    }
    // Without the setting nothing untrue is said.
    cluster.sql("aura_db", "ALTER ROLE aura_user IN DATABASE aura_db RESET ALL; CREATE TABLE aura.one (); ALTER TABLE aura.one OWNER TO aura_user");
    let other = workspace.without("DB_EXTENSIONS").with("MIGRATE_COMMAND", "true");
    let run = other.run(&["db-setup", "--accept-drift", "--format", "json"]).exits(0);
    assert_eq!(
        run.message("extensions"),
        "2 there; the app's path does not reach citext in extensions, pg_trgm in extensions"
    );
}

/// With the path `aura` alone a citext column compares as text, and finds nothing.
#[test]
fn f31_a_citext_column_needs_public_in_the_path() {
    let (cluster, workspace) = set_up(&Case { environment: &[("DB_EXTENSIONS", "citext")], ..CASE });
    workspace.verify().exits(0);
    let url = cluster.url("aura_user", "the-app's", "aura_db");
    psql(&url, &["-c", "CREATE TABLE visitor (name citext); INSERT INTO visitor VALUES ('A@b.c')"], "").exits(0);
    let count = |url: &str| psql(url, &["-c", "SELECT count(*) FROM visitor WHERE name = 'a@B.C'"], "").exits(0);
    let (both, one) = (count(&url), count(&format!("{url}&options=-csearch_path%3Daura")));
    assert_eq!((both.line(), one.line()), ("1", "0"));
    let alone = workspace.with("DATABASE_URL", &format!("{url}{OPTIONS}"));
    let run = alone.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["extensions"]);
    assert_eq!(run.shows("options-without-public").fix("extensions"), "", "the connection string is wrong");

    // An extension that the configuration does not name is no failure.
    let run = alone.without("DB_EXTENSIONS").verify().exits(0);
    assert_eq!(run.with_status("warn"), ["extensions"]);
}
