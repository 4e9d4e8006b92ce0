//! Where unqualified names lead, in every layer that can say so.

use tests::{Cluster, Workspace, psql, seen};

use crate::case::{CASE, Case, Mend, Setup, check, fresh};

const RESET_ROLE: &str = "ALTER ROLE aura_user IN DATABASE aura_db RESET search_path";
const RESET_DATABASE: &str = "ALTER DATABASE aura_db RESET search_path";
const RESET_BOTH: &str =
    "ALTER ROLE aura_user IN DATABASE aura_db RESET search_path; ALTER DATABASE aura_db RESET search_path";
/// The seed document's, as it stands there: libpq would refuse it.
const OPTIONS: &str = "&options=-csearch_path=aura";

#[test]
fn paths_that_were_reset_are_found_and_mended() {
    let reset = Case { fails: &["search-path"], ..CASE };
    check(&[
        Case {
            name: "the role's",
            breaks: RESET_ROLE,
            says: &["the path is not set for role aura_user itself", "database: aura, public"],
            ..reset
        },
        Case {
            name: "the database's",
            breaks: RESET_DATABASE,
            says: &["database aura_db has no path of its own"],
            ..reset
        },
        Case {
            name: "both",
            breaks: RESET_BOTH,
            says: &["lands in schema public (refused: permission denied for schema public (42501)), not in aura"],
            ..reset
        },
        Case { name: "the role's, with options in the URL", url: OPTIONS, breaks: RESET_ROLE, ..reset },
        Case { name: "the database's, with options in the URL", url: OPTIONS, breaks: RESET_DATABASE, ..reset },
        Case {
            name: "both, with options in the URL",
            url: OPTIONS,
            breaks: RESET_BOTH,
            says: &["only the connection string's options lead to aura", "connection options: aura"],
            ..reset
        },
        Case {
            name: "the database's is another",
            breaks: "ALTER DATABASE aura_db SET search_path = public",
            says: &["database aura_db's own path is public: other roles miss aura"],
            ..reset
        },
    ]);
}

#[test]
fn a_database_path_that_nobody_here_may_set_is_no_failure() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
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

#[test]
fn f23_where_tables_land() {
    let came = check(&[
        Case {
            name: "a schema named like the role, and no setting",
            breaks: "ALTER ROLE aura_user IN DATABASE aura_db RESET search_path; ALTER DATABASE aura_db RESET search_path; \
                     CREATE SCHEMA aura_user AUTHORIZATION aura_user",
            fails: &["search-path"],
            says: &["an unqualified CREATE TABLE lands in schema aura_user, not in aura"],
            mend: Mend::HalfByHand,
            setup: Setup::Refuses(0, "schema aura_user is named like the role"),
            ..CASE
        },
        Case {
            name: "a schema named like the role, which the path passes by",
            breaks: "CREATE SCHEMA aura_user",
            warns: &["search-path"],
            says: &["schema aura_user is named like the role", "wherever a path has \\\"$user\\\""],
            mend: Mend::ByHand,
            setup: Setup::Refuses(0, "schema aura_user is named like the role"),
            ..CASE
        },
        Case {
            name: "the same, and something lies in it",
            breaks: "CREATE SCHEMA aura_user; CREATE TYPE aura_user.mood AS ENUM ('calm')",
            warns: &["search-path"],
            mend: Mend::Person,
            setup: Setup::Refuses(0, "schema aura_user is named like the role"),
            ..CASE
        },
        Case {
            name: "no setting, and anybody may create in public",
            breaks: "ALTER ROLE aura_user IN DATABASE aura_db RESET search_path; ALTER DATABASE aura_db RESET search_path; \
                     GRANT CREATE ON SCHEMA public TO PUBLIC",
            fails: &["search-path"],
            warns: &["public-create"],
            says: &["an unqualified CREATE TABLE lands in schema public, not in aura", r#"\"$user\", public"#],
            ..CASE
        },
    ]);
    seen(&came);
}

#[test]
fn f33_a_misspelled_schema_in_the_path() {
    let came = check(&[
        Case {
            name: "the role's, and public is closed",
            breaks: "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aurra, public",
            fails: &["search-path"],
            says: &["lands in schema public (refused", "schema aurra of the path does not exist"],
            ..CASE
        },
        Case {
            name: "the role's, and public is open",
            breaks: "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aurra, public; \
                     GRANT CREATE ON SCHEMA public TO aura_user",
            fails: &["search-path"],
            warns: &["public-create"],
            says: &["lands in schema public, not in aura", "schema aurra of the path does not exist"],
            ..CASE
        },
        Case {
            name: "two names taken for one",
            breaks: "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = 'aura, public'",
            fails: &["search-path"],
            says: &["lands nowhere (refused", "schema aura, public of the path does not exist"],
            ..CASE
        },
        Case {
            name: "behind the app's own schema",
            breaks: r#"ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aura, "pub,lic", public"#,
            warns: &["search-path"],
            says: &["schema pub,lic of the path does not exist"],
            setup: Setup::Refuses(0, "schema pub,lic of the path does not exist"),
            ..CASE
        },
    ]);

    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql("aura_db", "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aurra, public");
    let fix = workspace.verify().fix("search-path");
    assert_eq!(
        fix, "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aura, public;",
        "and no layer that is right"
    );
    cluster.sql("aura_db", &fix);

    // The connection string's own misspelling is nothing that the database could mend.
    let url = cluster.url("aura_user", "the-app's", "aura_db") + "&options=-csearch_path%3Daurra,public";
    let misspelled = workspace.with("DATABASE_URL", &url);
    let run = misspelled.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["search-path"]);
    let message = run.check("search-path")["message"].to_string();
    assert!(message.contains("schema aurra of the path does not exist"), "{message}");
    assert!(message.contains("write search_path=aura,public into the connection string's options"), "{message}");
    assert_eq!(run.fix("search-path"), "", "the database is right: the connection string is not");
    seen(&came);
}

