//! A move while the app works: no transaction of it fails.

use std::{
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tests::{Cluster, connection, scrubbed};

use crate::place::{THEIRS, by_app, in_public, schema_of};

const CLIENTS: usize = 4;

/// Each transaction reads and writes several tables, in an order of its own.
const SCRIPT: &str = "\\set a random(1, 100)
BEGIN;
UPDATE account SET n = n + 1 WHERE id = :a;
SELECT nextval('numbers');
SELECT a.n FROM account a JOIN branch b ON b.id = a.branch WHERE a.id = :a;
UPDATE branch SET n = n + 1 WHERE id = 1 + :a % 10;
SELECT count(*) FROM busy;
INSERT INTO history (client) VALUES (:client_id);
COMMIT;
";

fn through(mode: &str, theirs: &str) {
    let (cluster, workspace) = in_public(
        &(by_app(
            "CREATE TABLE public.branch (id int PRIMARY KEY, n int DEFAULT 0); \
             CREATE TABLE public.account (id int PRIMARY KEY, branch int REFERENCES public.branch, n int DEFAULT 0); \
             CREATE TABLE public.history (id bigserial PRIMARY KEY, client int); CREATE SEQUENCE public.numbers; \
             CREATE VIEW public.busy AS SELECT id FROM public.account WHERE n > 5; \
             INSERT INTO public.branch SELECT generate_series(1, 10); \
             INSERT INTO public.account SELECT i, 1 + i % 10 FROM generate_series(1, 100) i",
        ) + theirs),
    );
    workspace.run(&["db-move", "--prepare"]).exits(0);
    workspace.write("script.sql", SCRIPT);
    let mut pgbench = start(&cluster, &workspace.root().join("script.sql"), mode);
    works(&cluster, "public", 0, &mut pgbench);
    workspace.run(&["db-move", "--tries", "100"]).exits(0);
    assert_eq!(["branch", "account", "history", "busy"].map(|name| schema_of(&cluster, name)), ["aura"; 4]);
    let last = cluster.value("aura_db", "SELECT max(id) FROM aura.history").parse().unwrap();
    works(&cluster, "aura", last, &mut pgbench);
    kill(Pid::from_raw(pgbench.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let output = pgbench.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.to_lowercase().contains("error") && !said.contains("aborted"), "{said}");
}

fn start(cluster: &Cluster, script: &std::path::Path, mode: &str) -> Child {
    let app = connection(&cluster.url("aura_user", "the-app's", "aura_db"));
    scrubbed(cluster.binaries().join("pgbench"))
        .envs(app.libpq_environment())
        .args(["-n", "-M", mode, "-c", &CLIENTS.to_string(), "-j", "2", "-T", "600", "-f"])
        .arg(script)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until every client has ended a transaction after this row.
fn works(cluster: &Cluster, schema: &str, after: i64, pgbench: &mut Child) {
    let sql = format!("SELECT count(DISTINCT client) FROM {schema}.history WHERE id > {after}");
    let deadline = Instant::now() + Duration::from_secs(60);
    while cluster.value("aura_db", &sql) != CLIENTS.to_string() {
        assert!(pgbench.try_wait().unwrap().is_none(), "pgbench has ended");
        assert!(Instant::now() < deadline, "some client does nothing in {schema}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn rename_under_simple_queries() {
    through("simple", "");
}

#[test]
fn rename_under_prepared_queries() {
    through("prepared", "");
}

#[test]
fn statements_under_simple_queries() {
    through("simple", THEIRS);
}

#[test]
fn statements_under_prepared_queries() {
    through("prepared", THEIRS);
}
