//! `.env` files that cannot be read, and configurations that contradict themselves: an error that names
//! the place and never the value, before anything is touched.

use tests::{Cluster, Workspace, shows};

use crate::state;

#[test]
fn an_unreadable_file_is_an_error() {
    let workspace = Workspace::new();
    std::fs::create_dir(workspace.root().join(".env")).unwrap();
    let directory = workspace.run(&["db-setup"]).exits(1);
    // No file is read, so no file is wrong.
    let no_file = workspace.run(&["db-url", "--no-env-file"]).exits(4);
    let missing = workspace.run(&["db-setup", "--env-file", "elsewhere.env"]).exits(1);
    shows("unreadable-files", &[directory, no_file, missing].map(|run| run.screen()).concat());
    assert!(!workspace.root().join("servers").exists());
}

#[test]
fn a_malformed_file_is_named_with_the_line_and_without_the_value() {
    let mut screens = String::new();
    for content in [
        &b"DEBUG=1\nDB_PASSWORD=s3cr$et-value\n"[..],
        b"DEBUG=1\n\nDB_PASSWORD='s3cr-et-value\n",
        b"DB_PASSWORD=s3cr-et-value and more\n",
        b"DB_NAME=a\nDB_PASSWORD=s3cr-et-value\nDB_NAME=b\n",
        b"DEBUG=1\nDB_PASSWORD=s3cr\xff-et-value\n",
        b"DEBUG=1\nthe password is s3cr-et-value\n",
    ] {
        let workspace = Workspace::new();
        workspace.write(".env", content);
        let runs = ["db-setup", "db-verify", "db-status", "db-url"]
            .map(|command| workspace.run(&[command]).exits(1).never_says("s3cr").never_says("et-value"));
        assert!(!workspace.root().join("servers").exists());
        // Every command says the same.
        assert!(runs.iter().all(|run| run.stderr == runs[0].stderr), "{}", runs.map(|run| run.stderr).concat());
        screens += &format!("{}\n{}", String::from_utf8_lossy(content), runs[0].screen());
    }
    shows("malformed-files", &screens);
}

#[test]
fn a_malformed_connection_string_is_named_without_the_value() {
    let mut screens = String::new();
    for url in [
        "postgres://aura_user:s3cr/et-value@localhost/aura_db",
        "postgres://aura_user:s3cr@et-value@localhost/aura_db",
        "postgres://aura_user:s3cr#et-value@localhost/aura_db",
        "postgres://aura_user:s3cr%et-value@localhost/aura_db",
        "postgresql+psycopg2://aura_user:s3cr-et-value@localhost/aura_db",
        "s3cr-et-value",
        "postgres://aura_user:s3cr-et-value@localhost:99999/aura_db",
    ] {
        for key in ["DATABASE_URL", "ADMIN_DATABASE_URL"] {
            let run = Workspace::new().with(key, url).run(&["db-setup"]).exits(1);
            screens += &format!("{key}={url}\n{}\n", run.never_says("s3cr").never_says("et-value").screen());
        }
    }
    shows("malformed-urls", &screens);
}

#[test]
fn a_name_that_is_nearly_a_key_is_a_warning_with_its_place() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).with("DB_SHEMA", "atelier").with("DATABSE_URL", "s3cr-et-value");
    workspace.write(
        ".env",
        "# names\nDATABASE_ULR=s3cr-et-value\nDB_PASSWD=s3cr-et-value\n\nDB_SSLMODE=require\nCI_SERVER=yes\n",
    );
    workspace.run(&["db-url"]).exits(0).never_says("s3cr").never_says("atelier").shows("misspelled-keys");
    let named = Workspace::new();
    named.write("a.env", "POSTGRES_IMGE=postgres:16\n\nADMIN_DATABSE_URL=s3cr-et-value\nDB_COLOUR=red\n");
    named.run(&["db-url", "-q", "--env-file", "a.env"]).exits(4).never_says("s3cr").shows("misspelled-keys-of-a-file");
}

#[test]
fn f03_a_contradiction_within_one_source_is_an_error() {
    let cluster = Cluster::start();
    let before = (cluster.globals(), cluster.inventory());
    let url = format!("DATABASE_URL=postgres://aura_user:s3cr-et@localhost:{}/aura_db\n", cluster.port());
    let mut screens = String::new();
    for part in ["DB_NAME=other", "DB_USER=other", "DB_PASSWORD=other-one", "DB_HOST=db.example.org", "DB_PORT=1"] {
        let workspace = Workspace::new().with("ADMIN_DATABASE_URL", &cluster.admin_url());
        workspace.write(".env", format!("{url}{part}\n"));
        let run = workspace.run(&["db-setup"]).exits(1).never_says("s3cr-et").never_says("other-one");
        screens += &format!("{part}\n{}\n", run.screen());
    }
    assert_eq!((cluster.globals(), cluster.inventory()), before);
    shows("contradictions", &screens);
}

#[test]
fn f03_a_higher_source_replaces_a_lower_one() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.write(".env", "DB_NAME=other\nDB_USER=other\nDB_PASSWORD=other-one\nDB_SCHEMA=atelier\n");
    workspace.run(&["db-setup", "-v"]).exits(0).never_says("other-one").shows("two-sources");
    assert_eq!(workspace.value("SELECT current_user || ' ' || current_database()"), "aura_user aura_db");
    assert_eq!(workspace.value("SELECT current_schema()"), "atelier");
    assert_eq!(cluster.inventory(), "database aura_db, role aura_user");
    workspace.run(&["db-status"]).exits(0).never_says("other-one").shows("status-with-two-sources");
}

#[test]
fn a_lower_sources_password_stays_from_a_higher_sources_server() {
    let (cluster, workspace) = state::set_up();
    let port = cluster.port();
    let workspace = workspace.without("DATABASE_URL").with("DB_HOST", "127.0.0.1").with("DB_PORT", &port.to_string());
    workspace.write(
        ".env",
        format!("DATABASE_URL=postgres://aura_user:the-apps-own@db.example.invalid:{port}/aura_db?sslmode=require\n"),
    );
    let url = workspace.run(&["db-url", "-v"]).exits(0).never_says("the-app").shows("url-of-another-server");
    assert!(url.line().starts_with(&format!("postgresql://aura_user@127.0.0.1:{port}/aura_db")), "{}", url.line());
    assert!(!url.line().contains("sslmode"), "{}", url.line());
    workspace.run(&["db-status"]).never_says("the-app").shows("status-with-an-ignored-password");
}
