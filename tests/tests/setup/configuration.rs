//! `.env` files that cannot be read, and configurations that contradict themselves: an error that names
//! the place and never the value, before anything is touched.

use tests::{Cluster, Workspace, seen};

#[test]
fn an_unreadable_file_is_an_error() {
    let workspace = Workspace::new();
    std::fs::create_dir(workspace.root().join(".env")).unwrap();
    workspace.run(&["db-setup"]).exits(1).complains(".env").complains("directory");
    // Left out on purpose, it is none.
    workspace.run(&["db-url", "--no-env-file"]).exits(4).complains("no server is named");
    workspace.run(&["db-setup", "--env-file", "elsewhere.env"]).exits(1).complains("elsewhere.env");
    assert!(!workspace.root().join("servers").exists());
}

#[test]
fn a_malformed_file_is_named_with_the_line_and_without_the_value() {
    for (content, line) in [
        (&b"DEBUG=1\nDB_PASSWORD=s3cr$et-value\n"[..], "line 2"),
        (b"DEBUG=1\n\nDB_PASSWORD='s3cr-et-value\n", "line 3"),
        (b"DB_PASSWORD=s3cr-et-value and more\n", "line 1"),
        (b"DB_NAME=a\nDB_PASSWORD=s3cr-et-value\nDB_NAME=b\n", "line 3"),
        (b"DEBUG=1\nDB_PASSWORD=s3cr\xff-et-value\n", "line 2"),
        (b"DEBUG=1\nthe password is s3cr-et-value\n", "line 2"),
    ] {
        let workspace = Workspace::new();
        workspace.write(".env", content);
        for command in ["db-setup", "db-verify", "db-status", "db-url"] {
            workspace
                .run(&[command])
                .exits(1)
                .complains(".env")
                .complains(line)
                .never_says("s3cr")
                .never_says("et-value");
        }
        assert!(!workspace.root().join("servers").exists());
    }
}

#[test]
fn a_malformed_connection_string_is_named_without_the_value() {
    for (url, reason) in [
        ("postgres://aura_user:s3cr/et-value@localhost/aura_db", "%2F"),
        ("postgres://aura_user:s3cr@et-value@localhost/aura_db", "%40"),
        ("postgres://aura_user:s3cr#et-value@localhost/aura_db", "%23"),
        ("postgres://aura_user:s3cr%et-value@localhost/aura_db", "%25"),
        ("postgresql+psycopg2://aura_user:s3cr-et-value@localhost/aura_db", "postgresql://"),
        ("s3cr-et-value", "URI"),
        ("postgres://aura_user:s3cr-et-value@localhost:99999/aura_db", "port"),
    ] {
        for workspace in [Workspace::new().with("DATABASE_URL", url), Workspace::new().with("ADMIN_DATABASE_URL", url)]
        {
            let run = workspace.run(&["db-setup"]).exits(1).complains("DATABASE_URL").complains(reason);
            run.never_says("s3cr").never_says("et-value");
        }
    }
}

#[test]
fn f03_a_contradiction_within_one_source_is_an_error() {
    let cluster = Cluster::start();
    let before = (cluster.globals(), cluster.inventory());
    let url = format!("DATABASE_URL=postgres://aura_user:s3cr-et@localhost:{}/aura_db\n", cluster.port());
    let mut said = Vec::new();
    for (part, what) in [
        ("DB_NAME=other", "database"),
        ("DB_USER=other", "role"),
        ("DB_PASSWORD=other-one", "password"),
        ("DB_HOST=db.example.org", "host"),
        ("DB_PORT=1", "port"),
    ] {
        let workspace = Workspace::new().with("ADMIN_DATABASE_URL", &cluster.admin_url());
        workspace.write(".env", format!("{url}{part}\n"));
        let key = part.split('=').next().unwrap();
        let run = workspace.run(&["db-setup"]).exits(1).complains("contradict").complains(what).complains(key);
        said.push(run.never_says("s3cr-et").never_says("other-one").said("contradict").to_owned());
    }
    assert_eq!((cluster.globals(), cluster.inventory()), before);
    seen(&format!("{} contradictions refused, nothing was made: {}", said.len(), said[0]));
}

#[test]
fn f03_a_higher_source_replaces_a_lower_one() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.write(".env", "DB_NAME=other\nDB_USER=other\nDB_PASSWORD=other-one\nDB_SCHEMA=atelier\n");
    workspace.run(&["db-setup", "-v"]).exits(0).complains("DB_NAME in .env").never_says("other-one");
    assert_eq!(workspace.value("SELECT current_user || ' ' || current_database()"), "aura_user aura_db");
    assert_eq!(workspace.value("SELECT current_schema()"), "atelier");
    assert_eq!(cluster.inventory(), "database aura_db, role aura_user");
    let status = workspace.run(&["db-status"]).exits(0).never_says("other-one");
    assert!(status.stdout.contains("DB_SCHEMA in .env"), "{}", status.stdout);
    assert!(status.stdout.contains("DATABASE_URL in the environment"), "{}", status.stdout);
    let rows = status.stdout.lines().filter(|line| line.contains("DB_SCHEMA in .env") || line.contains("address"));
    seen(&format!("db-status: {}", rows.map(str::trim).collect::<Vec<_>>().join("; ")));
}

#[test]
fn a_lower_sources_password_stays_from_a_higher_sources_server() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    let workspace = workspace.without("DATABASE_URL").with("DB_HOST", "127.0.0.1");
    let port = cluster.port();
    workspace.write(
        ".env",
        format!("DATABASE_URL=postgres://aura_user:the-apps-own@db.example.invalid:{port}/aura_db?sslmode=require\n"),
    );
    let url = workspace.run(&["db-url", "-v"]).exits(0).never_says("the-app").complains("names another server");
    assert!(url.line().starts_with(&format!("postgresql://aura_user@127.0.0.1:{port}/aura_db")), "{}", url.line());
    assert!(!url.line().contains("sslmode"), "{}", url.line());
    let status = workspace.run(&["db-status"]).never_says("the-app");
    assert!(status.stdout.contains("ignored: the password of DATABASE_URL in .env"), "{}", status.stdout);
}
