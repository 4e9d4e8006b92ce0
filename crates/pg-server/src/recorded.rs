//! Whether a server that is named is one of ours, which may be stopped by now.

use std::path::Path;

use pg_config::{Address, Host};

use crate::{container::Kept, data_dir::DataDir};

/// Where the servers of a data directory were last started. While such a one is stopped, any program may listen there.
#[derive(Default)]
pub struct Recorded {
    clusters: Vec<u16>,
    containers: Vec<Kept>,
}

impl Recorded {
    /// What a data directory has of it; nothing where there is none.
    pub fn read(data_dir: &Path) -> Self {
        let Ok(Some((data_dir, _))) = DataDir::open_as_it_is(data_dir) else { return Self::default() };
        let clusters = data_dir.clusters().unwrap_or_default();
        Self {
            clusters: clusters.iter().filter_map(|cluster| cluster.kept_port()).collect(),
            containers: Kept::all(&data_dir).unwrap_or_default(),
        }
    }

    /// Whether one of them was at this address.
    pub fn has(&self, Address { host, port }: &Address) -> bool {
        // The socket is in a directory that only the server's user can write to.
        if matches!(host, Host::Unix(_)) {
            return false;
        }
        let is_here = host.is_this_machine();
        is_here && self.clusters.contains(port)
            || self.containers.iter().any(|kept| {
                let is_there = is_here || kept.engine.contains(&host.to_string());
                is_there && kept.port == Some(*port)
            })
    }
}
