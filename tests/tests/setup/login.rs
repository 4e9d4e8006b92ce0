//! Logins that are refused, and servers that do not answer.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener},
    process::Stdio,
    thread,
    time::Duration,
};

use pg_config::Session;
use tests::{Cluster, Workspace, connection, psql, shows};

use crate::state;

#[test]
fn a_wrong_password_changes_nothing_and_set_password_fixes_it() {
    let (cluster, _) = Cluster::set_up();
    let wrong = Workspace::on(&cluster).with("DATABASE_URL", &cluster.url("aura_user", "wrong-one", "aura_db"));
    let before = cluster.globals() + &cluster.dump("aura_db");
    wrong.run(&["db-setup"]).exits(1).never_says("wrong-one").shows("wrong-password");
    wrong.verify().exits(3);
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before);
    wrong.run(&["db-setup", "--set-password"]).exits(0).never_says("wrong-one").never_says("SCRAM");
    state::assert_complete(&wrong, "after --set-password");
    // The old one is no longer good.
    Workspace::on(&cluster).run(&["db-verify"]).exits(3);
    // Where the login works, the flag changes nothing.
    let before = cluster.globals();
    wrong.run(&["db-setup", "--set-password"]).exits(0);
    assert_eq!(cluster.globals(), before);
}

#[test]
fn a_wrong_password_and_no_administrator() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE aura_user LOGIN PASSWORD 'another'");
    let before = (cluster.globals(), cluster.inventory());
    let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
    let refused = workspace.run(&["db-setup"]).exits(1).shows("wrong-password-and-no-administrator");
    // Short: it holds no script.
    assert!(refused.stderr.lines().count() < 10 && !refused.stderr.contains("CREATE ROLE"), "{}", refused.stderr);
    assert_eq!((cluster.globals(), cluster.inventory()), before);
}

#[test]
fn a_wrong_password_and_no_database() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE aura_user LOGIN PASSWORD 'another'");
    let before = (cluster.globals(), cluster.inventory());
    Workspace::on(&cluster).run(&["db-setup"]).exits(1).shows("wrong-password-and-no-database");
    assert_eq!((cluster.globals(), cluster.inventory()), before);
    Workspace::on(&cluster).run(&["db-setup", "--set-password"]).exits(0);
}

#[test]
fn two_urls_that_lead_to_two_servers_are_told_apart() {
    let (app, other) = (Cluster::start(), Cluster::start());
    let before = (app.globals(), app.inventory());
    // The app's server has no role yet: only after the role was made elsewhere can this be seen.
    let workspace = Workspace::on(&app).with("ADMIN_DATABASE_URL", &other.admin_url());
    workspace.run(&["db-setup"]).exits(1).shows("another-server");
    assert_eq!((app.globals(), app.inventory()), before);
    // With a login that works, nothing is changed on either.
    Workspace::on(&app).run(&["db-setup"]).exits(0);
    let before = (app.globals(), other.globals(), app.dump("aura_db"));
    workspace.run(&["db-setup"]).exits(1).shows("two-servers");
    assert_eq!((app.globals(), other.globals(), app.dump("aura_db")), before);
}

#[test]
fn a_refusal_that_no_password_fixes_changes_none() {
    let (cluster, workspace) = state::set_up();
    cluster.sql("postgres", "ALTER ROLE aura_user CONNECTION LIMIT 0");
    let before = cluster.globals();
    workspace.run(&["db-setup", "--set-password", "--wait", "0"]).exits(1).shows("connection-limit");
    assert_eq!(cluster.globals(), before);
}

/// Sessions of the app's role, as many as a server with 8 connections gives: 3 are a superuser's. One that has ended
/// may keep its place for a moment.
fn occupied(cluster: &Cluster) -> Vec<Session> {
    let app = connection(&cluster.url("aura_user", "the-app's", "aura_db"));
    (0..5).map(|_| pg_config::connect_within(&app, Duration::from_secs(60)).unwrap()).collect()
}

/// It says nothing of the role, its password or `pg_hba.conf`.
#[test]
fn a_server_without_a_free_connection_is_waited_for() {
    let cluster = Cluster::start_with(&[("max_connections", "8")]);
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    let held = occupied(&cluster);
    let setup = workspace.run(&["db-setup", "--wait", "0"]).exits(1);
    let verify = workspace.run(&["db-verify", "--wait", "0"]).exits(1);
    shows("no-free-connection", &(setup.screen() + &verify.screen()));
    drop(held);
    for command in ["db-setup", "db-verify"] {
        let held = occupied(&cluster);
        let mut waiting = workspace.command(&[command, "--wait", "600"]);
        let mut waiting = waiting.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(waiting.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().starts_with("waiting up to 600 s")), "{command}");
        assert!(waiting.try_wait().unwrap().is_none());
        drop(held);
        // Its own words are read to the end.
        let said = lines.map(|line| line.unwrap() + "\n").collect::<String>();
        assert!(waiting.wait().unwrap().success(), "{command}: {said}");
    }
}

