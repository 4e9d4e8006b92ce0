//! A way to break a database as a value: what it does, what must be found, and what must mend it.

use tests::{Cluster, Run, Workspace, psql};

/// One way to break a database that was set up, and what must come of it.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// What is wrong, in words.
    pub(crate) name: &'static str,
    /// The first version that knows of such a thing.
    pub(crate) since: u32,
    /// Environment variables of the workspace from the beginning.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// What is added to the app's URL: `?options=…`.
    pub(crate) url: &'static str,
    /// The database in which `breaks` is run.
    pub(crate) at: &'static str,
    /// What the superuser runs to break it.
    pub(crate) breaks: &'static str,
    /// The ids that fail, and no other.
    pub(crate) fails: &'static [&'static str],
    /// The ids that warn, and no other.
    pub(crate) warns: &'static [&'static str],
    /// Words that the message of the first of these ids must hold.
    pub(crate) says: &'static [&'static str],
    /// What mends it.
    pub(crate) mend: Mend,
    /// What `db-setup` does about it.
    pub(crate) setup: Setup,
}

/// What mends a finding.
#[derive(Clone, Copy)]
pub(crate) enum Mend {
    /// The SQL that is printed, and `--fix`, which runs it.
    Sql,
    /// The SQL that is printed. It drops, moves or ends something: `--fix` leaves it to a person.
    ByHand,
    /// The SQL that is printed, of which `--fix` runs a part.
    HalfByHand,
    /// This command, which the message names.
    Command(&'static [&'static str]),
    /// The SQL for a part of it; a person for the rest, where no SQL is printed.
    Partly,
    /// A person: no SQL is printed.
    Person,
}

