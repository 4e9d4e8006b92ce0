//! `--report`: what the files hold, and what GitHub Actions is told.

use std::{fs, path::Path};

use serde_json::Value;
use tests::{Cluster, Python, Run, Workspace, shows};

use crate::case::{CASE, set_up};

/// Every kind at once.
const ALL: [&str; 8] = [
    "--report",
    "junit=junit.xml",
    "--report",
    "json=report.json",
    "--report",
    "markdown=report.md",
    "--report",
    "github",
];

fn verify(workspace: &Workspace, format: &str) -> Run {
    workspace.run(&[&["db-verify", "--format", format][..], &ALL].concat())
}

fn read(workspace: &Workspace, path: &str) -> String {
    fs::read_to_string(workspace.root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What two readers make of a JUnit report; none where they cannot be had.
fn read_junit(workspace: &Workspace) -> Option<Value> {
    let readers = Path::new(env!("CARGO_MANIFEST_DIR")).join("readers/junit");
    let mut python = Python::with(&readers.join("requirements.txt"))?.command();
    let output = python.arg(readers.join("read.py")).arg(workspace.root().join("junit.xml")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The case of an id.
#[track_caller]
fn case<'a>(junit: &'a Value, id: &str) -> &'a Value {
    let cases = junit["cases"].as_array().unwrap();
    cases.iter().find(|case| case["name"] == id).unwrap_or_else(|| panic!("no case {id}"))
}

#[track_caller]
fn counts(junit: &Value, expected: [u64; 4]) {
    assert_eq!(["tests", "failures", "errors", "skipped"].map(|key| junit[key].as_u64().unwrap()), expected, "{junit}");
}

#[test]
fn every_report_in_one_run() {
    let (_cluster, workspace) = set_up(&CASE);
    let workspace = workspace.with("GITHUB_STEP_SUMMARY", "summary.md");
    let mut summary = "Of another step.\n".to_owned();
    workspace.write("summary.md", &summary);
    for command in ["db-verify", "db-setup", "db-migrate"] {
        workspace.write("junit.xml", "of an earlier run");
        let run = workspace.run(&[&[command, "--format", "json"][..], &ALL].concat()).exits(0).never_says("::");
        assert_eq!(run.check("server")["status"], "pass", "stdout is the one document");
        assert_eq!(read(&workspace, "report.json"), run.stdout);
        if let Some(junit) = read_junit(&workspace) {
            counts(&junit, [22, 0, 0, 0]);
            assert_eq!((&junit["name"], &junit["properties"]["database"]), (&command.into(), &"aura_db".into()));
            let expected: Vec<_> = pg_schema::CHECKS.iter().map(|id| (command, *id)).collect();
            let found = junit["cases"].as_array().unwrap().iter();
            let found: Vec<_> =
                found.map(|case| (case["class"].as_str().unwrap(), case["name"].as_str().unwrap())).collect();
            assert_eq!(found, expected);
        }
        let markdown = read(&workspace, "report.md");
        shows(&format!("markdown-of-{command}"), &markdown);
        summary += &format!("\n{markdown}");
        assert_eq!(read(&workspace, "summary.md"), summary, "each adds its own");
    }
}

#[test]
fn findings_with_hard_names() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        // The database's owner may make tables for the app, which may not act as that role: SQL is printed for what it made.
        r#"GRANT ALL ON SCHEMA aura TO other; ALTER DATABASE aura_db OWNER TO other; GRANT CREATE ON SCHEMA public TO other;
           ALTER DEFAULT PRIVILEGES FOR ROLE other IN SCHEMA aura GRANT ALL ON TABLES TO aura_user;
           ALTER DEFAULT PRIVILEGES FOR ROLE other IN SCHEMA aura GRANT ALL ON SEQUENCES TO aura_user; SET ROLE other;
           CREATE TABLE public."a|b" (); CREATE TABLE public."<b>&amp;]]>" (); CREATE TABLE public."c``d``` %41" ();
           CREATE TABLE public.U&"e\000A\0001::error::" (); 
           DO $$ BEGIN FOR n IN 10 .. 30 LOOP EXECUTE format('CREATE TABLE public.z%s ()', n); END LOOP; END $$;
           RESET ROLE; COMMENT ON SCHEMA aura IS NULL"#,
    );
    let run = verify(&workspace, "text").exits(3).shows("hard-names");
    let report: Value = serde_json::from_str(&read(&workspace, "report.json")).unwrap();
    assert_eq!(tests::violation(&report), None);

    if let Some(junit) = read_junit(&workspace) {
        counts(&junit, [22, 1, 0, 0]);
        let strays = &case(&junit, "strays")["results"][0];
        assert_eq!((&strays["kind"], &strays["type"]), (&"failure".into(), &"strays".into()));
        let (message, text) = (strays["message"].as_str().unwrap(), strays["text"].as_str().unwrap());
        assert!(text.starts_with(message), "{text}");
        let warned = case(&junit, "migrations");
        assert_eq!(warned["results"], Value::Array(Vec::new()), "a warning passes");
        shows("hard-names-in-junit", &format!("{text}\n\n{}", warned["out"].as_str().unwrap()));
    }

    let markdown = read(&workspace, "report.md");
    shows("hard-names-in-markdown", &markdown);
    for row in markdown.lines().filter(|line| line.starts_with('|')) {
        let bars = row.replace("\\|", "").matches('|').count();
        assert!(bars == 3 || bars == 4, "{row}");
    }

    let annotations: Vec<_> = run.stderr.lines().filter(|line| line.contains("::")).collect();
    assert!(annotations[0].starts_with("::error title=db-verify%3A strays::"), "{annotations:?}");
    assert!(annotations[1].starts_with("::warning title=db-verify%3A migrations::"), "{annotations:?}");
    assert_eq!(annotations.len(), 2, "one a finding: {}", run.stderr);

    // A check that cannot run is skipped, with its reason.
    cluster.sql("postgres", "DROP DATABASE aura_db WITH (FORCE)");
    let run = verify(&workspace, "text").exits(3);
    let annotations: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(annotations.len(), 1, "none for what is skipped: {}", run.stderr);
    shows("skipped-in-markdown", &read(&workspace, "report.md"));
    if let Some(junit) = read_junit(&workspace) {
        let skipped = &case(&junit, "strays")["results"][0];
        let report: Value = serde_json::from_str(&read(&workspace, "report.json")).unwrap();
        let checks = report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["id"] == "strays").unwrap();
        assert_eq!((&skipped["kind"], &skipped["message"]), (&"skipped".into(), &check["message"]));
        assert_eq!(junit["properties"]["version"], "unknown");
    }
}

