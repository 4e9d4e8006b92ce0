//! `--report`: what the files hold, and what GitHub Actions is told.

use std::{fs, path::Path};

use serde_json::Value;
use tests::{Cluster, Python, Run, Workspace};

use crate::case::{CASE, fresh};

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
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    let workspace = workspace.with("GITHUB_STEP_SUMMARY", "summary.md");
    workspace.write("summary.md", "Of another step.\n");
    for command in ["db-verify", "db-setup", "db-migrate"] {
        workspace.write("junit.xml", "of an earlier run");
        let run = workspace.run(&[&[command, "--format", "json"][..], &ALL].concat()).exits(0).never_says("::");
        assert_eq!(run.check("server")["status"], "pass", "stdout is the one document");
        assert_eq!(read(&workspace, "report.json"), run.stdout);
        if let Some(junit) = read_junit(&workspace) {
            counts(&junit, [21, 0, 0, 0]);
            assert_eq!((&junit["name"], &junit["properties"]["database"]), (&command.into(), &"aura_db".into()));
            let expected: Vec<_> = pg_schema::CHECKS.iter().map(|id| (command, *id)).collect();
            let found = junit["cases"].as_array().unwrap().iter();
            let found: Vec<_> =
                found.map(|case| (case["class"].as_str().unwrap(), case["name"].as_str().unwrap())).collect();
            assert_eq!(found, expected);
        }
        let markdown = read(&workspace, "report.md");
        assert!(markdown.starts_with(&format!("## {command}: verified\n\n21 of 21 checks passed in ")), "{markdown}");
        assert!(markdown.contains("<details><summary>21 passed</summary>"), "{markdown}");
        assert!(!markdown.contains("| status |"), "nothing but passes: {markdown}");
        let summary = read(&workspace, "summary.md");
        assert!(summary.starts_with("Of another step.\n\n## db-verify: verified"), "{summary}");
        assert!(summary.ends_with(&markdown), "{summary}");
    }
    assert_eq!(read(&workspace, "summary.md").matches("## db-").count(), 3, "each adds its own");
}

