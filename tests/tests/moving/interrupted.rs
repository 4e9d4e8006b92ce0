//! A move that ends in the middle: nothing moved, or all of it, and the second run ends well.

use std::{
    iter,
    os::unix::process::ExitStatusExt,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use tests::{Cluster, Passage, Proxy, Sender, Workspace, connection};

use crate::place::{THEIRS, by_app, in_public, schema_of};

const TABLES: &str = "CREATE TABLE public.a (id serial PRIMARY KEY); CREATE TABLE public.b (id int REFERENCES public.a); \
     CREATE FUNCTION public.f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.a'";

/// Of the messages of a run every so many are cut.
const STEP: usize = 71;

/// The connection is cut at a message, at each of several places of a whole run.
fn cut(theirs: &str) {
    let (cluster, workspace) = in_public(&(by_app(TABLES) + theirs));
    workspace.run(&["db-move", "--prepare"]).exits(0);
    // Where the messages begin that matter differs with the version. After the last ones of a run all is moved.
    let mut all = 0;
    let count = Arc::new(AtomicU64::new(0));
    for number in iter::once(0).chain((1..).step_by(STEP)) {
        if number > 0 && number >= all {
            return;
        }
        let seen = count.clone();
        let proxy = Proxy::before(cluster.port(), move |message| {
            seen.fetch_max(message.number, SeqCst);
            if message.number == number { Passage::Close } else { Passage::Pass }
        });
        let by = |key: &str| workspace.setting(key).replace(&cluster.port().to_string(), &proxy.port.to_string());
        let behind = Workspace::new()
            .with("DATABASE_URL", &by("DATABASE_URL"))
            .with("ADMIN_DATABASE_URL", &by("ADMIN_DATABASE_URL"));
        let undo = behind.root().join("back.sql");
        let run = behind.run(&["db-move", "--rewrite-functions", "--undo", undo.to_str().unwrap(), "--wait", "0"]);
        let places = ["a", "b"].map(|name| schema_of(&cluster, name));
        assert!(places[0] == places[1] && ["public", "aura"].contains(&places[0].as_str()), "{number}: {places:?}");
        let is_moved = places[0] == "aura";
        assert!(run.code != 0 || is_moved, "{number}: {}", run.stderr);
        assert!(!run.stderr.contains("nothing was moved") || !is_moved, "{number}: {}", run.stderr);
        assert_eq!(undo.exists(), is_moved, "{number}: {}", run.stderr);
        if is_moved {
            assert!(run.code == 0 || run.stderr.contains("the move to aura is done"), "{number}: {}", run.stderr);
            let url = cluster.superuser().with_database("aura_db").url();
            cluster.psql(&url, &["-v", "ON_ERROR_STOP=1", "-f", undo.to_str().unwrap()], "").exits(0);
        } else {
            workspace.run(&["db-move", "--rewrite-functions", "--undo", undo.to_str().unwrap()]).exits(0);
            return_to_public(&cluster, &undo);
        }
        if number == 0 {
            assert_eq!(run.code, 0, "{}", run.stderr);
            all = count.load(SeqCst);
        }
    }
}

/// What was committed counts, though the connection ended before the server's answer came.
#[test]
fn a_commit_whose_answer_is_lost_on_its_way_is_done() {
    let (cluster, workspace) = in_public(&by_app(TABLES));
    let (renamed_on, is_cut) = (AtomicU64::new(0), Arc::new(AtomicBool::new(false)));
    let proxy = Proxy::before(cluster.port(), {
        let is_cut = is_cut.clone();
        move |message| {
            let completes = |tag: &[u8]| message.tag == Some(b'C') && message.bytes[5..].starts_with(tag);
            match message.sender {
                Sender::Server if completes(b"ALTER SCHEMA") => renamed_on.store(message.connection, SeqCst),
                Sender::Server if completes(b"COMMIT") && renamed_on.load(SeqCst) == message.connection => {
                    is_cut.store(true, SeqCst);
                    return Passage::Close;
                }
                _ => {}
            }
            Passage::Pass
        }
    });
    let by = |key: &str| workspace.setting(key).replace(&cluster.port().to_string(), &proxy.port.to_string());
    let behind = Workspace::new()
        .with("DATABASE_URL", &by("DATABASE_URL"))
        .with("ADMIN_DATABASE_URL", &by("ADMIN_DATABASE_URL"));
    let undo = behind.root().join("back.sql");
    behind.run(&["db-move", "--rewrite-functions", "--undo", undo.to_str().unwrap()]).exits(0);
    assert!(is_cut.load(SeqCst), "the answer was not lost");
    assert!(undo.exists() && schema_of(&cluster, "a") == "aura");
}

/// A run is killed at its COMMIT, before it or after it. The next one, which has the same file for its undo, ends well.
#[test]
fn killed_at_its_commit_the_second_run_ends_well() {
    for is_after in [false, true] {
        let (cluster, workspace) = in_public(&by_app(TABLES));
        let undo = workspace.root().join("back.sql");
        let child = Arc::new(AtomicI32::new(0));
        let proxy = Proxy::before(cluster.port(), {
            let (child, undo) = (child.clone(), undo.clone());
            let renamed_on = AtomicU64::new(0);
            move |message| {
                let is = |tag: u8, begin: &[u8]| message.tag == Some(tag) && message.bytes[5..].starts_with(begin);
                let is_the_moves = renamed_on.load(SeqCst) == message.connection && undo.exists();
                match message.sender {
                    Sender::Server if is(b'C', b"ALTER SCHEMA") => renamed_on.store(message.connection, SeqCst),
                    Sender::Server if is_after && is_the_moves && is(b'C', b"COMMIT") => return kill(&child),
                    Sender::Client if !is_after && is_the_moves && is(b'Q', b"COMMIT") => return kill(&child),
                    _ => {}
                }
                Passage::Pass
            }
        });
        let by = |key: &str| workspace.setting(key).replace(&cluster.port().to_string(), &proxy.port.to_string());
        let mut command = workspace.command(&["db-move", "--rewrite-functions", "--undo", undo.to_str().unwrap()]);
        command.env("DATABASE_URL", by("DATABASE_URL")).env("ADMIN_DATABASE_URL", by("ADMIN_DATABASE_URL"));
        let mut run = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        child.store(run.id().try_into().unwrap(), SeqCst);
        assert_eq!(run.wait().unwrap().signal(), Some(9));
        let left = std::fs::read_to_string(&undo).unwrap();
        let again = workspace.run(&["db-move", "--rewrite-functions", "--undo", undo.to_str().unwrap()]).exits(0);
        assert_eq!(["a", "b"].map(|name| schema_of(&cluster, name)), ["aura"; 2]);
        assert_eq!(again.stdout.contains("nothing to move"), is_after, "{}", again.stdout);
        assert_eq!(left == std::fs::read_to_string(&undo).unwrap(), is_after);
        return_to_public(&cluster, &undo);
        assert_eq!(schema_of(&cluster, "a"), "public");
        // What takes back a move that was done is kept.
        workspace.run(&["db-move", "--rewrite-functions", "--undo", undo.to_str().unwrap()]).exits(1);
    }
}

fn kill(child: &AtomicI32) -> Passage {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.load(SeqCst)), nix::sys::signal::Signal::SIGKILL).unwrap();
    Passage::Close
}