#[test]
fn an_error_is_no_verdict() {
    let (_cluster, mut workspace) = set_up(&CASE);
    let [url, migrate] = ["DATABASE_URL", "MIGRATE_COMMAND"].map(|key| workspace.setting(key).to_owned());
    workspace = workspace.with("GITHUB_STEP_SUMMARY", "summary.md");
    let loud = "printf '100%%: <a>&\\033[31m\\n%s\\n' \"$DATABASE_URL\"; exit 7".to_owned();
    let silent = format!("postgresql://aura_user:the-app%27s@127.0.0.1:{}/aura_db", free_port());
    // The configuration is wrong, no server answers, the migrations fail.
    for (command, key, value, code) in [
        ("db-verify", "DB_SCHEMA", &"x".repeat(64), 1),
        ("db-setup", "DATABASE_URL", &silent, 4),
        // The last: no verification is a success after it.
        ("db-migrate", "MIGRATE_COMMAND", &loud, 1),
    ] {
        workspace = workspace.with("DATABASE_URL", &url).with("DB_SCHEMA", "aura").with("MIGRATE_COMMAND", &migrate);
        verify(&workspace, "text").exits(0);
        fs::remove_file(workspace.root().join("summary.md")).unwrap();
        workspace = workspace.with(key, value);
        let run = workspace.run(&[&[command, "--wait", "0"][..], &ALL].concat()).exits(code).never_says("the-app");
        assert_eq!(run.stdout, "", "an error is no result");
        // Each report holds the whole error.
        let whole = run.whole_lines();
        let (_, said) = whole.split_once("error: ").unwrap();
        let said = said.trim_end();

        assert!(!workspace.root().join("report.json").exists(), "the verdict of an earlier run");
        if let Some(junit) = read_junit(&workspace) {
            counts(&junit, [1, 0, 1, 0]);
            let error = &case(&junit, command)["results"][0];
            assert_eq!((&error["kind"], &error["text"]), (&"error".into(), &said.into()));
            assert_eq!(error["message"], said.lines().next().unwrap());
            assert_eq!(error["type"], if code == 4 { "no-server" } else { "error" });
        }
        let markdown = read(&workspace, "report.md");
        shows(&format!("error-of-{command}-in-markdown"), &markdown);
        assert!(markdown.contains(&format!("\n```text\n{said}\n```\n")), "{markdown}");
        assert_eq!(read(&workspace, "summary.md"), format!("\n{markdown}"));
        let annotation = format!("::error title={command}::{}", said.replace('%', "%25").replace('\n', "%0A"));
        assert!(run.stderr.lines().any(|line| line == annotation), "no {annotation} in {}", run.stderr);
    }
}