/// The files of one database are gone. On a server of ours what to do is a command.
#[test]
fn a_database_whose_files_are_missing_is_damaged() {
    let directory =
        "SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database WHERE datname = 'aura_db'";
    let named = Cluster::start_with(&[]);
    let workspace = Workspace::on(&named);
    workspace.run(&["db-setup"]).exits(0);
    fs::remove_dir_all(named.value("postgres", directory)).unwrap();
    let screens = ["db-setup", "db-verify"].map(|command| workspace.run(&[command]).exits(1).screen());
    shows("missing-files-of-a-named-server", &screens.concat());

    let workspace = Workspace::new().with("DB_SERVER", "local");
    workspace.run(&["db-setup"]).exits(0);
    let admin = workspace.run(&["db-url", "--admin"]).exits(0);
    let directory = psql(admin.line(), &["-c", directory], "").exits(0);
    fs::remove_dir_all(directory.line()).unwrap();
    let screens = ["db-setup", "db-verify"].map(|command| workspace.run(&[command]).exits(1).screen());
    shows("missing-files-of-our-server", &screens.concat());
    workspace.run(&["db-reset", "--yes"]).exits(0);
    state::assert_complete(&workspace, "reset");
}

/// A file without which nobody is let in.
#[test]
fn a_server_of_ours_whose_files_are_missing_can_be_stopped() {
    let workspace = Workspace::new().with("DB_SERVER", "local");
    workspace.run(&["db-setup"]).exits(0);
    let data = fs::read_dir(workspace.root().join("servers/clusters")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(data.join("data/global/pg_filenode.map")).unwrap();
    let screens = ["db-setup", "db-verify"].map(|command| workspace.run(&[command]).exits(4).screen());
    shows("missing-files-of-the-whole-server", &screens.concat());
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
    workspace.run(&["db-setup"]).exits(0);
}

#[test]
fn a_role_that_may_not_log_in_is_allowed_to() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE aura_user NOLOGIN PASSWORD 'the-app''s'");
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "NOLOGIN");
}

#[test]
fn a_role_without_a_password_is_not_made() {
    let cluster = Cluster::start();
    let workspace = Workspace::new()
        .with("DATABASE_URL", &format!("postgres://aura_user@localhost:{}/aura_db", cluster.port()))
        .with("ADMIN_DATABASE_URL", &cluster.admin_url());
    let before = (cluster.globals(), cluster.inventory());
    workspace.run(&["db-setup"]).exits(1).shows("no-password");
    assert_eq!((cluster.globals(), cluster.inventory()), before);
}

#[test]
fn no_server_is_exit_4() {
    let port = free_port();
    let workspace =
        Workspace::new().with("DATABASE_URL", &format!("postgres://aura_user:x-y-z@127.0.0.1:{port}/aura_db"));
    let runs = ["db-setup", "db-verify", "db-migrate", "db-url", "db-status"]
        .map(|command| workspace.run(&[command, "--wait", "1"]).exits(4).never_says("x-y-z"));
    shows("no-server", &runs.map(|run| run.screen()).concat());
    // No other server is started.
    assert!(!workspace.root().join("servers").exists());
}

#[test]
fn something_else_at_the_port_is_no_server() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let workspace =
        Workspace::new().with("DATABASE_URL", &format!("postgres://aura_user:x-y-z@127.0.0.1:{port}/aura_db"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            // It reads, answers, and reads to the end: what the client meets does not depend on time.
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            let _ = stream.shutdown(Shutdown::Write);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    workspace.run(&["db-setup", "--wait", "1"]).exits(4).never_says("x-y-z").shows("web-server");
}

#[test]
fn something_that_accepts_and_says_nothing_is_given_up() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let workspace =
        Workspace::new().with("DATABASE_URL", &format!("postgres://aura_user:x-y-z@127.0.0.1:{port}/aura_db"));
    workspace.run(&["db-setup", "--wait", "1"]).exits(4).never_says("x-y-z").shows("silent-listener");
    drop(listener);
}

#[test]
fn a_server_that_starts_later_is_waited_for() {
    let port = free_port();
    // Every cluster of these programs has the same superuser's password.
    let later = pg_config::ConnInfo { port, ..Cluster::start_with(&[]).superuser().with_database("aura_db") };
    let workspace = Workspace::new().with("DATABASE_URL", &later.url());
    thread::scope(|scope| {
        // Long enough for a busy machine; the run ends as soon as the server is there.
        let run = scope.spawn(|| workspace.run(&["db-setup", "--wait", "300"]));
        thread::sleep(Duration::from_millis(700));
        assert!(!run.is_finished());
        let cluster = Cluster::start_with(&[("port", &port.to_string())]);
        run.join().unwrap().exits(0);
        assert_eq!(cluster.inventory(), "database aura_db");
        state::assert_lands(&workspace, "aura", "a server that started later");
    });
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
