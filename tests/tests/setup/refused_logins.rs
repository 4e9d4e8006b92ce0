//! Why a login is refused, where an administrator can look; and what settings of the role make of it.

use std::fs;

use tests::{Cluster, Workspace, shows};

use crate::state;

/// Each with what the administrator runs, and the words of the help; no password changes any of it.
#[test]
fn the_administrator_looks_before_a_password_is_blamed() {
    let mut screens = String::new();
    for (broken, words, fix) in [
        (
            "ALTER ROLE aura_user VALID UNTIL '2020-02-03 04:05:06Z'",
            "expired at 2020-02-03 04:05:06",
            Some("ALTER ROLE aura_user VALID UNTIL 'infinity'"),
        ),
        // A wrong password beside it: the cause is said all the same.
        (
            "ALTER ROLE aura_user PASSWORD 'another' VALID UNTIL '2020-02-03 04:05:06Z'",
            "expired at 2020-02-03 04:05:06",
            None,
        ),
        ("ALTER ROLE aura_user PASSWORD NULL", "role aura_user has no password", None),
    ] {
        let (cluster, workspace) = Cluster::set_up();
        cluster.sql("postgres", broken);
        let before = cluster.globals();
        let run = workspace.run(&["db-setup"]).exits(1).complains(words);
        assert!(!run.stderr.contains("correct the password"), "{}", run.stderr);
        screens += &format!("{broken}\n{}\n", run.screen());
        assert_eq!(cluster.globals(), before, "{broken}");
        if let Some(fix) = fix {
            // Another password would be given in vain.
            let run = workspace.run(&["db-setup", "--set-password"]).exits(1).complains(words).complains(fix);
            assert_eq!(cluster.globals(), before, "{}", run.stderr);
            cluster.sql("postgres", fix);
        } else {
            cluster.sql("postgres", "ALTER ROLE aura_user VALID UNTIL 'infinity'");
        }
        workspace.run(&["db-setup", "--set-password"]).exits(0);
        state::assert_complete(&workspace, broken);
    }
    shows("causes", &screens);
}

/// An administrator who is no superuser sees the time, and not the passwords.
#[test]
fn one_with_createrole_sees_the_expiry() {
    let (cluster, workspace) = Cluster::set_up();
    cluster.sql(
        "postgres",
        "CREATE ROLE boss LOGIN CREATEROLE CREATEDB PASSWORD 'boss-only'; ALTER ROLE aura_user VALID UNTIL '2020-02-03 04:05:06Z'",
    );
    let boss = workspace.with("ADMIN_DATABASE_URL", &cluster.url("boss", "boss-only", "postgres"));
    boss.run(&["db-setup"]).exits(1).complains("expired at 2020-02-03 04:05:06");
    cluster.sql("postgres", "ALTER ROLE aura_user VALID UNTIL 'infinity' PASSWORD 'another'");
    boss.run(&["db-setup"]).exits(1).complains("correct the password");
}

/// The lines of `pg_hba.conf` that may be for the role, which a superuser can read.
#[test]
fn the_lines_of_pg_hba_conf_are_named() {
    let cluster = Cluster::start_with(&[]);
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    cluster.sql("postgres", "CREATE ROLE team; GRANT team TO aura_user");
    let file = cluster.value("postgres", "SHOW hba_file");
    let usual = fs::read_to_string(&file).unwrap();
    let mut screens = String::new();
    for (lines, words) in [
        ("host aura_db aura_user all reject\n", "line 1: host aura_db aura_user all reject"),
        ("# one\nhost all +team all reject\n", "line 2: host all +team all reject"),
        ("host sameuser aura_user all trust\nhost aura_db other all trust\n", "no line"),
    ] {
        let superusers = "local all postgres scram-sha-256\nhost all postgres all scram-sha-256\n";
        let content = match words {
            "no line" => lines.to_owned() + superusers,
            _ => lines.to_owned() + &usual,
        };
        fs::write(&file, content).unwrap();
        cluster.sql("postgres", "SELECT pg_reload_conf()");
        // The new rules count from the next login after the server has read them.
        let run = (0..100).map(|_| workspace.run(&["db-setup"])).find(|run| run.code != 0).unwrap().exits(1);
        let run = run.complains(words);
        screens += &format!("{lines}{}\n", run.screen());
        fs::write(&file, &usual).unwrap();
        cluster.sql("postgres", "SELECT pg_reload_conf()");
        let is_back = (0..100).any(|_| workspace.run(&["db-verify"]).code == 0);
        assert!(is_back, "{lines}");
    }
    shows("pg-hba", &screens);
}

/// A setting that makes another role of the app's: nothing stands between.
#[test]
fn a_stored_role_is_named() {
    let mut screens = String::new();
    for stored in [
        "ALTER ROLE aura_user SET role = owner",
        "ALTER ROLE aura_user IN DATABASE aura_db SET role = owner",
        "ALTER DATABASE aura_db SET role = owner",
    ] {
        let (cluster, workspace) = Cluster::set_up();
        cluster.sql("postgres", "CREATE ROLE owner; GRANT owner TO aura_user");
        cluster.sql("aura_db", "GRANT ALL ON SCHEMA aura TO owner");
        cluster.sql("postgres", stored);
        let fix = stored.replace("SET role = owner", "RESET role");
        let setup = workspace.run(&["db-setup"]).exits(1).complains(&fix);
        assert!(!setup.stderr.contains("pooler"), "{}", setup.stderr);
        let verified = workspace.verify().exits(3);
        assert!(verified.message("role").contains("role = owner"), "{}", verified.stdout);
        assert_eq!(verified.fix("role"), format!("{fix};"));
        screens += &format!("{stored}\n{}\n{}\n", setup.screen(), verified.message("role"));
        cluster.sql("postgres", &fix);
        workspace.run(&["db-setup"]).exits(0);
    }
    shows("stored-role", &screens);
}
