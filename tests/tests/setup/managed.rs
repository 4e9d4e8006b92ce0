//! Managed servers: little rights, on versions where CREATEROLE means much and where it means less. Setup does what it
//! may and prints the exact rest; verification needs what the app has.

use tests::{Cluster, Run, Workspace, psql, shows};

use crate::state;

/// Up to 15 CREATEROLE rules every role but superusers; from 16 on it does not. This run's version, and one of the
/// others.
fn servers() -> impl Iterator<Item = Cluster> {
    let cluster = Cluster::start();
    let other = if number(&cluster) < 16 { 17 } else { 15 };
    [Some(cluster), Cluster::of(other)].into_iter().flatten()
}

fn number(cluster: &Cluster) -> u32 {
    cluster.value("postgres", "SHOW server_version_num").parse::<u32>().unwrap() / 10_000
}

/// Before 15 every role may create in public: other screens.
fn screen(name: &str, cluster: &Cluster) -> String {
    if number(cluster) < 15 { format!("{name}-before-15") } else { name.to_owned() }
}

/// A workspace whose administrator has CREATEROLE and CREATEDB, and nothing else.
fn with_dba(cluster: &Cluster) -> Workspace {
    cluster.sql("postgres", "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'managed'");
    Workspace::on(cluster).with("ADMIN_DATABASE_URL", &cluster.url("dba", "managed", "postgres"))
}

/// Runs the rest that an error prints, in a database and as the superuser.
#[track_caller]
fn run_rest(cluster: &Cluster, database: &str, refused: &Run) {
    let (_, rest) = refused.stderr.split_once("\n\n").expect("the rest follows an empty line");
    assert!(rest.starts_with("  -- "), "{rest}");
    psql(&cluster.superuser().with_database(database).url(), &["-v", "ON_ERROR_STOP=1"], rest).exits(0);
}

/// Runs the SQL of every finding; db-setup then leaves no finding.
#[track_caller]
fn run_fixes(cluster: &Cluster, workspace: &Workspace) {
    let run = workspace.verify();
    for id in [run.with_status("fail"), run.with_status("warn")].concat() {
        let fix = run.fix(&id);
        psql(&cluster.superuser().with_database("aura_db").url(), &["-v", "ON_ERROR_STOP=1"], &fix).exits(0);
    }
    workspace.run(&["db-setup"]).exits(0);
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}

#[test]
fn a_role_with_another_password() {
    for cluster in servers() {
        let workspace = with_dba(&cluster);
        cluster.sql("postgres", "CREATE ROLE aura_user LOGIN PASSWORD 'another'");
        let before = (cluster.globals(), cluster.inventory());
        let refused = workspace.run(&["db-setup"]).exits(1);
        let forced = workspace.run(&["db-setup", "--set-password"]);
        if number(&cluster) < 16 {
            forced.exits(0);
        } else {
            let forced = forced.exits(1).never_says("the-app's");
            shows(&screen("another-password", &cluster), &(refused.screen() + &forced.screen()));
            assert_eq!((cluster.globals(), cluster.inventory()), before, "rights come first");
            run_rest(&cluster, "postgres", &forced);
            workspace.run(&["db-setup"]).exits(0);
        }
        state::assert_complete(&workspace, "another password");
    }
}

#[test]
fn a_role_that_may_not_log_in() {
    for cluster in servers() {
        let workspace = with_dba(&cluster);
        cluster.sql("postgres", "CREATE ROLE aura_user NOLOGIN PASSWORD 'the-app''s'");
        let before = (cluster.globals(), cluster.inventory());
        let setup = workspace.run(&["db-setup"]);
        if number(&cluster) < 16 {
            setup.exits(0);
        } else {
            let refused = setup.exits(1).shows(&screen("no-login", &cluster));
            assert_eq!((cluster.globals(), cluster.inventory()), before);
            run_rest(&cluster, "postgres", &refused);
            workspace.run(&["db-setup"]).exits(0);
        }
        state::assert_complete(&workspace, "no login");
    }
}

#[test]
fn a_role_and_a_database_of_another_owner() {
    for cluster in servers() {
        let workspace = with_dba(&cluster);
        cluster.sql("postgres", "CREATE ROLE aura_user LOGIN PASSWORD 'the-app''s'; CREATE ROLE boss");
        cluster.sql("postgres", "CREATE DATABASE aura_db OWNER boss");
        let before = cluster.globals() + &cluster.dump("aura_db");
        let refused = workspace.run(&["db-setup"]).exits(1).shows(&screen("owner-of-the-database", &cluster));
        assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
        run_rest(&cluster, "postgres", &refused);
        // All but the path of others' sessions is the app's own to make.
        let setup = workspace.run(&["db-setup", "--format", "json"]).exits(0);
        let public = if number(&cluster) < 15 { &["public-create"][..] } else { &[] };
        assert_eq!(setup.with_status("warn"), [&["search-path"], public].concat(), "{}", setup.stdout);
        assert_eq!(setup.fix("search-path"), "ALTER DATABASE aura_db SET search_path = aura, public;");
        let done = cluster.globals() + &cluster.dump("aura_db");
        workspace.run(&["db-setup"]).exits(0);
        assert_eq!(cluster.globals() + &cluster.dump("aura_db"), done);
        run_fixes(&cluster, &workspace);
        state::assert_complete(&workspace, "another role's database");
    }
}