fn return_to_public(cluster: &Cluster, undo: &std::path::Path) {
    if schema_of(cluster, "a") == "aura" && undo.exists() {
        let url = cluster.superuser().with_database("aura_db").url();
        cluster.psql(&url, &["-v", "ON_ERROR_STOP=1", "-f", undo.to_str().unwrap()], "").exits(0);
    }
}

#[test]
fn cut_anywhere_by_rename() {
    cut("");
}

#[test]
fn cut_anywhere_by_statements() {
    cut(THEIRS);
}

#[test]
fn killed_while_it_waits_nothing_moved() {
    let (cluster, workspace) = in_public(&(by_app(TABLES) + THEIRS));
    workspace.run(&["db-move", "--prepare"]).exits(0);
    let app = connection(&cluster.url("aura_user", "the-app's", "aura_db"));
    let mut reader = pg_config::connect(&app).unwrap();
    reader.client.batch_execute("BEGIN; SELECT * FROM public.b").unwrap();
    let arguments = ["db-move", "--rewrite-functions", "--tries", "1000"];
    let mut child = workspace.command(&arguments).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'";
    while cluster.value("aura_db", waits) == "0" {
        assert!(child.try_wait().unwrap().is_none());
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reader.client.batch_execute("COMMIT").unwrap();
    assert_eq!(["a", "b"].map(|name| schema_of(&cluster, name)), ["public"; 2]);
    workspace.run(&["db-move", "--rewrite-functions"]).exits(0);
    assert_eq!(["a", "b"].map(|name| schema_of(&cluster, name)), ["aura"; 2]);
}

#[test]
fn what_the_app_cannot_use_is_taken_back() {
    for theirs in ["", THEIRS] {
        // No catalog knows what a function puts together, and the planner calls it.
        let (cluster, workspace) = in_public(
            &(by_app(
                "CREATE TABLE public.a (id int); CREATE FUNCTION public.k() RETURNS int IMMUTABLE LANGUAGE plpgsql AS \
                   $$DECLARE n int; BEGIN EXECUTE 'SELECT count(*) FROM pub' || 'lic.a' INTO n; RETURN n; END$$; \
                 CREATE VIEW public.v AS SELECT * FROM public.a WHERE id = public.k()",
            ) + theirs),
        );
        workspace.run(&["db-move", "--prepare"]).exits(0);
        let before = cluster.dump("aura_db");
        let undo = workspace.root().join("back.sql");
        let run = workspace.run(&["db-move", "--undo", undo.to_str().unwrap()]).exits(1);
        assert!(before == cluster.dump("aura_db"), "{}", run.stderr);
        assert!(!undo.exists());
        if theirs.is_empty() {
            run.shows("taken-back");
        }
        workspace.run(&["db-move", "--allow-broken"]).exits(0).complains("as --allow-broken allows");
        assert_eq!(schema_of(&cluster, "v"), "aura");
    }
}
