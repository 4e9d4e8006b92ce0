//! A way to break a database as a value: what it does, what must be found, and what must fix it.

use tests::{Cluster, Run, Workspace, psql, shows};

/// One way to break a database that was set up, and what must come of it.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// The first major version of PostgreSQL that has such a thing.
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
    /// What fixes it.
    pub(crate) fix: Fix,
    /// What `db-setup` does about it.
    pub(crate) setup: Setup,
}

/// What fixes a finding.
#[derive(Clone, Copy)]
pub(crate) enum Fix {
    /// The SQL that is printed, and `--fix`, which runs it.
    Sql,
    /// The SQL that is printed. It drops, moves or ends something: `--fix` leaves it to a person.
    ByHand,
    /// The SQL that is printed for a part of it, the command `db-move` with these options, which the message names, and then
    /// `--fix`: what was moved may still be another role's.
    Move(&'static [&'static str]),
    /// The SQL that is printed, of which `--fix` runs a part.
    HalfByHand,
    /// This command, which the message names.
    Command(&'static [&'static str]),
    /// The SQL for a part of it; a person for the rest, where no SQL is printed.
    Partly,
    /// A person: no SQL is printed.
    Person,
}

/// What `db-setup` does to the broken database.
#[derive(Clone, Copy)]
pub(crate) enum Setup {
    /// It fixes everything.
    Fixes,
    /// It ends with exit code 3, as these checks still fail.
    Fails(&'static [&'static str]),
    /// It ends with exit code 0, and these checks still warn.
    Warns(&'static [&'static str]),
    /// It ends with exit code 1.
    Refuses,
}

/// What most cases have in common.
pub(crate) const CASE: Case = Case {
    since: 13,
    environment: &[],
    url: "",
    at: "aura_db",
    breaks: "",
    fails: &[],
    warns: &[],
    fix: Fix::Sql,
    setup: Setup::Fixes,
};

/// Makes a test of each case of a group. Its screen has the test's name, in a directory with the group's name.
macro_rules! cases {
    (mod $group:ident; $(fn $test:ident() = $case:expr;)+) => {
        mod $group {
            use super::*;

            $(#[test]
            fn $test() {
                $crate::case::check(concat!(stringify!($group), "/", stringify!($test)), &$case);
            })+
        }
    };
}
pub(crate) use cases;

/// Runs a case on three servers of its own: for the SQL that is printed, for `--fix`, and for `db-setup`.
#[track_caller]
pub(crate) fn check(name: &str, case: &Case) {
    let (cluster, workspace) = set_up(case);
    let version: u32 = cluster.value("postgres", "SHOW server_version_num").parse().unwrap();
    if version / 10_000 < case.since {
        return;
    }
    cluster.sql(case.at, case.breaks);
    let found = found(&workspace, case);
    by_the_printed_fix(&cluster, &workspace, case, &found);

    if matches!(case.fix, Fix::Sql | Fix::ByHand | Fix::Move(_) | Fix::Person) {
        let (cluster, workspace) = broken(case);
        by_fix(&cluster, &workspace, case);
    }

    let (_cluster, workspace) = broken(case);
    let setup = workspace.run(&["db-setup", "--format", "json"]);
    let mut screens = found.screen();
    match case.setup {
        Setup::Fixes => {
            setup.exits(0);
            assert_clean(&workspace);
        }
        Setup::Fails(ids) => {
            let setup = setup.exits(3);
            assert_eq!(setup.with_status("fail"), ids, "{}", setup.stdout);
        }
        Setup::Warns(ids) => {
            let setup = setup.exits(0);
            assert_eq!(setup.with_status("warn"), ids, "{}", setup.stdout);
        }
        Setup::Refuses => screens += &setup.exits(1).screen(),
    }
    shows(&name.replace('_', "-"), &screens);
}

/// A verified database on a server of its own, which has a role `other` too.
pub(crate) fn set_up(case: &Case) -> (Cluster, Workspace) {
    if case.environment.is_empty() && case.url.is_empty() {
        let (cluster, workspace) = Cluster::set_up();
        cluster.sql("postgres", "CREATE ROLE other");
        return (cluster, workspace.with("DB_DRIFT_IGNORE", "*"));
    }
    let cluster = Cluster::start();
    let workspace = set_up_on(&cluster, case);
    (cluster, workspace)
}