#[test]
fn an_unwritable_report_is_the_first_error() {
    let cluster = Cluster::start();
    let mut workspace = Workspace::on(&cluster);
    fs::create_dir(workspace.root().join("directory")).unwrap();
    workspace.write("junit.xml", "of an earlier run");
    let mut screens = String::new();
    for wrong in ["json=missing/report.json", "markdown=directory", "github"] {
        if wrong == "github" {
            workspace = workspace.with("GITHUB_STEP_SUMMARY", "missing/summary.md");
        }
        let run = workspace.run(&["db-setup", "--report", wrong, "--report", "junit=junit.xml"]).exits(1);
        assert_eq!(run.stdout, "");
        screens += &run.screen();
        if let Some(junit) = read_junit(&workspace) {
            counts(&junit, [1, 0, 1, 0]);
        }
    }
    shows("unwritable-reports", &screens);
    let databases = "SELECT pg_catalog.count(*) FROM pg_database WHERE datname = 'aura_db'";
    assert_eq!(cluster.value("postgres", databases), "0", "nothing was done");

    // A device stays.
    workspace = workspace.without("GITHUB_STEP_SUMMARY");
    workspace.run(&["db-setup", "--report", "junit=/dev/null", "--report", "json=report.json"]).exits(0);
    assert!(read(&workspace, "report.json").starts_with('{'));
    workspace = workspace.with("DB_SCHEMA", &"x".repeat(64));
    workspace.run(&["db-verify", "--report", "junit=/dev/null", "--report", "json=report.json"]).exits(1);
    assert!(!workspace.root().join("report.json").exists());
    assert!(!Path::new("/dev/null").is_file() && Path::new("/dev/null").exists());

    // A report that could not be written is no success; the other reports stay.
    if Path::new("/dev/full").exists() {
        workspace = workspace.with("DB_SCHEMA", "aura");
        let arguments = ["db-verify", "--report", "json=/dev/full", "--report", "junit=junit.xml"];
        let run = workspace.run(&arguments).exits(1);
        run.shows("full-device");
        assert!(read(&workspace, "junit.xml").contains("errors=\"0\""));
    }
}

#[test]
fn wrong_usage_names_the_kinds() {
    let workspace = Workspace::new();
    let mut screens = String::new();
    for command in ["db-setup", "db-verify", "db-migrate"] {
        for wrong in [
            &["--report", "xml=a"][..],
            &["--report", "junit"],
            &["--report", "markdown="],
            &["--report", "json=a", "--report", "junit=./a"],
            &["--report", "github", "--report", "github"],
        ] {
            screens += &workspace.run(&[&[command], wrong].concat()).exits(2).screen();
        }
    }
    screens += &workspace.run(&["db-verify", "--report", "github=a"]).exits(2).screen();
    screens += &workspace.run(&["db-setup", "--dry-run", "--report", "github"]).exits(2).screen();
    shows("wrong-usage", &screens);
}

/// A port without a server.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
