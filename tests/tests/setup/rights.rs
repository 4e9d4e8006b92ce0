//! Who is the administrator where the configuration names none, and which rights an administrator needs.

mod further_roles;

use tests::{Cluster, Run, Workspace, psql, shows};

use crate::state;

/// A cluster with the app's role, and a workspace that knows of no administrator.
fn without_administrator(role: &str) -> (Cluster, Workspace) {
    let cluster = Cluster::start();
    cluster.sql("postgres", &format!("CREATE ROLE aura_user PASSWORD 'the-app''s' {role}"));
    let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
    (cluster, workspace)
}

#[test]
fn a_role_with_createdb_needs_no_administrator() {
    let (cluster, workspace) = without_administrator("LOGIN CREATEDB");
    let setup = workspace.run(&["db-setup", "-v"]).exits(0).shows("createdb");
    assert!(!setup.stderr.contains("warning"), "{}", setup.stderr);
    state::assert_complete(&workspace, "CREATEDB");
    assert_eq!(
        cluster.value("aura_db", "SELECT datdba::regrole FROM pg_database WHERE datname = 'aura_db'"),
        "aura_user"
    );
    let before = cluster.globals() + &cluster.dump("aura_db");
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
}

#[test]
fn the_owner_of_the_database_needs_no_administrator() {
    let (cluster, workspace) = without_administrator("LOGIN");
    cluster.sql("postgres", "CREATE DATABASE aura_db OWNER aura_user");
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "owner of the database");
}

#[test]
fn a_role_with_create_on_the_database_needs_no_administrator() {
    let (cluster, workspace) = without_administrator("LOGIN");
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    cluster.sql("postgres", "GRANT CREATE ON DATABASE aura_db TO aura_user");
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "CREATE on the database");
    let settings = "SELECT setconfig::text FROM pg_db_role_setting WHERE setrole = 'aura_user'::regrole";
    assert_eq!(cluster.value("aura_db", settings), r#"{"search_path=aura, public"}"#);
}

#[test]
fn a_superuser_as_the_apps_role_is_only_warned_of() {
    let (cluster, workspace) = without_administrator("LOGIN SUPERUSER");
    workspace.run(&["db-setup"]).exits(0);
    let verified = workspace.verify().exits(0);
    assert_eq!(verified.check("role")["status"], "warn");
    assert_eq!(verified.check("public-create")["status"], "warn");
    state::assert_lands(&workspace, "aura", "superuser");
    assert_eq!(cluster.inventory(), "database aura_db, role aura_user");
    let before = cluster.globals() + &cluster.dump("aura_db");
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
}

#[test]
fn extensions_without_an_administrator() {
    // With CREATE on the database, trusted ones alone.
    let (cluster, workspace) = without_administrator("LOGIN");
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    cluster.sql("postgres", "GRANT CREATE ON DATABASE aura_db TO aura_user");
    let before = cluster.globals() + &cluster.dump("aura_db");
    let untrusted = workspace.with("DB_EXTENSIONS", "pageinspect, pg_trgm");
    let refused = untrusted.run(&["db-setup"]).exits(1).shows("untrusted-extension");
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
    psql(&cluster.superuser().with_database("aura_db").url(), &[], rest_of(&refused)).exits(0);
    untrusted.run(&["db-setup"]).exits(0);
    assert_eq!(untrusted.verify().exits(0).check("extensions")["status"], "pass");
    for (database, statements) in [
        ("other", &["CREATE DATABASE other", "GRANT CREATE ON DATABASE other TO aura_user"][..]),
        ("mine", &["CREATE DATABASE mine OWNER aura_user"]),
    ] {
        for statement in statements {
            cluster.sql("postgres", statement);
        }
        let trusted = Workspace::on(&cluster)
            .without("ADMIN_DATABASE_URL")
            .with("DATABASE_URL", &cluster.url("aura_user", "the-app's", database))
            .with("DB_EXTENSIONS", "pg_trgm");
        trusted.run(&["db-setup"]).exits(0);
        // One more, when CREATE on public is revoked already.
        let more = trusted.with("DB_EXTENSIONS", "pg_trgm, citext");
        more.run(&["db-setup"]).exits(0);
        assert_eq!(more.verify().exits(0).check("extensions")["status"], "pass");
    }
}

#[test]
fn the_local_superuser_is_found_by_peer_authentication() {
    // The last directory that the code looks in. Every user may make a socket there.
    let cluster = Cluster::start_with(&[("unix_socket_directories", "/tmp")]);
    cluster.let_in("local all all peer");
    let socket = format!("/tmp/.s.PGSQL.{}", cluster.port());
    let owner = std::process::Command::new("stat").args(["-c", "%U", &socket]).output().unwrap();
    let owner = String::from_utf8(owner.stdout).unwrap();
    if owner.trim() != "postgres" {
        cluster.sql("postgres", &format!("CREATE ROLE \"{}\" LOGIN SUPERUSER", owner.trim()));
    }
    let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
    // The user whom the server runs as differs from machine to machine.
    let line = |run: Run| {
        let line = run.stderr.lines().find(|line| line.ends_with(" /tmp")).unwrap_or_default();
        line.replace(owner.trim(), "[OWNER]")
    };
    let peer = line(workspace.run(&["db-setup", "-v"]).exits(0));
    state::assert_complete(&workspace, "peer");
    // By the socket itself; its directory is the host's name.
    cluster.let_in("local all aura_user scram-sha-256");
    let by_socket = Workspace::new()
        .with("DB_HOST", "/tmp")
        .with("DB_PORT", &cluster.port().to_string())
        .with("DB_NAME", "by_socket")
        .with("DB_PASSWORD", "the-app's");
    let socket = line(by_socket.run(&["db-setup", "-v"]).exits(0));
    shows("peer", &format!("{peer}\n{socket}"));
    state::assert_complete(&by_socket, "by the socket");
    by_socket.run(&["db-reset", "--yes", "--host", "/tmp"]).exits(0);
    state::assert_complete(&by_socket, "reset by the socket");
}

