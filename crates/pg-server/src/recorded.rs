//! Whether a server that is named is one of ours, which may be stopped by now.

use std::path::Path;

use pg_config::{Address, Host};

use crate::{container::Kept, data_dir::DataDir};

/// Whether a server of this data directory was last started at this address. While it is stopped, any program may
/// listen there.
pub fn was_started_at(data_dir: &Path, address: &Address) -> bool {
    let Address { host, port } = address;
    // The socket is in a directory that only the server's user can write to.
    if matches!(host, Host::Unix(_)) {
        return false;
    }
    let Ok(Some(data_dir)) = DataDir::open(data_dir) else { return false };
    let clusters = data_dir.clusters().unwrap_or_default();
    let containers = Kept::all(&data_dir).unwrap_or_default();
    let is_here = host.is_this_machine();
    is_here && clusters.iter().any(|cluster| cluster.kept_port() == Some(*port))
        || containers.iter().any(|kept| {
            let is_there = is_here || kept.engine.contains(&host.to_string());
            is_there && kept.port == Some(*port)
        })
}
