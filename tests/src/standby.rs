//! A server that can only be read.

use std::process::Child;

use nix::sys::signal::Signal;

use crate::Cluster;

/// Ends the server, and starts it again with the same arguments as a standby without a primary. It ends with the
/// cluster, which must have been started with `wal_level` replica and `hot_standby`.
pub fn become_standby(cluster: &Cluster) -> Child {
    let mut postmaster = cluster.postmaster();
    postmaster.end(Signal::SIGINT);
    postmaster.touch("standby.signal");
    postmaster.start()
}
