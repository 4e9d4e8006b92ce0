//! `db-verify --explain`: what a check means, wherever one stands.

use tests::{Cluster, Workspace};

/// The headings under an explanation's title.
fn headings(explanation: &str) -> Vec<&str> {
    explanation.lines().skip(1).filter(|line| !line.is_empty() && !line.starts_with(' ')).collect()
}

#[test]
fn every_check_is_explained_without_a_server_and_without_a_configuration() {
    let workspace = Workspace::new();
    workspace.write(".env", "DB_PASSWORD=it's \"broken\n");
    workspace.run(&["db-status"]).exits(1).shows("broken-env-file");
    let one = workspace.run(&["db-verify", "--explain", "search-path"]).exits(0).shows("explanation");
    assert_eq!(headings(&one.stdout).len(), 5);
    for id in pg_schema::CHECKS {
        let run = workspace.run(&["db-verify", "--explain", id]).exits(0);
        assert_eq!(run.stderr, "", "{id}");
        assert!(run.stdout.starts_with(&format!("{id}: ")), "{}", run.stdout);
        assert_eq!(headings(&run.stdout), headings(&one.stdout), "{id}");
    }
    assert!(!workspace.root().join("servers").exists(), "a server was looked for");
}

#[test]
fn an_unknown_id_is_wrong_usage_and_lists_the_ids() {
    let workspace = Workspace::new();
    let run = workspace.run(&["db-verify", "--explain", "nonsense"]).exits(2).shows("unknown-id");
    assert_eq!(run.stdout, "");
    for id in pg_schema::CHECKS {
        assert!(run.stderr.contains(id), "{id}: {}", run.stderr);
    }
    for id in ["", "server,role", "SERVER"] {
        workspace.run(&["db-verify", "--explain", id]).exits(2);
    }
    workspace.run(&["db-verify", "--explain"]).exits(2).shows("no-id");
}

#[test]
fn it_goes_with_every_common_flag_and_with_no_other() {
    let workspace = Workspace::new();
    let explanation = workspace.run(&["db-verify", "--explain", "role"]).exits(0).stdout;
    for flags in [
        &["--server", "local"][..],
        &["--env-file", "other.env"],
        &["--no-env-file"],
        &["--wait", "1"],
        &["-q"],
        &["-v"],
        &["--color", "never"],
    ] {
        let run = workspace.run(&[&["db-verify", "--explain", "role"], flags].concat()).exits(0);
        assert_eq!((run.stdout, run.stderr.as_str()), (explanation.clone(), ""));
    }
    let mut said = String::new();
    for flags in [&["--format", "json"][..], &["--format", "text"], &["--fix"], &["--lock-wait", "1"]] {
        let run = workspace.run(&[&["db-verify", "--explain", "role"], flags].concat()).exits(2);
        said += &format!("$ {}\n{}\n", run.command, run.stderr);
    }
    tests::shows("flags-beside-explain", &said);
}

#[test]
fn headings_are_bold_where_there_are_colours_and_no_letter_differs() {
    let workspace = Workspace::new();
    let plain = workspace.run(&["db-verify", "--explain", "search-path"]).exits(0);
    assert!(!plain.stdout.contains('\x1b'), "colours without a terminal");
    let painted = workspace.run(&["db-verify", "--explain", "search-path", "--color", "always"]).exits(0);
    let bold = |text: &str| format!("\x1b[1m{text}\x1b[0m");
    let title = plain.stdout.lines().next().unwrap();
    for heading in headings(&plain.stdout).into_iter().chain([title]) {
        assert!(painted.stdout.lines().any(|line| line == bold(heading)), "{heading}: {}", painted.stdout);
    }
    assert_eq!(painted.stdout.replace("\x1b[1m", "").replace("\x1b[0m", ""), plain.stdout);
}

#[test]
fn completions_offer_the_ids() {
    let workspace = Workspace::new();
    for shell in ["bash", "zsh", "fish"] {
        let run = workspace.run(&["completions", shell]).exits(0);
        for id in pg_schema::CHECKS {
            assert!(run.stdout.contains(id), "{shell}: no {id}");
        }
    }
}

#[test]
fn a_report_with_a_finding_says_where_more_is_said() {
    let (cluster, workspace) = Cluster::set_up();
    cluster.sql("aura_db", "GRANT CREATE ON SCHEMA public TO aura_user");
    workspace.run(&["db-verify"]).exits(0).shows("report-with-warning");
    cluster.sql("aura_db", "CREATE TABLE public.sketch (id int)");
    workspace.run(&["db-verify"]).exits(3).shows("report-with-finding");
    workspace.run(&["db-verify", "-q"]).exits(3).never_says("--explain");
    workspace.verify().exits(3).never_says("--explain");
}