#[test]
fn a_socket_of_another_server_is_not_taken_for_the_administrators() {
    // The socket's number is the app's port, but its server listens nowhere near the app's host.
    let app = Cluster::start();
    let port = app.port().to_string();
    let other = Cluster::start_with(&[("unix_socket_directories", "/tmp")]);
    other.let_in("local all all trust");
    let (from, to) = (format!("/tmp/.s.PGSQL.{}", other.port()), format!("/tmp/.s.PGSQL.{port}"));
    std::os::unix::fs::symlink(&from, &to).unwrap();
    let (here, there) = (app.globals(), other.globals());
    let setup = Workspace::on(&app).without("ADMIN_DATABASE_URL").run(&["db-setup"]);
    std::fs::remove_file(&to).unwrap();
    assert_ne!(setup.exits(1).code, 0);
    assert_eq!((app.globals(), other.globals()), (here, there));
}

#[test]
fn without_any_rights_nothing_changes_and_the_script_helps() {
    let mut screens = String::new();
    for (situation, statements) in [
        ("role and database missing", vec![]),
        ("database missing", vec!["CREATE ROLE aura_user LOGIN PASSWORD 'the-app''s'"]),
        ("schema missing", vec!["CREATE ROLE aura_user LOGIN PASSWORD 'the-app''s'", "CREATE DATABASE aura_db"]),
    ] {
        let cluster = Cluster::start();
        for statement in statements {
            cluster.sql("postgres", statement);
        }
        let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
        let before = (cluster.globals(), cluster.inventory());
        let refused = workspace.run(&["db-setup"]).exits(1).never_says("the-app's");
        screens += &format!("{situation}\n{}\n", refused.screen());
        assert_eq!((cluster.globals(), cluster.inventory()), before, "{situation}");
        if situation == "role and database missing" {
            // A missing role and a wrong password look the same: the whole script helps with both.
            let script = workspace.run(&["db-setup", "--dry-run"]).exits(0);
            psql(&cluster.admin_url(), &[], &script.stdout).exits(0);
        } else {
            psql(&cluster.admin_url(), &["-v", "ON_ERROR_STOP=1"], rest_of(&refused)).exits(0);
        }
        let setup = workspace.run(&["db-setup"]).exits(0);
        assert!(!setup.stderr.contains("warning"), "{situation}: {}", setup.stderr);
        state::assert_complete(&workspace, situation);
    }
    shows("no-rights", &screens);
}

/// The SQL that an error leaves to an administrator.
fn rest_of(refused: &Run) -> &str {
    let (_, rest) = refused.stderr.split_once("\n\n").expect("it follows an empty line");
    assert!(rest.starts_with("  -- "), "{rest}");
    rest
}

#[test]
fn an_administrator_needs_createrole_and_createdb_alone() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'managed'");
    let admin = cluster.url("dba", "managed", "postgres");
    let workspace = Workspace::on(&cluster).with("ADMIN_DATABASE_URL", &admin);
    let setup = workspace.run(&["db-setup"]).exits(0);
    assert!(!setup.stderr.contains("warning"), "{}", setup.stderr);
    state::assert_complete(&workspace, "CREATEROLE CREATEDB");
    assert_eq!(cluster.inventory(), "database aura_db, role aura_user, role dba");
    let before = cluster.globals() + &cluster.dump("aura_db");
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
}

#[test]
fn the_administrator_may_be_the_apps_role_itself() {
    let (cluster, workspace) = without_administrator("LOGIN CREATEDB");
    let workspace = workspace.with("ADMIN_DATABASE_URL", &cluster.url("aura_user", "the-app's", "postgres"));
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "administrator and app in one");
    let before = cluster.globals() + &cluster.dump("aura_db");
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
}

#[test]
fn an_administrator_without_rights_is_named() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE dba LOGIN CREATEDB PASSWORD 'managed'");
    let before = (cluster.globals(), cluster.inventory());
    let admin = cluster.url("dba", "managed", "postgres");
    let workspace = Workspace::on(&cluster).with("ADMIN_DATABASE_URL", &admin);
    workspace.run(&["db-setup"]).exits(1).never_says("managed").shows("administrator-without-createrole");
    assert_eq!((cluster.globals(), cluster.inventory()), before);
}

#[test]
fn an_administrator_whose_login_is_refused_is_named() {
    let cluster = Cluster::start();
    let admin = cluster.url("postgres", "no-such", "postgres");
    let workspace = Workspace::on(&cluster).with("ADMIN_DATABASE_URL", &admin);
    let before = (cluster.globals(), cluster.inventory());
    workspace.run(&["db-setup"]).exits(1).never_says("no-such").shows("refused-administrator");
    assert_eq!((cluster.globals(), cluster.inventory()), before);
}