#[test]
fn nothing_but_the_ownership_of_a_database() {
    for cluster in servers().chain(Cluster::of(13)) {
        cluster.sql("postgres", "CREATE ROLE aura_user LOGIN PASSWORD 'the-app''s'");
        cluster.sql("postgres", "CREATE DATABASE aura_db OWNER aura_user");
        let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
        workspace.run(&["db-setup"]).exits(0);
        let run = workspace.verify().exits(0);
        // What nothing can prevent is said. Before 15 public is the superuser's, and everybody may create there.
        let warned: &[&str] = if number(&cluster) < 15 { &["database", "public-create"] } else { &["database"] };
        assert_eq!(run.with_status("warn"), warned, "{}", run.stdout);
        assert!(run.with_status("skip").is_empty(), "{}", run.stdout);
        run.shows(&screen("owner-of-its-database", &cluster));
        let done = cluster.globals() + &cluster.dump("aura_db");
        workspace.run(&["db-setup"]).exits(0);
        assert_eq!(cluster.globals() + &cluster.dump("aura_db"), done);
        // An administrator can own it instead: the SQL for that is printed where one is known.
        let workspace = Workspace::on(&cluster);
        workspace.run(&["db-setup"]).exits(0);
        run_fixes(&cluster, &workspace);
        workspace.run(&["db-setup"]).exits(0);
        state::assert_complete(&workspace, "owned by an administrator");
    }
}

#[test]
fn nothing_but_a_role_and_a_schema() {
    for cluster in servers().chain(Cluster::of(13)) {
        for (made, code, found) in [
            ("CREATE SCHEMA aura AUTHORIZATION aura_user", 0, &["database", "search-path", "default-privileges"][..]),
            // What the schema's owner makes there is not the app's: that is no success.
            (
                "CREATE SCHEMA aura; GRANT USAGE, CREATE ON SCHEMA aura TO aura_user",
                3,
                &["database", "search-path", "default-privileges", "ownership"],
            ),
        ] {
            cluster.sql("postgres", "DROP DATABASE IF EXISTS aura_db WITH (FORCE)");
            cluster.sql("postgres", "DROP ROLE IF EXISTS aura_user; CREATE ROLE aura_user LOGIN PASSWORD 'the-app''s'");
            cluster.sql("postgres", "CREATE DATABASE aura_db");
            cluster.sql("aura_db", &format!("REVOKE CREATE ON SCHEMA public FROM PUBLIC; {made}"));
            let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
            let setup = workspace.run(&["db-setup", "--format", "json"]).exits(code);
            let mut wrong = [setup.with_status("fail"), setup.with_status("warn")].concat();
            wrong.retain(|id| id != "migrations");
            wrong.sort_by_key(|id| pg_schema::CHECKS.iter().position(|known| known == id));
            assert_eq!(wrong, found, "{made}: {}", setup.stdout);
            assert!(
                setup.with_status("skip").iter().all(|id| ["migrations", "drift"].contains(&id.as_str())),
                "it asks for no more: {}",
                setup.stdout
            );
            state::assert_lands(&workspace, "aura", made);
            let done = cluster.globals() + &cluster.dump("aura_db");
            workspace.run(&["db-setup", "-q"]);
            assert_eq!(cluster.globals() + &cluster.dump("aura_db"), done);
            run_fixes(&cluster, &workspace);
            state::assert_complete(&workspace, made);
        }
    }
}

#[test]
fn checks_that_need_more_rights() {
    for cluster in servers() {
        let workspace = Workspace::on(&cluster);
        workspace.run(&["db-setup"]).exits(0);
        cluster.sql(
            "aura_db",
            "INSERT INTO aura.artworks_support (name, created_at) VALUES ('a', now()); \
             REVOKE ALL ON ALL TABLES IN SCHEMA aura FROM aura_user; \
             CREATE TABLE public.artworks_support AS SELECT * FROM aura.artworks_support",
        );
        let run = workspace.verify().exits(3).shows(&screen("few-rights", &cluster));
        assert_eq!(run.with_status("skip"), ["drift", "sequence-values"], "{}", run.stdout);
        assert_eq!(run.fix("duplicates"), "", "nothing is dropped that could not be counted");
    }
}
