//! Whether a server that is named is one of ours, which may be stopped by now.

use std::path::Path;

use pg_config::{Address, Host};

use crate::{container::ContainerRecord, data_dir::DataDir, engine};

/// Where the servers of a data directory were last started. While such a one is stopped, any program may listen there.
#[derive(Default)]
pub struct StartedAddresses {
    clusters: Vec<u16>,
    containers: Vec<ContainerRecord>,
}

impl StartedAddresses {
    /// What a data directory has of it; nothing where there is none.
    pub fn read(data_dir: &Path) -> Self {
        let Ok(Some((data_dir, _))) = DataDir::open_as_it_is(data_dir) else { return Self::default() };
        let clusters = data_dir.clusters().unwrap_or_default();
        Self {
            clusters: clusters.iter().filter_map(|cluster| cluster.kept_port()).collect(),
            containers: ContainerRecord::all(&data_dir).unwrap_or_default(),
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
                let remote = engine::remote_host(&kept.engine);
                let is_there = is_here || remote.is_some_and(|remote| remote.eq_ignore_ascii_case(&host.to_string()));
                is_there && kept.port == Some(*port)
            })
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use serde_json::json;

    use super::*;

    #[test]
    fn a_container_is_at_its_engines_host_alone() {
        let directory = env::temp_dir().join(format!("pg-server-addresses-{}", process::id()));
        fs::create_dir(&directory).unwrap();
        let record = |engine: &str| {
            let record = json!({ "image": "postgres", "durable": "no", "engine": engine, "port": 20000 });
            fs::write(directory.join("container.json"), record.to_string()).unwrap();
            StartedAddresses {
                clusters: Vec::new(),
                containers: vec![ContainerRecord::read(directory.clone()).unwrap().unwrap()],
            }
        };
        let remote = record("tcp://10.0.0.12:2376");
        let here = record("unix:///var/run/docker.sock");
        let has = |recorded: &StartedAddresses, host: &str, port| {
            recorded.has(&Address { host: Host::Tcp(host.into()), port })
        };
        assert!(has(&remote, "10.0.0.12", 20000));
        for (host, port) in [("10.0.0.1", 20000), ("0.0.12", 20000), ("tcp", 20000), ("10.0.0.12", 20001)] {
            assert!(!has(&remote, host, port), "{host}:{port}");
        }
        assert!(has(&here, "localhost", 20000) && !has(&here, "docker", 20000));
        fs::remove_dir_all(directory).unwrap();
    }
}
