//! The main job: from nothing to a verified database; and again, with nothing to do.

use tests::Workspace;

use crate::state;

#[test]
fn from_nothing_on_a_server_of_its_own() {
    let workspace = Workspace::new();
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "a server of its own");
}

#[test]
fn names_and_password_of_the_url_are_kept_on_a_server_of_its_own() {
    let workspace = Workspace::new().with("DB_SERVER", "local");
    let env = "DATABASE_URL=postgres://aura_user:your-password@localhost:5432/aura_db?options=-csearch_path=aura\n";
    workspace.write(".env", env);
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "--server local");
    let url = workspace.run(&["db-url"]).exits(0);
    assert!(url.stdout.starts_with("postgresql://aura_user:your-password@127.0.0.1:"), "{}", url.stdout);
    assert!(!url.stdout.contains(":5432/"), "{}", url.stdout);
    // There db-setup changes the password.
    workspace.write(".env", env.replace("your-password", "another-password"));
    workspace.run(&["db-setup"]).exits(0).never_says("another-password");
    state::assert_complete(&workspace, "another password");
}

#[test]
fn a_second_setup_changes_nothing() {
    let (cluster, workspace) = state::set_up();
    let (globals, dump) = (cluster.globals(), cluster.dump("aura_db"));
    assert!(dump.contains("CREATE TABLE aura.") && globals.contains("SCRAM-SHA-256$"));
    let again = workspace.run(&["db-setup", "-v"]).exits(0).shows("second-setup");
    for word in ["ALTER", "GRANT", "CREATE", "REVOKE", "warning"] {
        assert!(!again.stderr.contains(word), "{}", again.stderr);
    }
    assert_eq!(cluster.globals(), globals);
    assert_eq!(cluster.dump("aura_db"), dump);
    // The migrate command itself finds nothing to do either.
    workspace.run(&["db-migrate"]).exits(0);
    assert_eq!(cluster.dump("aura_db"), dump);
}

#[test]
fn a_second_setup_changes_nothing_on_a_server_of_its_own() {
    let workspace = Workspace::new();
    workspace.run(&["db-setup"]).exits(0);
    let read = |query: &str| {
        let admin = workspace.run(&["db-url", "--admin"]).exits(0);
        tests::psql(admin.line(), &["-c", query], "").exits(0).stdout
    };
    let verifier = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = 'aura_user'";
    let settings = "SELECT setdatabase, setrole, setconfig FROM pg_db_role_setting ORDER BY 1, 2";
    let before = (read(verifier), read(settings));
    assert!(before.0.contains("SCRAM") && before.1.contains("search_path=aura, public"), "{before:?}");
    let again = workspace.run(&["db-setup"]).exits(0);
    assert!(!again.stderr.contains("ALTER"), "{}", again.stderr);
    assert_eq!((read(verifier), read(settings)), before);
}

/// Its password would become the app's, and no later command could log in as superuser.
#[test]
fn the_superuser_of_a_server_of_its_own_is_not_the_app() {
    let workspace = Workspace::new().with("DB_SERVER", "local");
    let app = workspace.with("DB_USER", "postgres");
    app.run(&["db-setup"]).exits(1).shows("superuser-as-the-app");
    let workspace = app.without("DB_USER").with("DATABASE_URL", "postgres://postgres:pw@localhost:5432/aura_db");
    for command in [&["db-setup"][..], &["db-verify"], &["db-reset", "--yes"]] {
        workspace.run(command).exits(1).complains("is the superuser of the server");
    }
    workspace.without("DATABASE_URL").run(&["db-setup"]).exits(0);
}
