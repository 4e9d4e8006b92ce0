//! A cluster that does not run: many servers begin with a copy of its data.

use std::{fs, path::Path};

use pg_server::{Binaries, ClusterTemplate, template};

use crate::{Cluster, binaries::programs_of, cluster::WAIT, directory::scratch};

/// The data of a cluster, and the programs that serve them.
pub struct Stopped {
    template: ClusterTemplate,
    binaries: Binaries,
}

impl Stopped {
    /// What initdb of a major version makes. A version that is not there is skipped.
    pub fn empty(major: u32) -> Option<Self> {
        let binaries = programs_of(major)?;
        let template = template(&scratch("templates"), &binaries, WAIT, &mut |_| {}).unwrap();
        Some(Self { template, binaries })
    }

    /// A server on a copy, with further settings.
    pub fn start(&self, settings: &[(&str, &str)]) -> Cluster {
        Cluster::copy(&self.template, &self.binaries, settings)
    }

    /// The same with its copy in a directory that is not there yet.
    pub fn start_in(&self, directory: &Path, settings: &[(&str, &str)]) -> Cluster {
        Cluster::copy_to(directory, &self.template, &self.binaries, settings)
    }

    /// What a copy comes to by a change made on a server.
    pub fn changed(&self, change: impl FnOnce(&Cluster)) -> Self {
        let cluster = self.start(&[]);
        change(&cluster);
        Self { template: cluster.into_template(), binaries: self.binaries.clone() }
    }

    /// Deletes the data.
    pub fn delete(self) {
        let _ = fs::remove_dir_all(self.template.data().parent().unwrap());
    }
}
