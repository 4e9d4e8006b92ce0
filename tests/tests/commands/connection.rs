//! `db-url` and `db-env`: the app's connection for other programs.

use std::process::Command;

use tests::{Cluster, Workspace, psql};

const WHERE: &str = "SELECT current_user || ' ' || current_database() || ' ' || current_schema()";

#[test]
fn the_url_is_all_that_is_printed_and_libpq_takes_it() {
    let (_cluster, workspace) = Cluster::set_up();
    let run = workspace.run(&["db-url"]).exits(0);
    assert_eq!(run.stderr, "");
    assert_eq!(run.stdout.lines().count(), 1);
    assert!(run.line().starts_with("postgresql://aura_user:") && !run.line().contains("search_path"), "{}", run.stdout);
    assert_eq!(psql(run.line(), &["-c", WHERE], "").exits(0).line(), "aura_user aura_db aura");
}

#[test]
fn f04_options_are_printed_only_where_they_are_needed() {
    let cluster = Cluster::start();
    // The seed document's URL: libpq refuses it as it stands there.
    let url = cluster.url("aura_user", "the-app's", "aura_db") + "&options=-csearch_path=aura";
    // libpq's own words.
    psql(&url, &["-c", WHERE], "").exits(2).complains("extra key/value separator");
    let workspace = Workspace::on(&cluster).with("DATABASE_URL", &url);
    workspace.run(&["db-setup"]).exits(0);
    let plain = workspace.run(&["db-url"]).exits(0);
    assert!(!plain.stdout.contains("options"), "the role's own setting gives the path: {}", plain.stdout);

    let asked_for = workspace.run(&["db-url", "--options"]).exits(0);
    let with_path = psql(asked_for.line(), &["-c", "SHOW search_path"], "").exits(0);
    assert_eq!(with_path.line(), "aura, public");

    cluster.sql(
        "aura_db",
        "ALTER ROLE aura_user IN DATABASE aura_db RESET search_path; ALTER DATABASE aura_db RESET search_path",
    );
    assert_ne!(psql(plain.line(), &["-c", WHERE], "").line(), "aura_user aura_db aura");
    let needed = workspace.run(&["db-url"]).exits(0);
    assert_eq!(psql(needed.line(), &["-c", WHERE], "").exits(0).line(), "aura_user aura_db aura");
    let environment = workspace.run(&["db-env"]).exits(0);
    assert_eq!(in_shell(&environment.stdout, &format!("psql -X -Atc \"{WHERE}\"")), "aura_user aura_db aura");
}

#[test]
fn the_administrators_url_is_printed_where_one_is_known() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    let run = workspace.run(&["db-url", "--admin"]).exits(0);
    let superuser = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
    assert_eq!(psql(run.line(), &["-c", superuser], "").exits(0).line(), "t");
    workspace.without("ADMIN_DATABASE_URL").run(&["db-url", "--admin"]).exits(1).shows("no-administrator");
}

#[test]
fn the_url_of_what_is_not_there_yet_is_printed_with_a_warning() {
    let cluster = Cluster::start();
    let run = Workspace::on(&cluster).run(&["db-url"]).exits(0).shows("url-before-setup");
    assert!(run.line().starts_with(&cluster.url("aura_user", "the-app's", "aura_db")), "{}", run.stdout);
}

#[test]
fn a_shell_reads_what_is_printed_for_it() {
    let cluster = Cluster::start();
    let password = r#"it's "$HOME" `id` \ %27 & é"#;
    let workspace = Workspace::new()
        .with("DB_HOST", "127.0.0.1")
        .with("DB_PORT", &cluster.port().to_string())
        .with("DB_PASSWORD", password)
        .with("ADMIN_DATABASE_URL", &cluster.admin_url());
    workspace.run(&["db-setup"]).exits(0).never_says(password);
    let run = workspace.run(&["db-env"]).exits(0);
    assert!(run.stdout.lines().all(|line| line.starts_with("export ")), "{}", run.stdout);
    assert_eq!(in_shell(&run.stdout, "psql -X -Atc 'SELECT current_schema()'"), "aura");
    assert_eq!(in_shell(&run.stdout, "psql -X -At \"$DATABASE_URL\" -c 'SELECT current_schema()'"), "aura");

    let run = workspace.run(&["db-env", "--github"]).exits(0);
    let url = run.stdout.lines().find_map(|line| line.strip_prefix("DATABASE_URL=")).unwrap();
    assert_eq!(psql(url, &["-c", WHERE], "").exits(0).line(), "aura_user aura_db aura");
    assert_eq!(run.stderr, "");
    let in_a_job = workspace.with("GITHUB_ACTIONS", "true").run(&["db-env", "--github"]).exits(0);
    assert_eq!(in_a_job.stdout, run.stdout);
    // As it is, and as the URL has it; GitHub reads `%25` as `%`.
    let in_the_url = url.split([':', '@']).nth(2).unwrap();
    let masked: Vec<_> = in_a_job.stderr.lines().map(|line| line.replace("%25", "%")).collect();
    assert_eq!(masked, [password, in_the_url].map(|secret| format!("::add-mask::{secret}")));
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let (_cluster, workspace) = Cluster::set_up();
    let mut screens = String::new();
    for arguments in [&["db-url"][..], &["db-env"], &["db-verify"], &["db-status"], &["completions", "bash"]] {
        let full = std::fs::File::create("/dev/full").unwrap();
        let output = workspace.command(arguments).stdout(full).output().unwrap();
        screens += &tests::Run::of(format!("cargo xtask {} >/dev/full", arguments.join(" ")), output).exits(1).screen();
    }
    tests::shows("full-stdout", &screens);
    // A reader that has seen enough is no error.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert!(workspace.command(&["db-url"]).stdout(writer).status().unwrap().success());
}

/// What a command of a shell prints after `eval` of a text.
fn in_shell(exports: &str, command: &str) -> String {
    let script = format!("eval \"$EXPORTS\"\n{command}");
    let output = Command::new("sh").args(["-c", &script]).env("EXPORTS", exports).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
