//! Managed servers: little rights, on versions where CREATEROLE means much and where it means less. Setup does what it
//! may and prints the exact rest; verification needs what the app has.

use tests::{Cluster, Run, Workspace, psql};

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

/// A workspace whose administrator has CREATEROLE and CREATEDB, and nothing else.
fn with_dba(cluster: &Cluster) -> Workspace {
    cluster.sql("postgres", "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'managed'");
    Workspace::on(cluster).with("ADMIN_DATABASE_URL", &cluster.url("dba", "managed", "postgres"))
}

/// Runs the rest that an error prints, in a database and as the superuser.
#[track_caller]
fn run_rest(cluster: &Cluster, database: &str, refused: &Run) {
    let (_, rest) = refused.stderr.split_once("\n\n").expect("the rest follows an empty line");
    assert!(rest.starts_with("-- by "), "{rest}");
    psql(&cluster.superuser().with_database(database).url(), &["-v", "ON_ERROR_STOP=1"], rest).exits(0);
}

/// Runs the SQL of every finding, and sees that db-setup leaves none.
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
fn a_role_of_somebody_elses_with_another_password() {
    for cluster in servers() {
        let workspace = with_dba(&cluster);
        cluster.sql("postgres", "CREATE ROLE aura_user LOGIN PASSWORD 'another'");
        let before = (cluster.globals(), cluster.inventory());
        let refused = workspace.run(&["db-setup"]).exits(1).complains("28P01").complains("nothing was changed");
        let forced = workspace.run(&["db-setup", "--set-password"]);
        if number(&cluster) < 16 {
            refused.complains("--set-password");
            forced.exits(0);
        } else {
            refused
                .complains(
                    "have a role with CREATEROLE and ADMIN OPTION on aura_user, or a superuser change the role's",
                )
                .complains("ADMIN_DATABASE_URL in the environment may not");
            let forced = forced.exits(1).complains("may not change that role's password").never_says("the-app's");
            assert_eq!((cluster.globals(), cluster.inventory()), before, "rights come first");
            run_rest(&cluster, "postgres", &forced);
            workspace.run(&["db-setup"]).exits(0);
        }
        state::assert_complete(&workspace, "another password");
    }
}

#[test]
fn a_role_of_somebody_elses_that_may_not_log_in() {
    for cluster in servers() {
        let workspace = with_dba(&cluster);
        cluster.sql("postgres", "CREATE ROLE aura_user NOLOGIN PASSWORD 'the-app''s'");
        let before = (cluster.globals(), cluster.inventory());
        let setup = workspace.run(&["db-setup"]);
        if number(&cluster) < 16 {
            setup.exits(0);
        } else {
            let refused = setup.exits(1).complains("role aura_user may not log in").complains("nothing was changed");
            assert_eq!((cluster.globals(), cluster.inventory()), before);
            run_rest(&cluster, "postgres", &refused);
            workspace.run(&["db-setup"]).exits(0);
        }
        state::assert_complete(&workspace, "no login");
    }
}

#[test]
fn role_and_database_of_somebody_elses() {
    for cluster in servers() {
        let workspace = with_dba(&cluster);
        cluster.sql("postgres", "CREATE ROLE aura_user LOGIN PASSWORD 'the-app''s'; CREATE ROLE boss");
        cluster.sql("postgres", "CREATE DATABASE aura_db OWNER boss");
        let before = cluster.globals() + &cluster.dump("aura_db");
        let refused = workspace.run(&["db-setup"]).exits(1).complains("nothing was changed");
        let refused = refused
            .complains("-- by boss, who owns database aura_db, or a superuser:\nGRANT CONNECT, CREATE, TEMPORARY");
        assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
        run_rest(&cluster, "postgres", &refused);
        // All but the path of others' sessions is the app's own to make.
        let setup = workspace.run(&["db-setup", "--format", "json"]).exits(0);
        let public = if number(&cluster) < 15 { &["public-create"][..] } else { &[] };
        assert_eq!(setup.with_status("warn"), [&["search-path"], public].concat(), "{}", setup.stdout);
        assert_eq!(setup.fix("search-path"), "ALTER DATABASE aura_db SET search_path = aura, public;");
        let done = cluster.globals() + &cluster.dump("aura_db");
        workspace.run(&["db-setup"]).exits(0).complains("unchanged");
        assert_eq!(cluster.globals() + &cluster.dump("aura_db"), done);
        run_fixes(&cluster, &workspace);
        state::assert_complete(&workspace, "somebody else's database");
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
        let message = run.check("database")["message"].as_str().unwrap().to_owned();
        assert!(message.contains("nothing can keep it from dropping it"), "{message}");
        let done = cluster.globals() + &cluster.dump("aura_db");
        workspace.run(&["db-setup"]).exits(0).complains("unchanged");
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
                setup.with_status("skip").iter().all(|id| id == "migrations"),
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
fn what_the_apps_rights_cannot_answer_is_said() {
    for cluster in servers() {
        let workspace = Workspace::on(&cluster);
        workspace.run(&["db-setup"]).exits(0);
        cluster.sql(
            "aura_db",
            "INSERT INTO aura.artworks_support (name, created_at) VALUES ('a', now()); \
             REVOKE ALL ON ALL TABLES IN SCHEMA aura FROM aura_user; \
             CREATE TABLE public.artworks_support AS SELECT * FROM aura.artworks_support",
        );
        let run = workspace.verify().exits(3);
        let message = |id: &str| run.check(id)["message"].as_str().unwrap().to_owned();
        assert_eq!(run.with_status("skip"), ["sequence-values"], "{}", run.stdout);
        assert!(message("sequence-values").contains("role aura_user may not see every row of their tables"));
        assert!(message("duplicates").contains("rows that cannot be counted"), "{}", message("duplicates"));
        assert_eq!(run.fix("duplicates"), "", "nothing is dropped that could not be counted");
    }
}
