//! No password is shown: not on the terminal, not in the server's log, not in the process list.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tests::{Cluster, Run, Workspace, shows};

/// One that every careless encoding shows differently.
const PASSWORD: &str = "gé/heim:p@ss%wörd\"#'x";

/// The password as it is, and as URLs have it.
fn spellings(cluster: &Cluster) -> Vec<String> {
    let url = cluster.url("u", PASSWORD, "d");
    let encoded = url.split_once("//u:").unwrap().1.split_once('@').unwrap().0.to_owned();
    assert!(encoded.contains("%2F") && !encoded.contains('/'), "{encoded}");
    let superuser = cluster.superuser().password.unwrap().reveal().to_owned();
    vec![PASSWORD.to_owned(), encoded, PASSWORD.replace('\'', "''"), superuser]
}

fn loud_cluster() -> Cluster {
    Cluster::start_with(&[
        ("log_statement", "all"),
        ("log_min_duration_statement", "0"),
        ("log_min_messages", "debug1"),
        ("log_connections", "on"),
        ("log_parameter_max_length", "-1"),
    ])
}

#[test]
fn no_password_is_shown_or_logged() {
    let cluster = loud_cluster();
    let spellings = spellings(&cluster);
    let silent = |run: Run| {
        for spelling in &spellings {
            assert!(!run.stdout.contains(spelling.as_str()), "{}\n{}", run.command, run.stdout);
            assert!(!run.stderr.contains(spelling.as_str()), "{}\n{}", run.command, run.stderr);
        }
        run
    };
    let url = cluster.url("aura_user", PASSWORD, "aura_db");
    let workspace = Workspace::on(&cluster).with("DATABASE_URL", &url);

    // Failing first: a role that cannot be made, a command that prints what it was given and fails.
    let alone = Workspace::on(&cluster).with("DATABASE_URL", &url).without("ADMIN_DATABASE_URL");
    silent(alone.run(&["db-setup", "-v"])).exits(1);
    let talks = "printf '%s\\n' \"$DATABASE_URL\" \"$PGPASSWORD\" \"postgres://x:${DATABASE_URL#*user:}\"; env; exit 9";
    let talking = Workspace::on(&cluster).with("DATABASE_URL", &url).with("MIGRATE_COMMAND", talks);
    let run = silent(talking.run(&["db-setup"])).exits(1);
    assert!(run.stderr.contains("aura_user:***@"), "{}", run.stderr);
    silent(talking.run(&["db-migrate", "-v"])).exits(1);

    for arguments in [
        &["db-setup", "-v"][..],
        &["db-verify", "-v"],
        &["db-verify", "--format", "json"],
        &["db-status", "-v"],
        &["db-migrate", "-v"],
        &["db-reset", "-v", "--yes", "--host", "127.0.0.1"],
        &["db-setup", "--dry-run", "-v"],
    ] {
        silent(workspace.run(arguments)).exits(0);
    }
    // A login that is refused, and a password that is changed.
    cluster.sql("postgres", "ALTER ROLE aura_user PASSWORD 'else'");
    silent(workspace.run(&["db-setup", "-v"])).exits(1);
    silent(workspace.run(&["db-verify", "-v"])).exits(3);
    silent(workspace.run(&["db-setup", "-v", "--set-password"])).exits(0);

    let log = cluster.log();
    assert!(log.contains("CREATE ROLE aura_user"), "the log holds the statements");
    for spelling in spellings.iter().take(3) {
        assert!(!log.contains(spelling.as_str()), "the server's log holds {spelling}");
    }
}

#[test]
fn a_password_in_the_migrate_command_is_masked() {
    let cluster = Cluster::start();
    let mut lines = String::new();
    for command in [
        "true 'host=h password=s3cret-pw'",
        "PGPASSWORD=s3cret-pw true",
        "true 'postgres://h/d?password=s3cret-pw'",
        "true postgres://u:x/s3cret-pw@h/d",
    ] {
        let workspace = Workspace::on(&cluster).with("MIGRATE_COMMAND", command);
        let setup = workspace.run(&["db-setup", "-v"]).never_says("s3cret-pw");
        lines.extend(
            setup.stderr.lines().filter(|line| line.contains("MIGRATE_COMMAND: ")).map(|line| format!("{line}\n")),
        );
        let status = workspace.run(&["db-status", "-v"]).exits(0).never_says("s3cret-pw");
        assert!(status.stdout.contains("***"), "{}", status.stdout);
    }
    shows("masked-commands", &lines);
}

