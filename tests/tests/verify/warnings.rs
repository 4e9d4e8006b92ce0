//! What the server warns of while it is set up and migrated.

use tests::{Cluster, Workspace};

#[test]
fn what_the_migrations_warn_of_is_in_the_report() {
    let cluster = Cluster::start();
    let command = "psql -X -q -v ON_ERROR_STOP=1 -c 'CREATE TABLE IF NOT EXISTS one (id int)' \
                   -c \"DO 'BEGIN RAISE WARNING ''mind the gap''; END'\"; echo 'no WARNING: of this kind'; echo 'WARNINGS: none'";
    let workspace = Workspace::on(&cluster).with("MIGRATE_COMMAND", command);
    let setup = workspace.run(&["db-setup", "--format", "json"]).exits(0);
    assert_eq!(setup.with_status("warn"), ["migrations"], "{}", setup.stdout);
    setup.shows("warning-of-the-migrations");
    // It is no failure: the run is recorded, and the next one skips the command.
    workspace.run(&["db-setup"]).exits(0).shows("next-setup");
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
    // With `-v`, too.
    let setup = workspace.run(&["db-migrate", "--format", "json", "-v"]).exits(0);
    assert_eq!(setup.with_status("warn"), ["migrations"], "{}", setup.stdout);
}
