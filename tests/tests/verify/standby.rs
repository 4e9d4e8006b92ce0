//! A server that can only be read: verified as far as it goes, and not set up.

use tests::{Cluster, become_standby};

use crate::case::{CASE, set_up_on};

#[test]
fn a_standby_is_verified_and_not_set_up() {
    let cluster = Cluster::start_with(&[("wal_level", "replica"), ("hot_standby", "on")]);
    let workspace = set_up_on(&cluster, &CASE);
    let mut server = become_standby(&cluster);

    let run = workspace.verify().exits(0).shows("standby");
    assert_eq!(run.with_status("warn"), ["server"]);
    assert_eq!(run.check("search-path")["status"], "pass", "{}", run.stdout);
    workspace.run(&["db-setup"]).exits(1).shows("setup-on-a-standby");
    drop(cluster);
    // The cluster's guard may have reaped it already.
    let _ = server.wait();
}