#[test]
fn f24_every_layer_is_shown_and_who_wins() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    let path = |workspace: &Workspace| workspace.verify().message("search-path");
    let url = cluster.url("aura_user", "the-app's", "aura_db");
    // What the server says itself.
    let shown = |url: &str| psql(url, &["-c", "SHOW search_path"], "").exits(0).line().to_owned();

    cluster
        .sql("aura_db", "ALTER ROLE aura_user SET search_path = public; ALTER ROLE ALL SET search_path = pg_catalog");
    let message = path(&workspace);
    let layers = "role in database: aura, public (wins); then role: public; then database: aura, public; then all roles: pg_catalog";
    assert!(message.ends_with(layers), "{message}");
    assert_eq!(shown(&url), "aura, public");
    workspace.verify().exits(0);

    let with_options = workspace.with("DATABASE_URL", &format!("{url}{OPTIONS}"));
    let message = path(&with_options);
    assert!(
        message.contains("connection options: aura (wins); then role in database: aura, public; then"),
        "{message}"
    );
    assert_eq!(shown(&format!("{url}&options=-csearch_path%3Daura")), "aura");

    // Without the layer that won, the next one wins: the role's before the database's.
    cluster.sql("aura_db", RESET_ROLE);
    let plain = with_options.with("DATABASE_URL", &url);
    let role = path(&plain);
    assert!(role.contains("role: public (wins); then database: aura, public"), "{role}");
    assert!(role.contains("lands in schema public"), "{role}");
    assert_eq!(shown(&url), "public");

    // And then the database's, before that of all roles, which comes last.
    cluster.sql("aura_db", "ALTER ROLE aura_user RESET search_path");
    let database = path(&plain);
    assert!(database.contains("database: aura, public (wins); then all roles: pg_catalog"), "{database}");
    assert_eq!(shown(&url), "aura, public");
    cluster.sql("aura_db", RESET_DATABASE);
    let all_roles = path(&plain);
    assert!(all_roles.ends_with("; all roles: pg_catalog"), "{all_roles}");
    assert_eq!(shown(&url), "pg_catalog");
    plain.run(&["db-setup"]).exits(0);
    plain.verify().exits(0);
    seen(&format!("as psql shows it, layer by layer: {}", message.split_once("; ").unwrap().1));
}