/// A command may hold a password in any place: it is called by its key, and by the source of that.
#[test]
fn the_migrate_command_is_named_and_not_printed() {
    let cluster = Cluster::start();
    let mut screens = String::new();
    let reports =
        ["--report", "junit=j.xml", "--report", "json=r.json", "--report", "markdown=r.md", "--report", "github"];
    for (command, code) in
        [("true --token s3cret-pw", 0), ("TOKEN=s3cret-pw; exit 9", 1), ("no-such-$((1))s3cret-pw", 1)]
    {
        for workspace in [Workspace::on(&cluster).with("MIGRATE_COMMAND", command), {
            let workspace = Workspace::on(&cluster).without("MIGRATE_COMMAND");
            workspace.write(".env", format!("MIGRATE_COMMAND='{command}'\n"));
            workspace
        }] {
            workspace.run(&["db-status"]).never_says("s3cret-pw");
            for arguments in [&["db-setup"][..], &["db-migrate"], &["db-reset", "--yes", "--host", "127.0.0.1"]] {
                // None of the program's words: the shell of the third says what it did not find.
                let run = workspace.run(&[arguments, if arguments[0] == "db-reset" { &[] } else { &reports }].concat());
                let ours = run.stderr.lines().filter(|line| !line.contains("not found")).collect::<Vec<_>>().join("\n");
                assert!(!ours.contains("s3cret-pw") && !run.stdout.contains("s3cret-pw"), "{}", run.stderr);
                let named = run.stderr.lines().find(|line| line.starts_with("migrating: "));
                let named = named.unwrap_or_else(|| panic!("{}", run.stderr));
                assert!(named.starts_with("migrating: MIGRATE_COMMAND in "), "{named}");
                if code == 1 {
                    assert_eq!(run.code, 1, "{}", run.stderr);
                    let said = run.said("error: the migrate command failed");
                    screens += &format!("{named}\n{said}\n");
                }
            }
        }
    }
    shows("named-commands", &screens);
}

/// With `-v` it is printed as it was written, up to the first password. Nothing in it has become a value.
#[test]
fn no_reference_in_the_migrate_command_is_expanded() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).without("MIGRATE_COMMAND");
    workspace.write(".env", "TOKEN=s3cret-pw\nMIGRATE_COMMAND=\"true --token ${TOKEN} postgres://u:s3cret-pw@h/d\"\n");
    for arguments in [&["db-setup", "-v"][..], &["db-status", "-v"], &["db-migrate", "-v"], &["db-status"]] {
        let run = workspace.run(arguments).never_says("s3cret-pw");
        // Up to the first password.
        let is_shown = (run.stdout + &run.stderr).contains(r#""true --token ${TOKEN} postgres://***"#);
        assert_eq!(is_shown, arguments.contains(&"-v"), "{arguments:?}");
    }
}

#[test]
fn a_job_hides_every_spelling() {
    let cluster = Cluster::start();
    let spellings = spellings(&cluster);
    let workspace = Workspace::on(&cluster)
        .with("DATABASE_URL", &cluster.url("aura_user", PASSWORD, "aura_db"))
        .with("GITHUB_ACTIONS", "true");
    let run = workspace.run(&["db-env", "--github"]).exits(0);
    for spelling in spellings.iter().take(2) {
        assert!(run.stdout.contains(spelling.as_str()), "{}", run.stdout);
        let mask = format!("::add-mask::{}", spelling.replace('%', "%25"));
        assert!(run.stderr.lines().any(|line| line == mask), "{mask}: {}", run.stderr);
    }
}

#[test]
fn no_password_stands_in_the_process_list() {
    let cluster = Cluster::start();
    // Every cluster of the tests has the same superuser's password, and other tests hand it to psql.
    let mut spellings = spellings(&cluster);
    spellings.pop();
    spellings.push("of-the-dba-alone".to_owned());
    cluster.sql("postgres", "CREATE ROLE dba LOGIN SUPERUSER PASSWORD 'of-the-dba-alone'");
    let workspace = Workspace::on(&cluster)
        .with("ADMIN_DATABASE_URL", &cluster.url("dba", "of-the-dba-alone", "postgres"))
        .with("DATABASE_URL", &cluster.url("aura_user", PASSWORD, "aura_db"))
        // The command ends once it was seen.
        .with(
            "MIGRATE_COMMAND",
            r"psql -X -q -c '\! while [ ! -e seen ]; do sleep 0.02; done' -c 'CREATE TABLE waited ()'",
        );
    let done = AtomicBool::new(false);
    let (mut seen_xtask, mut seen_psql) = (false, false);
    thread::scope(|scope| {
        let run = scope.spawn(|| {
            let run = workspace.run(&["db-setup", "-v"]);
            done.store(true, Ordering::Relaxed);
            run
        });
        while !done.load(Ordering::Relaxed) {
            for line in command_lines() {
                seen_xtask |= line.contains("twin-xtask");
                seen_psql |= line.split(' ').next().unwrap().ends_with("psql") && line.contains("CREATE TABLE waited");
                for spelling in &spellings {
                    assert!(!line.contains(spelling.as_str()), "{line}");
                }
            }
            if seen_xtask && seen_psql {
                workspace.write("seen", "");
            }
        }
        run.join().unwrap().exits(0);
    });
    assert!(seen_xtask && seen_psql, "the poll saw neither or one of them");
}

fn command_lines() -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .collect()
}
