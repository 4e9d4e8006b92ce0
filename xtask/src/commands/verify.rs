//! `db-verify`: proves or refutes that everything is where it belongs.

use pg_config::Project;
use pg_server::Mode;

use crate::{cli::DbVerify, context::Context, outcome::Outcome, report::Reporting, server::Target};

impl DbVerify {
    pub(crate) fn run(self, project: &Project, reporting: &Reporting) -> anyhow::Result<Outcome> {
        let context = Context::new(project, &self.common)?;
        let target = Target::find(&context, Mode::Find)?;
        let patience = target.patience(&context);
        let verdict =
            pg_schema::verify(&target.access, &target.expected, context.wait).map_err(|error| target.explain(error))?;
        drop(patience);
        Ok(reporting.conclude(&context, &target, &verdict))
    }
}
