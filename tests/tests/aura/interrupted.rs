//! A migrate run that is killed at any moment leaves whole migrations, and the next one finishes.

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tests::Cluster;

use crate::{count, database, migrate};

#[test]
fn a_killed_run_is_finished_by_the_next() {
    let cluster = Cluster::start();
    let program = env!("CARGO_BIN_EXE_twin-aura");
    let start = |url: &str| {
        Command::new(program)
            .arg("migrate")
            .env("DATABASE_URL", url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    // How long a whole run takes here says when to kill the others.
    let url = database(&cluster, "whole");
    let begin = Instant::now();
    assert!(start(&url).wait().unwrap().success());
    let whole = begin.elapsed();

    let mut unfinished = 0;
    for round in 0..16_u32 {
        let name = format!("killed_{round}");
        let url = database(&cluster, &name);
        let mut run = start(&url);
        thread::sleep(whole * round / 16);
        run.kill().unwrap();
        run.wait().unwrap();

        let mut client = aura::connect(&url).unwrap();
        // The dead run's session may still be at work: nothing of it is seen before it ends.
        let before = aura::status(&mut client).unwrap();
        unfinished += u32::from(!before.is_complete());
        migrate(&mut client).unwrap();
        assert!(aura::status(&mut client).unwrap().is_complete(), "{name}");
        assert_eq!(count(&mut client, "SELECT count(*) FROM pg_tables WHERE schemaname = 'aura'"), 25, "{name}");
        assert_eq!(count(&mut client, "SELECT count(*) FROM refinery_schema_history"), 2, "{name}");
        let twice =
            "SELECT count(*) FROM (SELECT FROM artworks_support GROUP BY lower(name) HAVING count(*) > 1) AS twice";
        assert_eq!(count(&mut client, twice), 0, "{name}");
    }
    assert!(unfinished > 0, "some runs were killed before their end ({whole:?})");
}

#[test]
fn a_server_that_ends_the_session_leaves_no_half() {
    let cluster = Cluster::start();
    let url = database(&cluster, "ended");
    for pause in [0, 5, 10, 20, 40] {
        let run = thread::spawn({
            let url = url.clone();
            move || aura::connect(&url).and_then(|mut client| migrate(&mut client))
        });
        thread::sleep(Duration::from_millis(pause));
        cluster.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'aura_user'");
        let _ = run.join().unwrap();
        let mut client = aura::connect(&url).unwrap();
        let tables = count(
            &mut client,
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'aura' AND tablename NOT LIKE 'refinery%'",
        );
        assert!([0, 24].contains(&tables), "{tables} of 24 tables");
    }
    let mut client = aura::connect(&url).unwrap();
    migrate(&mut client).unwrap();
    assert!(aura::status(&mut client).unwrap().is_complete());
}