#[test]
fn f30_a_restore_that_lost_the_path() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    let dump = pg_dump(&cluster);
    cluster.sql("postgres", "CREATE DATABASE restored");
    psql(&cluster.superuser().with_database("restored").url(), &["-v", "ON_ERROR_STOP=1"], &dump).exits(0);

    let url = cluster.url("aura_user", "the-app's", "restored");
    let path = || psql(&url, &["-c", "SHOW search_path"], "").exits(0).line().to_owned();
    let lost = path();
    assert_eq!(lost, r#""$user", public"#);
    let restored = workspace.with("DATABASE_URL", &url);
    let run = restored.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["search-path"]);
    let setup = restored.run(&["db-setup"]).exits(0).complains("ALTER ROLE aura_user IN DATABASE restored");
    assert!(setup.stderr.contains("skipped"), "nothing is migrated a second time: {}", setup.stderr);
    restored.verify().exits(0);
    assert_eq!(cluster.value("restored", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
    let mended = path();
    assert_eq!(mended, "aura, public");
    seen(&format!("path {lost}: found; {mended}: mended by db-setup; no second copy in public"));
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

#[test]
fn f31_extensions_and_the_path() {
    let came = check(&[
        Case {
            name: "one in aura",
            breaks: "CREATE EXTENSION citext SCHEMA aura",
            warns: &["extensions"],
            says: &["extension citext lies in aura"],
            mend: Mend::ByHand,
            setup: Setup::Refuses(0, "extension citext lies in aura"),
            ..CASE
        },
        Case {
            name: "one that the app needs is missing",
            environment: &[("DB_EXTENSIONS", "pg_trgm, uuid-ossp")],
            breaks: "DROP EXTENSION pg_trgm",
            fails: &["extensions"],
            says: &["extension pg_trgm is not installed in database aura_db"],
            ..CASE
        },
        Case {
            name: "one that the app needs is out of reach",
            environment: &[("DB_EXTENSIONS", "citext")],
            breaks: "CREATE SCHEMA ext; ALTER EXTENSION citext SET SCHEMA ext",
            fails: &["extensions"],
            says: &["extension citext lies in ext, which the app's path (aura, public) does not reach"],
            mend: Mend::ByHand,
            setup: Setup::Refuses(3, "extension citext lies in ext"),
            ..CASE
        },
        Case {
            name: "one that the app needs, and its path does not lead to public",
            environment: &[("DB_EXTENSIONS", "citext")],
            breaks: "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aura",
            fails: &["extensions"],
            says: &["extension citext lies in public, which the app's path (aura) does not reach"],
            ..CASE
        },
        Case {
            name: "one that cannot be moved",
            environment: &[("DB_EXTENSIONS", "xml2")],
            breaks: "CREATE SCHEMA ext; DROP EXTENSION xml2; CREATE EXTENSION xml2 SCHEMA ext",
            fails: &["extensions"],
            says: &["it cannot be moved: drop it and make it in public, or add ext to the path"],
            mend: Mend::Person,
            setup: Setup::Refuses(3, "extension xml2 lies in ext"),
            ..CASE
        },
        Case {
            name: "both",
            environment: &[("DB_EXTENSIONS", "citext, pg_trgm")],
            breaks: "CREATE SCHEMA ext; ALTER EXTENSION citext SET SCHEMA ext; \
                     ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aura",
            fails: &["extensions"],
            mend: Mend::HalfByHand,
            setup: Setup::Refuses(3, "extension citext lies in ext"),
            ..CASE
        },
    ]);

    // With the path `aura` alone a citext column compares as text, and finds nothing.
    let cluster = Cluster::start();
    let needs = Case { environment: &[("DB_EXTENSIONS", "citext")], ..CASE };
    let workspace = fresh(&cluster, &needs);
    workspace.verify().exits(0);
    let url = cluster.url("aura_user", "the-app's", "aura_db");
    psql(&url, &["-c", "CREATE TABLE visitor (name citext); INSERT INTO visitor VALUES ('A@b.c')"], "").exits(0);
    let count = |url: &str| psql(url, &["-c", "SELECT count(*) FROM visitor WHERE name = 'a@B.C'"], "").exits(0);
    let (both, one) = (count(&url), count(&format!("{url}&options=-csearch_path%3Daura")));
    assert_eq!((both.line(), one.line()), ("1", "0"));
    let alone = workspace.with("DATABASE_URL", &format!("{url}{OPTIONS}"));
    let run = alone.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["extensions"]);
    let message = run.check("extensions")["message"].to_string();
    assert!(message.contains("which the app's path (aura) does not reach"), "{message}");
    assert!(message.contains("write search_path=aura,public into the connection string's options"), "{message}");
    assert_eq!(run.fix("extensions"), "", "the database is right: the connection string is not");

    // What the app did not ask for it may do without.
    let run = alone.without("DB_EXTENSIONS").verify().exits(0);
    assert_eq!(run.with_status("warn"), ["extensions"]);
    seen(&format!("{came}; a citext finds {} row by our path, {} by aura alone", both.line(), one.line()));
}