/// What `db-setup` does on top of the broken database.
#[derive(Clone, Copy)]
pub(crate) enum Setup {
    /// Verifies in the end.
    Mends,
    /// Ends with this code, and these words on stdout or stderr.
    Refuses(i32, &'static str),
}

/// What most cases have in common.
pub(crate) const CASE: Case = Case {
    name: "",
    since: 13,
    environment: &[],
    url: "",
    at: "aura_db",
    breaks: "",
    fails: &[],
    warns: &[],
    says: &[],
    mend: Mend::Sql,
    setup: Setup::Mends,
};

/// Runs each case on a database of its own, and says what came of them.
pub(crate) fn check(cases: &[Case]) -> String {
    let cluster = Cluster::start();
    let (mut said, mut mended) = (Vec::new(), 0);
    let version: u32 = cluster.value("postgres", "SHOW server_version_num").parse().unwrap();
    for case in cases.iter().filter(|case| case.since <= version / 10_000) {
        eprintln!("case: {}", case.name);
        let workspace = fresh(&cluster, case);
        cluster.sql(case.at, case.breaks);
        let broken = found(&workspace, case);
        said.extend(ids(case).next().map(|id| format!("{id}: {}", broken.message(id))));
        mend(&cluster, &workspace, case, &broken);

        if matches!(case.mend, Mend::Sql | Mend::ByHand | Mend::Person) {
            let workspace = fresh(&cluster, case);
            cluster.sql(case.at, case.breaks);
            fix(&cluster, &workspace, case);
        }

        let workspace = fresh(&cluster, case);
        cluster.sql(case.at, case.breaks);
        let setup = workspace.run(&["db-setup", "--format", "json"]);
        match case.setup {
            Setup::Mends => {
                assert_eq!(setup.code, 0, "db-setup after {}: {}\n{}", case.name, setup.stdout, setup.stderr);
                clean(&workspace, case);
                mended += 1;
            }
            Setup::Refuses(code, words) => {
                let said = format!("{}{}", setup.stdout, setup.stderr);
                assert!(
                    setup.code == code && said.contains(words),
                    "db-setup after {}: {}: {said}",
                    case.name,
                    setup.code
                );
            }
        }
    }
    let first = said[0].split("; ").next().unwrap();
    format!("{} of {} found, {mended} mended by db-setup: {first}", said.len(), cases.len())
}

/// A verified database, on a server where nothing is left of the case before.
pub(crate) fn fresh(cluster: &Cluster, case: &Case) -> Workspace {
    cluster.sql("postgres", "DROP DATABASE IF EXISTS aura_db WITH (FORCE)");
    cluster.sql("postgres", "DROP ROLE IF EXISTS aura_user, other; CREATE ROLE other; ALTER ROLE postgres RESET ALL");
    let url = cluster.url("aura_user", "the-app's", "aura_db") + case.url;
    let workspace = Workspace::on(cluster).with("DATABASE_URL", &url);
    let workspace = case.environment.iter().fold(workspace, |workspace, (key, value)| workspace.with(key, value));
    workspace.run(&["db-setup"]).exits(0);
    workspace
}

/// What is found, which must be exactly what the case says.
fn found(workspace: &Workspace, case: &Case) -> Run {
    let run = workspace.verify();
    assert_eq!(run.with_status("fail"), case.fails, "fails of {}\n{}", case.name, run.stdout);
    assert_eq!(run.with_status("warn"), case.warns, "warns of {}\n{}", case.name, run.stdout);
    let run = run.exits(if case.fails.is_empty() { 0 } else { 3 });
    if let Some(first) = ids(case).next() {
        let message = run.check(first)["message"].to_string();
        for words in case.says {
            assert!(message.contains(words), "{}: no {words:?} in {message}", case.name);
        }
    }
    run
}

fn mend(cluster: &Cluster, workspace: &Workspace, case: &Case, broken: &Run) {
    match case.mend {
        Mend::Sql | Mend::ByHand => {
            run_fixes(cluster, case, broken);
            clean(workspace, case);
        }
        Mend::HalfByHand => {
            run_fixes(cluster, case, broken);
            // What was hidden by the worse finding has SQL of its own.
            let rest = workspace.verify().exits(0);
            if !rest.with_status("warn").is_empty() {
                run_fixes(cluster, case, &rest);
            }
            clean(workspace, case);
        }
        Mend::Partly => {
            run_fixes(cluster, case, broken);
            let rest = workspace.verify().exits(3);
            for id in rest.with_status("fail") {
                assert_eq!(rest.fix(&id), "", "{}", case.name);
            }
        }
        Mend::Person => {
            for id in ids(case) {
                assert_eq!(broken.fix(id), "", "{}", case.name);
            }
        }
        Mend::Command(command) => {
            let message = broken.check(ids(case).next().unwrap())["message"].to_string();
            assert!(message.contains(&format!("cargo xtask {}", command[0])), "{}: {message}", case.name);
            workspace.run(command).exits(0);
            clean(workspace, case);
        }
    }
}

/// `--fix` mends what it may, and changes nothing where it may not.
fn fix(cluster: &Cluster, workspace: &Workspace, case: &Case) {
    let state = || (cluster.globals(), cluster.value("postgres", "SELECT count(*) FROM pg_database"));
    let before = state();
    let dry = workspace.run(&["db-verify", "--fix", "--dry-run"]);
    assert!(before == state(), "--dry-run changed something: {}", case.name);
    let fixed = workspace.run(&["db-verify", "--fix", "--format", "json"]);
    match case.mend {
        Mend::Sql => {
            assert!(dry.stdout.contains("BEGIN;\n-- "), "{}: {}", case.name, dry.stdout);
            assert_eq!(fixed.code, 0, "--fix after {}: {}\n{}", case.name, fixed.stdout, fixed.stderr);
            clean(workspace, case);
        }
        _ => {
            assert!(dry.stdout.starts_with("-- nothing"), "{}: {}", case.name, dry.stdout);
            assert_eq!(fixed.with_status("fail"), case.fails, "{}", case.name);
            assert!(before == state(), "--fix changed something: {}", case.name);
        }
    }
}

/// Runs the SQL that is printed, as a person would who pastes it into psql.
fn run_fixes(cluster: &Cluster, case: &Case, broken: &Run) {
    let fixes: Vec<_> = ids(case).map(|id| broken.fix(id)).filter(|fix| !fix.is_empty()).collect();
    assert!(!fixes.is_empty(), "no SQL mends {}: {}", case.name, broken.stdout);
    for fix in fixes {
        let connection = cluster.superuser().with_database(case.at);
        psql(&connection.url(), &["-v", "ON_ERROR_STOP=1"], &fix).exits(0);
    }
}

fn clean(workspace: &Workspace, case: &Case) {
    let run = workspace.verify();
    for status in ["fail", "warn"] {
        assert!(run.with_status(status).is_empty(), "not clean after {}: {}", case.name, run.stdout);
    }
    run.exits(0);
}

fn ids(case: &Case) -> impl Iterator<Item = &'static str> {
    case.fails.iter().chain(case.warns).copied()
}