/// The same on a server with settings of its own.
pub(crate) fn set_up_on(cluster: &Cluster, case: &Case) -> Workspace {
    cluster.sql("postgres", "CREATE ROLE other");
    let url = cluster.url("aura_user", "the-app's", "aura_db") + case.url;
    // What a case adds to the schema is the affair of the check that it is about.
    let workspace = Workspace::on(cluster).with("DATABASE_URL", &url).with("DB_DRIFT_IGNORE", "*");
    let workspace = case.environment.iter().fold(workspace, |workspace, (key, value)| workspace.with(key, value));
    workspace.run(&["db-setup"]).exits(0);
    workspace
}

/// Such a database, which the case broke.
fn broken(case: &Case) -> (Cluster, Workspace) {
    let (cluster, workspace) = set_up(case);
    cluster.sql(case.at, case.breaks);
    (cluster, workspace)
}

/// What is found, which must be exactly what the case says.
#[track_caller]
fn found(workspace: &Workspace, case: &Case) -> Run {
    let run = workspace.verify();
    assert_eq!(run.with_status("fail"), case.fails, "{}", run.stdout);
    assert_eq!(run.with_status("warn"), case.warns, "{}", run.stdout);
    run.exits(if case.fails.is_empty() { 0 } else { 3 })
}

/// The SQL that is printed, or the command, leaves nothing to find, as far as the case says so.
#[track_caller]
fn by_the_printed_fix(cluster: &Cluster, workspace: &Workspace, case: &Case, found: &Run) {
    match case.fix {
        Fix::Sql | Fix::ByHand => {
            run_fixes(cluster, case, found);
            assert_clean(workspace);
        }
        Fix::Move(options) => {
            if ids(case).any(|id| !found.fix(id).is_empty()) {
                run_fixes(cluster, case, found);
            }
            let command: Vec<_> = ["db-move"].iter().chain(options).copied().collect();
            assert!(found.stdout.contains("; run cargo xtask db-move"), "{}", found.stdout);
            workspace.run(&command).exits(0);
            workspace.run(&["db-verify", "--fix"]).exits(0);
            assert_clean(workspace);
        }
        Fix::HalfByHand => {
            run_fixes(cluster, case, found);
            // A finding that the worse one hid has SQL of its own.
            let left = workspace.verify().exits(0);
            if !left.with_status("warn").is_empty() {
                run_fixes(cluster, case, &left);
            }
            assert_clean(workspace);
        }
        Fix::Partly => {
            run_fixes(cluster, case, found);
            let left = workspace.verify().exits(3);
            for id in left.with_status("fail") {
                assert_eq!(left.fix(&id), "", "{id}");
            }
        }
        Fix::Person => {
            for id in ids(case) {
                assert_eq!(found.fix(id), "", "{id}");
            }
        }
        Fix::Command(command) => {
            workspace.run(command).exits(0);
            assert_clean(workspace);
        }
    }
}

/// `--fix` fixes what it may, and changes nothing where it may not.
#[track_caller]
fn by_fix(cluster: &Cluster, workspace: &Workspace, case: &Case) {
    let state = || (cluster.globals(), cluster.value("postgres", "SELECT count(*) FROM pg_database"));
    let before = state();
    let dry = workspace.run(&["db-verify", "--fix", "--dry-run"]);
    assert!(before == state(), "--dry-run changed something");
    let fixed = workspace.run(&["db-verify", "--fix", "--format", "json"]);
    let has_statements = dry.stdout.contains("BEGIN;\n-- ");
    match case.fix {
        Fix::Sql => {
            assert!(has_statements, "{}", dry.stdout);
            fixed.exits(0);
            assert_clean(workspace);
        }
        _ => {
            assert!(!has_statements, "{}", dry.stdout);
            assert_eq!(fixed.with_status("fail"), case.fails);
            assert!(before == state(), "--fix changed something");
        }
    }
}

/// Runs the SQL that is printed, as a person would who pastes it into psql.
#[track_caller]
fn run_fixes(cluster: &Cluster, case: &Case, found: &Run) {
    let fixes: Vec<_> = ids(case).map(|id| found.fix(id)).filter(|fix| !fix.is_empty()).collect();
    assert!(!fixes.is_empty(), "no SQL fixes it: {}", found.stdout);
    for fix in fixes {
        let connection = cluster.superuser().with_database(case.at);
        psql(&connection.url(), &["-v", "ON_ERROR_STOP=1"], &fix).exits(0);
    }
}

#[track_caller]
fn assert_clean(workspace: &Workspace) {
    let run = workspace.verify();
    for status in ["fail", "warn"] {
        assert!(run.with_status(status).is_empty(), "{}", run.stdout);
    }
    run.exits(0);
}

fn ids(case: &Case) -> impl Iterator<Item = &'static str> {
    case.fails.iter().chain(case.warns).copied()
}
