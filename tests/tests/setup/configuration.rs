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

/// What a template or a deployment left unfilled: nothing may be made by such a name.
#[test]
fn a_placeholder_is_refused_with_its_place() {
    let cluster = Cluster::start();
    let before = (cluster.globals(), cluster.inventory());
    let mut screens = String::new();
    let url = cluster.url("USER_HERE", "the-app's", "DATABASE_HERE");
    let unfilled = |user: &str, database: &str| url.replace("USER_HERE", user).replace("DATABASE_HERE", database);
    for (key, value) in [
        ("DATABASE_URL", unfilled("${PG_USER}", "aura_db")),
        ("DATABASE_URL", unfilled("aura_user", "{{db}}")),
        ("DATABASE_URL", unfilled("aura_user", "app_$(ENV)")),
        ("DATABASE_URL", unfilled("undefined", "aura_db")),
        ("DATABASE_URL", unfilled("aura_user", "null")),
        ("DATABASE_URL", unfilled("aura_user", "%3Cyour-db%3E")),
        ("DATABASE_URL", unfilled("%25PGUSER%25", "aura_db")),
        ("DATABASE_URL", unfilled("%24PG_USER", "aura_db")),
        ("DATABASE_URL", unfilled("%3C%25= user %25%3E", "aura_db")),
        ("DATABASE_URL", "postgresql://USER:PASSWORD@HOST:5432/DATABASE".to_owned()),
        ("DATABASE_URL", "postgresql://aura_user:pw@HOST:5432/aura_db".to_owned()),
        ("DATABASE_URL", "postgresql://aura_user:${DB_PASSWORD}@localhost/aura_db".to_owned()),
        ("ADMIN_DATABASE_URL", "postgresql://${ADMIN}:pw@localhost/postgres".to_owned()),
        ("DB_SCHEMA", "{{ schema }}".to_owned()),
        ("DB_EXTENSIONS", "citext, ${EXTENSION}".to_owned()),
        ("DB_READ_ROLES", "${ROLE}".to_owned()),
    ] {
        let run = Workspace::on(&cluster).with(key, &value).run(&["db-setup"]).exits(1);
        screens +=
            &format!("{}={}\n{}\n", key, value.replace(&cluster.superuser().port.to_string(), "PORT"), run.screen());
        assert_eq!((cluster.globals(), cluster.inventory()), before, "{key}={value}");
    }
    for (key, value) in [("DB_USER", "${PG_USER}"), ("DB_NAME", "undefined"), ("DB_HOST", "<host>"), ("PGUSER", "null")]
    {
        let workspace = Workspace::new();
        workspace.write(".env", format!("# a comment\n{key}='{value}'\nDB_PORT=5432\n"));
        screens += &format!("{key}='{value}'\n{}\n", workspace.run(&["db-setup"]).exits(1).screen());
    }
    shows("placeholders", &screens);
    // Odd names that are meant.
    for (user, database) in [("user", "users"), ("%C3%A4$", "a%25b"), ("nullable", "hosts"), ("your", "template")] {
        let workspace = Workspace::on(&cluster).with("DATABASE_URL", &unfilled(user, database));
        workspace.run(&["db-url", "--server", "env"]).exits(0);
    }
}

/// Amazon's, Google's and Azure's tokens are given as passwords, and look like the end of a URL.
#[test]
fn a_token_that_is_not_encoded_is_named() {
    let mut screens = String::new();
    for token in [
        "db.abc.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=aura_user&X-Amz-Signature=s3cr-et",
        "db.abc.eu-west-1.rds.amazonaws.com:5432?Action=connect&X-Amz-Signature=s3cr-et%2F",
        "s3cr/et+value==",
    ] {
        let url = format!("postgres://aura_user:{token}@localhost:5432/aura_db");
        let run = Workspace::new().with("DATABASE_URL", &url).run(&["db-setup"]).exits(1).never_says("s3cr");
        screens += &format!("{token}\n{}\n", run.screen());
    }
    shows("tokens", &screens);
}

/// Each is read here without it, and other programs read it as a part of the database's name.
#[test]
fn what_was_trimmed_is_said() {
    let (cluster, _) = Cluster::set_up();
    let url = cluster.url("aura_user", "the-app's", "aura_db");
    for (before, after) in [("", "\n"), ("", "\r\n"), (" ", ""), ("", "\t")] {
        let workspace = Workspace::on(&cluster).with("DATABASE_URL", &format!("{before}{url}{after}"));
        workspace.run(&["db-setup"]).exits(0).complains("DATABASE_URL in the environment: white space around it");
    }
    let admin = Workspace::on(&cluster).with("ADMIN_DATABASE_URL", &format!("{}\n", cluster.admin_url()));
    admin.run(&["db-setup"]).exits(0).shows("trimmed-url");
    Workspace::on(&cluster).run(&["db-setup"]).exits(0).never_says("white space");
}

#[test]
fn a_file_that_is_a_pipe_or_leads_nowhere() {
    use std::{os::unix::fs::symlink, process::Command, thread, time::Duration};
    let pipe = |workspace: &Workspace, name: &str| {
        let path = workspace.root().join(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    };
    // Nothing writes to it; `--env-file` and `.env` alike.
    let silent = Workspace::new();
    pipe(&silent, ".env");
    let default = silent.run(&["db-status", "--wait", "1"]).exits(1);
    pipe(&silent, "other");
    let named = silent.run(&["db-status", "--wait", "1", "--env-file", "other"]).exits(1);
    // A link whose file is gone is no missing file.
    let dangling = Workspace::new();
    symlink("gone", dangling.root().join(".env")).unwrap();
    let dangling = dangling.run(&["db-status"]).exits(1);
    shows("pipe-and-link", &[default, named, dangling].map(|run| run.screen()).concat());
    // A program that writes, late and in two parts: a password manager's.
    let written = Workspace::new();
    let path = pipe(&written, ".env");
    let writer = thread::spawn(move || {
        use std::io::Write as _;
        thread::sleep(Duration::from_millis(300));
        let mut file = std::fs::File::options().write(true).open(path).unwrap();
        file.write_all(b"DB_NAME=from_a_pipe\n").unwrap();
        thread::sleep(Duration::from_millis(100));
        file.write_all(b"DB_SCHEMA=shop\n").unwrap();
    });
    let status = written.run(&["db-status"]);
    writer.join().unwrap();
    assert!(status.stdout.contains("from_a_pipe") && status.stdout.contains("shop"), "{}", status.stdout);
}
