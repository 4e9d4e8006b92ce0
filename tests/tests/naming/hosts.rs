//! Several hosts, services and password files, as the program takes them.

use tests::Workspace;

use crate::world::World;

/// A primary and a standby in one URL: what is made on one server must not be looked for on another.
#[test]
fn of_several_hosts_one_serves_the_whole_command() {
    let world = World::new();
    let (standby, primary) = (world.standby().port(), world.primary().port());
    let hosts = format!("127.0.0.1:{standby},127.0.0.1:{primary}");
    let url = format!("postgresql://aura_user:the-app%27s@{hosts}/aura_db?target_session_attrs=primary");
    let workspace = Workspace::on(world.primary()).with("DATABASE_URL", &url);

    workspace.run(&["db-setup"]).exits(0).never_says("the-app").shows("one-of-several-hosts");
    let is_there = "SELECT count(*) FROM pg_catalog.pg_database WHERE datname = 'aura_db'";
    assert_eq!(world.primary().value("postgres", is_there), "1");

    // Others get them all.
    let printed = workspace.run(&["db-url"]).exits(0);
    assert_eq!(
        printed.line(),
        format!("postgresql://aura_user:the-app%27s@{hosts}/aura_db?target_session_attrs=primary")
    );
    let environment = workspace.run(&["db-env", "--github"]).exits(0);
    let has = |line: &str| environment.stdout.lines().any(|found| found == line);
    assert!(has("PGHOST=127.0.0.1,127.0.0.1") && has(&format!("PGPORT={standby},{primary}")), "{}", environment.stdout);
    let status = workspace.run(&["db-status"]).exits(0).shows("status-of-several-hosts");
    assert!(status.stdout.contains(&format!("{standby}, {primary}")), "{}", status.stdout);

    // A standby alone cannot be set up, and that is said before anything else.
    let alone = format!("postgresql://app:app-pw@127.0.0.1:{standby}/db?target_session_attrs=primary");
    let run = workspace.with("DATABASE_URL", &alone).run(&["db-setup", "--wait", "0"]);
    run.exits(4).shows("standby-alone");
}

#[test]
fn where_none_of_several_hosts_answers_each_is_said() {
    let workspace = Workspace::new().with("DATABASE_URL", "postgresql://u:s3cret@127.0.0.1:1,localhost:2/d");
    workspace.run(&["db-setup", "--wait", "0"]).exits(4).never_says("s3cret").shows("no-host-answers");
}

#[test]
fn a_service_names_the_server_and_a_password_file_the_password() {
    let world = World::new();
    let cluster = world.primary();
    let workspace = Workspace::on(cluster).with("DATABASE_URL", "postgresql:///?service=aura");
    let service = format!("[aura]\nhost=127.0.0.1\nport={}\nuser=aura_user\ndbname=aura_db\n", cluster.port());
    workspace.write(".pg_service.conf", service);
    workspace.write(".pgpass", "*:*:aura_db:aura_user:of the file\n");
    workspace.run(&["db-setup"]).exits(1).never_says("of the file").shows("password-file-open-to-others");
    let pgpass = workspace.root().join(".pgpass");
    std::fs::set_permissions(pgpass, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    workspace.run(&["db-setup"]).exits(0).never_says("of the file");

    workspace.run(&["db-status"]).exits(0).never_says("of the file").shows("values-of-a-service");
    // What is printed needs neither file.
    let printed = workspace.run(&["db-url"]).exits(0);
    assert!(printed.line().contains("of%20the%20file@127.0.0.1:"), "{}", printed.stdout);
    let workspace = workspace.with("DATABASE_URL", "postgresql:///?service=missing");
    workspace.run(&["db-status"]).exits(1).shows("missing-service");
}

#[test]
fn what_libpq_would_use_and_we_do_not_is_said() {
    let workspace = Workspace::new().with("PGUSER", "somebody").with("PGPASSWORD", "s3cret");
    workspace.run(&["db-status"]).exits(4).never_says("s3cret").shows("ignored-variables");
    assert!(!workspace.run(&["db-status", "-q"]).stderr.contains("PGUSER"), "on request only");
}

/// An administrator elsewhere must not draw the app's password to a server that the app does not name.
#[test]
fn the_app_goes_to_no_server_of_the_administrators() {
    let world = World::new();
    let (standby, port) = (world.standby().port(), world.primary().port());
    let url = format!("postgres://nobody_yet:s3cret@127.0.0.1:{port},127.0.0.2:{port}/d");
    let workspace =
        Workspace::new().with("DATABASE_URL", &url).with("ADMIN_DATABASE_URL", &world.standby().admin_url());
    workspace.run(&["db-setup", "--wait", "0"]).exits(1).never_says("s3cret");
    assert!(!world.standby().log().contains("nobody_yet"), "{}", world.standby().log());
    // One of several of the administrator's own.
    let admin = world.primary().admin_url().replace("127.0.0.1:", &format!("127.0.0.1:{standby},127.0.0.1:"));
    let admin = admin.replace("?", "?target_session_attrs=primary&");
    let url = format!("postgres://aura_user:the-app%27s@localhost:{port}/aura_db");
    let workspace = Workspace::new().with("DATABASE_URL", &url).with("ADMIN_DATABASE_URL", &admin);
    workspace.run(&["db-setup"]).exits(0);
}

#[test]
fn a_password_of_one_host_is_printed_for_no_other() {
    let world = World::new();
    let port = world.primary().port();
    let workspace = Workspace::new().with("DATABASE_URL", &format!("postgres://app@127.0.0.1:{port},localhost:1/db"));
    let file = workspace.root().join(".pgpass");
    for (lines, is_printed) in [
        (format!("127.0.0.1:{port}:*:*:app-pw\nlocalhost:*:*:*:another\n"), false),
        (format!("127.0.0.1:{port}:*:*:app-pw\n"), false),
        ("*:*:*:*:app-pw\n".to_owned(), true),
    ] {
        std::fs::write(&file, lines).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        for command in ["db-url", "db-env"] {
            let run = workspace.run(&[command]).exits(0);
            assert_eq!(run.stdout.contains("app-pw"), is_printed, "{}", run.stdout);
        }
    }
}

#[test]
fn who_is_wrong_is_said() {
    let world = World::new();
    let port = world.primary().port();
    let url = format!("postgres://app:app-pw@127.0.0.1:{port}/db");
    let nowhere =
        Workspace::new().with("DATABASE_URL", &url).with("ADMIN_DATABASE_URL", "postgres://root:pw@127.0.0.1:1/");
    nowhere.run(&["db-setup", "--wait", "0"]).exits(4).shows("administrator-without-server");
    // A right password in the file, hidden by a wrong one in the environment.
    let workspace = Workspace::new().with("DB_PASSWORD", "another");
    workspace.write(".env", format!("DATABASE_URL={url}\n"));
    workspace.run(&["db-verify"]).exits(3).never_says("app-pw").shows("password-of-another-source");
    // What is said of another server does not count for one that we start.
    let workspace = Workspace::new().with("DATABASE_URL", &format!("{url}?sslmode=verify-full"));
    let status = workspace.with("DB_SERVER", "local").run(&["db-status"]).exits(4).shows("server-to-be-started");
    status.never_says("verify-full");
}
