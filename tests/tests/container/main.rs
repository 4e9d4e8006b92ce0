//! Servers in containers, with a real engine: one file a subject. What they serve is the same on every rung, and the
//! suites `setup` and `verify` run there too (`TESTS_SERVER=container:18`).

#![expect(clippy::unwrap_used, reason = "a test has nobody to tell but its reader")]

mod concurrency;
mod configuration;
mod day;
mod engines;
mod ephemeral;
mod killed;
mod other_data;
mod restart;
mod secrets;
mod volumes;

use tests::Workspace;

/// Puts a row into the workspace's database, by `db-psql`.
#[track_caller]
fn keep_something(workspace: &Workspace) {
    let insert = "INSERT INTO artworks_arttype (name, created_at) VALUES ('kept', now())";
    workspace.run(&["db-psql", "--", "-c", insert]).exits(0);
}

/// It is there.
#[track_caller]
fn assert_kept(workspace: &Workspace) {
    assert_eq!(workspace.value("SELECT name FROM artworks_arttype WHERE name = 'kept'"), "kept");
}
