//! What a set-up database looks like from outside: to real psql, as the app's role.

use tests::{Cluster, Workspace, psql};

/// A database that was set up, and the administrator who did it.
pub(crate) fn set_up() -> (Cluster, Workspace) {
    let (cluster, workspace) = Cluster::set_up();
    (cluster, workspace)
}

/// The app's tables are in its schema, and the next ones will be, too: it cannot even create in public.
#[track_caller]
pub(crate) fn assert_complete(workspace: &Workspace, situation: &str) {
    assert_placed(workspace, situation);
    let url = workspace.run(&["db-url"]).exits(0);
    let probe = psql(url.line(), &["--set=VERBOSITY=sqlstate", "-c", "CREATE TABLE public.probe (id int)"], "");
    let version: u32 = workspace.value("SHOW server_version_num").parse().unwrap();
    if probe.code == 0 && version < 150_000 {
        // Before 15 every role may, and only a superuser can change that: db-verify warns.
        psql(url.line(), &["-c", "DROP TABLE public.probe"], "").exits(0);
        let warned = workspace.verify().exits(0).with_status("warn");
        assert!(warned.contains(&"public-create".to_owned()), "{situation}: {warned:?}");
    } else {
        // Permission denied.
        probe.exits(1).complains("42501");
    }
}

/// The app's tables are in its schema, and the next ones will be, too, as long as it names no schema.
#[track_caller]
pub(crate) fn assert_placed(workspace: &Workspace, situation: &str) {
    workspace.run(&["db-verify"]).exits(0);
    let url = workspace.run(&["db-url"]).exits(0);
    let url = url.line();
    let listed = psql(url, &["-c", r"\dt aura.*"], "").exits(0);
    let mut listed: Vec<_> = listed.stdout.lines().filter_map(|line| line.split('|').nth(1)).collect();
    listed.sort_unstable();
    assert_eq!(listed, app_tables(workspace), "{situation}");
    let in_public = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(psql(url, &["-c", in_public], "").exits(0).line(), "0", "{situation}");
    assert_lands(workspace, "aura", situation);
}

/// An unqualified CREATE TABLE of the app's role lands in the schema.
#[track_caller]
pub(crate) fn assert_lands(workspace: &Workspace, schema: &str, situation: &str) {
    let url = workspace.run(&["db-url"]).exits(0);
    let probe = "BEGIN; CREATE TABLE probe_of_psql (id int GENERATED ALWAYS AS IDENTITY); \
                 SELECT nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace \
                 WHERE relname = 'probe_of_psql'; ROLLBACK;";
    assert_eq!(psql(url.line(), &["-v", "ON_ERROR_STOP=1"], probe).exits(0).line(), schema, "{situation}");
}

/// The tables of the workspace's migrations, and the one of their bookkeeping; sorted.
pub(crate) fn app_tables(workspace: &Workspace) -> Vec<String> {
    let migrations = std::fs::read_to_string(workspace.root().join("migrations/V1__tables.sql")).unwrap();
    let made = migrations.lines().filter_map(|line| line.strip_prefix("CREATE TABLE ")?.split(' ').next());
    let mut tables: Vec<_> = made.map(str::to_owned).chain(["refinery_schema_history".to_owned()]).collect();
    tables.sort();
    assert_eq!(tables.len(), 25);
    tables
}
