//! `bench`: the performance table, measured side by side in one run.

use pg_config::Project;

use crate::{cli::Bench, outcome::Outcome};

impl Bench {
    pub(crate) fn run(self, _project: &Project) -> anyhow::Result<Outcome> {
        anyhow::bail!("not yet {self:?}")
    }
}