#[test]
fn findings_with_hard_names() {
    let cluster = Cluster::start();
    let workspace = fresh(&cluster, &CASE);
    cluster.sql(
        "aura_db",
        r#"CREATE TABLE public."a|b" (); CREATE TABLE public."<b>&amp;]]>" (); CREATE TABLE public."c``d``` %41" ();
           CREATE TABLE public.U&"e\000A\0001::error::" (); COMMENT ON SCHEMA aura IS NULL;
           DO $$ BEGIN FOR n IN 10 .. 30 LOOP EXECUTE format('CREATE TABLE public.z%s ()', n); END LOOP; END $$"#,
    );
    let run = verify(&workspace, "text").exits(3);
    assert!(run.stdout.contains("not verified: 19 of 21 checks passed, 1 failed, 1 warned"), "{}", run.stdout);
    let report: Value = serde_json::from_str(&read(&workspace, "report.json")).unwrap();
    assert_eq!(tests::violation(&report), None);

    if let Some(junit) = read_junit(&workspace) {
        counts(&junit, [21, 1, 0, 0]);
        let strays = &case(&junit, "strays")["results"][0];
        assert_eq!((&strays["kind"], &strays["type"]), (&"failure".into(), &"strays".into()));
        let (message, text) = (strays["message"].as_str().unwrap(), strays["text"].as_str().unwrap());
        assert!(message.contains(r#"table public."<b>&amp;]]>" lies outside aura"#), "{message}");
        assert!(text.starts_with(message), "{text}");
        for line in [
            r#"  table public."a|b", owner postgres"#,
            r#"by hand: ALTER TABLE public."<b>&amp;]]>" SET SCHEMA aura;"#,
            r#"by hand: ALTER TABLE public."c``d``` %41" SET SCHEMA aura;"#,
            "  … and 15 more (--report json=FILE lists all)",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert!(text.contains("public.\"e\n\u{fffd}::error::\""), "{text}");
        let warned = case(&junit, "migrations");
        assert_eq!(warned["results"], Value::Array(Vec::new()), "a warning passes");
        assert!(warned["out"].as_str().unwrap().starts_with("warning: "), "{warned}");
    }

    let markdown = read(&workspace, "report.md");
    assert!(markdown.starts_with("## db-verify: not verified\n\n19 of 21 checks passed, 1 failed, 1 warned in "));
    let at = |text: &str| markdown.find(text).unwrap_or_else(|| panic!("no {text:?} in {markdown}"));
    assert!(at("\n| fail | `strays` | ") < at("\n| warn | `migrations` | "), "what is worst first");
    assert!(at("\n| warn | ") < at("### `strays`") && at("### `strays`") < at("<details><summary>19 passed</summary>"));
    for line in [
        r#"- table public."a\|b", owner postgres"#,
        r#"- table public."&lt;b&gt;&amp;amp;\]\]&gt;", owner postgres"#,
        r#"- table public."c\`\`d\`\`\` %41", owner postgres"#,
        "- table public.\"e<br>\u{1}::error::\", owner postgres",
        "- … and 15 more (--report json=FILE lists all)",
        "````sql",
        r#"ALTER TABLE public."a|b" SET SCHEMA aura; -- by hand"#,
        r#"ALTER TABLE public."c``d``` %41" SET SCHEMA aura; -- by hand"#,
        "````",
        "… and 30 more (--report json=FILE lists all)",
    ] {
        assert!(markdown.lines().any(|found| found == line), "{line}: {markdown}");
    }
    for row in markdown.lines().filter(|line| line.starts_with('|')) {
        let bars = row.replace("\\|", "").matches('|').count();
        assert!(bars == 3 || bars == 4, "{row}");
    }

    let annotations: Vec<_> = run.stderr.lines().filter(|line| line.contains("::")).collect();
    assert!(annotations[0].starts_with("::error title=db-verify%3A strays::table public."), "{}", run.stderr);
    assert!(
        annotations[0].contains("%0A  table public.\"e%0A\u{1}::error::\", owner postgres%0A"),
        "{}",
        annotations[0]
    );
    assert!(
        annotations[0].contains("%0Aby hand: ALTER TABLE public.\"c``d``` %2541\" SET SCHEMA aura;%0A"),
        "{annotations:?}"
    );
    assert!(annotations[1].starts_with("::warning title=db-verify%3A migrations::"), "{annotations:?}");
    assert_eq!(annotations.len(), 2, "one a finding: {}", run.stderr);

    // What cannot be looked at is skipped, with its reason.
    cluster.sql("postgres", "DROP DATABASE aura_db WITH (FORCE)");
    let run = verify(&workspace, "text").exits(3);
    let annotations: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(annotations.len(), 1, "none for what is skipped: {}", run.stderr);
    assert!(read(&workspace, "report.md").contains("\n| skip | `strays` | the app cannot connect |\n"));
    if let Some(junit) = read_junit(&workspace) {
        let skipped = &case(&junit, "strays")["results"][0];
        assert_eq!((&skipped["kind"], &skipped["message"]), (&"skipped".into(), &"the app cannot connect".into()));
        assert_eq!(junit["properties"]["version"], "unknown");
    }
}

#[test]
fn an_error_is_no_verdict() {
    let cluster = Cluster::start();
    let mut workspace = fresh(&cluster, &CASE);
    let [url, migrate] = ["DATABASE_URL", "MIGRATE_COMMAND"].map(|key| workspace.setting(key).to_owned());
    workspace = workspace.with("GITHUB_STEP_SUMMARY", "summary.md");
    let loud = "printf '100%%: <a>&\\033[31m\\n%s\\n' \"$DATABASE_URL\"; exit 7".to_owned();
    let silent = format!("postgresql://aura_user:the-app%27s@127.0.0.1:{}/aura_db", free_port());
    // The configuration is wrong, no server answers, the migrations fail in words of their own.
    for (command, key, value, code, heading, words) in [
        ("db-verify", "DB_SCHEMA", &"x".repeat(64), 1, "an error", "the configuration is wrong"),
        ("db-setup", "DATABASE_URL", &silent, 4, "no server could be had", "no other is tried"),
        // The last: no verification is a success after it.
        ("db-migrate", "MIGRATE_COMMAND", &loud, 1, "an error", "the migrate command failed (exit status: 7)"),
    ] {
        workspace = workspace.with("DATABASE_URL", &url).with("DB_SCHEMA", "aura").with("MIGRATE_COMMAND", &migrate);
        verify(&workspace, "text").exits(0);
        fs::remove_file(workspace.root().join("summary.md")).unwrap();
        workspace = workspace.with(key, value);
        let run = workspace.run(&[&[command, "--wait", "0"][..], &ALL].concat()).exits(code).never_says("the-app");
        assert_eq!(run.stdout, "", "an error is no result");
        // All that stderr says of it, in each report.
        let (_, said) = run.stderr.split_once("error: ").unwrap();
        assert!(said.contains(words), "{said}");
        let said = said.trim_end();

        assert!(!workspace.root().join("report.json").exists(), "the verdict of an earlier run");
        if let Some(junit) = read_junit(&workspace) {
            counts(&junit, [1, 0, 1, 0]);
            let error = &case(&junit, command)["results"][0];
            assert_eq!((&error["kind"], &error["text"]), (&"error".into(), &said.replace('\x1b', "\u{fffd}").into()));
            assert_eq!(error["message"], said.lines().next().unwrap());
            assert_eq!(error["type"], if code == 4 { "no-server" } else { "error" });
        }
        let markdown = read(&workspace, "report.md");
        assert!(markdown.starts_with(&format!("## {command}: {heading}\n\nThere is no verdict.\n")), "{markdown}");
        assert!(markdown.contains(&format!("\n```text\n{said}\n```\n")), "{markdown}");
        assert_eq!(read(&workspace, "summary.md"), format!("\n{markdown}"));
        let annotation = format!("::error title={command}::{}", said.replace('%', "%25").replace('\n', "%0A"));
        assert!(run.stderr.lines().any(|line| line == annotation), "no {annotation} in {}", run.stderr);
    }
}

#[test]
fn what_cannot_be_written_is_said_first() {
    let cluster = Cluster::start();
    let mut workspace = Workspace::on(&cluster);
    fs::create_dir(workspace.root().join("directory")).unwrap();
    workspace.write("junit.xml", "of an earlier run");
    for wrong in ["json=missing/report.json", "markdown=directory", "github"] {
        if wrong == "github" {
            workspace = workspace.with("GITHUB_STEP_SUMMARY", "missing/summary.md");
        }
        let run = workspace.run(&["db-setup", "--report", wrong, "--report", "junit=junit.xml"]).exits(1);
        assert_eq!(run.stdout, "");
        run.complains("cannot write the report ").complains("nothing was done\n  help: make its directory");
        if let Some(junit) = read_junit(&workspace) {
            counts(&junit, [1, 0, 1, 0]);
        }
    }
    let databases = "SELECT pg_catalog.count(*) FROM pg_database WHERE datname = 'aura_db'";
    assert_eq!(cluster.value("postgres", databases), "0", "nothing was done");

    // What is neither a file nor ours to remove stays; a link is written through.
    workspace = workspace.without("GITHUB_STEP_SUMMARY");
    let link = workspace.root().join("link.json");
    std::os::unix::fs::symlink("target.json", &link).unwrap();
    workspace.write("target.json", "of an earlier run");
    workspace.run(&["db-setup", "--report", "junit=/dev/null", "--report", "json=link.json"]).exits(0);
    assert!(link.is_symlink() && read(&workspace, "target.json").starts_with('{'));
    workspace = workspace.with("DB_SCHEMA", &"x".repeat(64));
    workspace.run(&["db-verify", "--report", "junit=/dev/null", "--report", "json=link.json"]).exits(1);
    assert_eq!(read(&workspace, "target.json"), "");
    assert!(!Path::new("/dev/null").is_file() && Path::new("/dev/null").exists());

    // A verdict that could not be written is no success, and the reports that could be stand.
    if Path::new("/dev/full").exists() {
        workspace = workspace.with("DB_SCHEMA", "aura");
        let arguments = ["db-verify", "--report", "json=/dev/full", "--report", "junit=junit.xml"];
        let run = workspace.run(&arguments).exits(1).complains("cannot write the report /dev/full");
        assert!(run.stdout.contains("verified: 21 of 21"), "{}", run.stdout);
        assert!(read(&workspace, "junit.xml").contains("errors=\"0\""));
    }
}

#[test]
fn wrong_usage_names_the_kinds() {
    let workspace = Workspace::new();
    for command in ["db-setup", "db-verify", "db-migrate"] {
        for wrong in [
            &["--report", "xml=a"][..],
            &["--report", "junit"],
            &["--report", "markdown="],
            &["--report", "json=a", "--report", "junit=./a"],
            &["--report", "github", "--report", "github"],
        ] {
            let run = workspace.run(&[&[command], wrong].concat()).exits(2);
            run.complains("junit=FILE, json=FILE, markdown=FILE, github");
        }
    }
    workspace.run(&["db-verify", "--report", "github=a"]).exits(2).complains("takes no file");
    workspace.run(&["db-setup", "--dry-run", "--report", "github"]).exits(2).complains("--dry-run");
}

/// A port at which nobody listens.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
