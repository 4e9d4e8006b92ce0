//! `db-verify`: proves or refutes that everything is where it belongs.

use std::time::Instant;

use pg_config::Project;
use pg_server::Mode;

use crate::{cli::DbVerify, context::Context, outcome::Outcome, report, server::Target};

impl DbVerify {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Context::new(project, &self.common)?;
        let started = Instant::now();
        let target = Target::find(&context, Mode::Find)?;
        let patience = target.patience(&context);
        let verdict =
            pg_schema::verify(&target.access, &target.expected, context.wait).map_err(|error| target.explain(error))?;
        drop(patience);
        Ok(report::conclude(&context, &target, self.format, &verdict, started))
    }
}
