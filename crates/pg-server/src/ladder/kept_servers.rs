//! What is kept of this workspace's servers that do not run, and which data are to go on with.

use pg_config::ServerChoice;

use crate::{
    ContainerSettings, EngineError, Request, Rung, Skipped, container::ContainerRecord, local::cluster::Cluster,
    other_data, shell_word,
};

/// What is kept of servers that do not run, those first that were started last.
#[derive(Default)]
pub(super) struct KeptServers {
    /// Those of the version that `PG_BIN_DIR` means.
    pub(super) clusters: Vec<Cluster>,
    /// The cluster that was started last, of whatever version.
    pub(super) current_cluster: Option<Cluster>,
    pub(super) containers: Vec<ContainerRecord>,
    /// The container whose engine did not say how it is, and why not.
    pub(super) unasked: Option<(String, EngineError)>,
    /// The name of the one that was started last.
    pub(super) current: String,
}

impl KeptServers {
    /// The cluster whose data are this workspace's: a container would begin with none.
    pub(super) fn goes_on(&self, choice: ServerChoice) -> Option<&Cluster> {
        self.current_cluster.as_ref().filter(|_| choice == ServerChoice::Auto)
    }

    /// The container whose data are this workspace's, where the image is another now and nobody has chosen that.
    pub(super) fn goes_on_by_default(&self, containers: &ContainerSettings<'_>) -> Option<&ContainerRecord> {
        let current = self.containers.iter().find(|kept| kept.name() == self.current && kept.holds_data());
        current.filter(|kept| containers.image_is_default && kept.image != containers.image)
    }

    /// The container whose data are this workspace's, where one of another image would be started without them.
    pub(super) fn of_another_image(&self, containers: &ContainerSettings<'_>) -> Option<&ContainerRecord> {
        let first = self.containers.iter().find(|kept| kept.holds_data()).filter(|_| self.is_new(containers));
        self.goes_on_by_default(containers).or(first)
    }

    /// Whether no container of this image has data.
    pub(super) fn is_new(&self, containers: &ContainerSettings<'_>) -> bool {
        !self.containers.iter().any(|kept| kept.holds_data() && kept.image == containers.image)
    }

    /// The container whose data are this workspace's: a cluster would begin with none.
    pub(super) fn left(&self, choice: ServerChoice) -> Option<&ContainerRecord> {
        let mut started = self.containers.iter().filter(|kept| kept.holds_data());
        // One that came up later than it was waited for is found again, and was never noted as started.
        let is_meant = |kept: &&ContainerRecord| self.current.is_empty() || kept.name() == self.current;
        started.find(is_meant).filter(|_| choice == ServerChoice::Auto)
    }

    /// Why nothing serves, where nothing may be started.
    pub(super) fn not_running(&self, request: &Request<'_>) -> Vec<Skipped> {
        let choice = request.choice;
        let container = if choice == ServerChoice::Local { None } else { self.no_container(&request.containers) };
        let cluster = if choice == ServerChoice::Container { None } else { self.no_cluster() };
        let mut skipped: Vec<_> = container.into_iter().chain(cluster).collect();
        if skipped.is_empty() {
            let rung = if choice == ServerChoice::Container { Rung::Container } else { Rung::Local };
            let none = Skipped::new(rung, "no server was started for this workspace yet");
            skipped.push(none.unless("start one: cargo xtask db-setup"));
        }
        skipped
    }

    fn no_container(&self, containers: &ContainerSettings<'_>) -> Option<Skipped> {
        let first = self.containers.first()?;
        let skipped = |reason| Skipped::new(Rung::Container, reason);
        Some(match (&self.unasked, self.of_another_image(containers)) {
            (_, Some(kept)) => {
                let whose = if containers.image_is_default { ", the default" } else { "" };
                let place = other_data::place(kept);
                skipped(format!("{place}. POSTGRES_IMAGE is {}{whose}", containers.image)).unless(format!(
                    "to use these data, set POSTGRES_IMAGE={}\n  help: see what else can be done: cargo xtask db-setup",
                    shell_word(&kept.image)
                ))
            }
            (Some((name, error)), None) => {
                skipped(format!("the container {name} was not looked at: {}", error.reason)).unless(&error.remedy)
            }
            (None, None) => {
                let kept = self.containers.iter().find(|kept| kept.image == containers.image).unwrap_or(first);
                skipped(format!("the container {} of {} does not run", kept.name(), kept.image)).unless(STARTS)
            }
        })
    }

    fn no_cluster(&self) -> Option<Skipped> {
        let place = |cluster: &Cluster| format!("{} (PostgreSQL {})", cluster.data().display(), cluster.name());
        let skipped = |reason| Skipped::new(Rung::Local, reason);
        match (self.clusters.first(), &self.current_cluster) {
            (Some(cluster), _) => Some(skipped(format!("the server of {} is stopped", place(cluster))).unless(STARTS)),
            // Another one may run: it is not what PG_BIN_DIR asks for.
            (None, Some(cluster)) => {
                let reason =
                    format!("the data of this workspace are in {}. PG_BIN_DIR is of another version", place(cluster));
                let remedy = format!("unset PG_BIN_DIR, or set it to the directory of PostgreSQL {}", cluster.name());
                Some(skipped(reason).unless(remedy))
            }
            (None, None) => None,
        }
    }
}

const STARTS: &str = "start it: cargo xtask db-setup";
