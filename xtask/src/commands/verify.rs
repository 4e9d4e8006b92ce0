//! `db-verify`: proves or refutes that everything is where it belongs, and mends what is safe to mend.

mod fix;

use std::time::Duration;

use anyhow::Context as _;
use pg_config::{EnvFile, Environment, Project};
use pg_schema::Verdict;
use pg_server::Mode;
use pg_setup::Target;

use self::fix::{fix, script};
use crate::{
    cli::DbVerify,
    context::Context,
    outcome::Outcome,
    report::Reporting,
    terminal::{STRONG, Terminal},
};

impl DbVerify {
    pub(crate) fn run(self, project: &Project, reporting: &Reporting) -> anyhow::Result<Outcome> {
        if let Some(id) = &self.explain {
            // Whoever asks may have no server, and a configuration that is wrong: neither is looked at.
            let environment = Environment::read(project, &EnvFile::Ignored)?;
            print_explanation(Terminal::new(self.common.output, &environment), id)?;
            return Ok(Outcome::Well);
        }
        let context = Context::new(project, &self.common)?;
        let target = Target::find(&context, Mode::Find)?;
        let mut verdict = verify(&context, &target)?;
        if self.fix && self.dry_run {
            context.terminal.print(script(&verdict.report, &target).trim_end());
            return Ok(Outcome::of_report(&verdict.report));
        }
        if self.fix && verdict.report.has_safe_fix() {
            fix(&context, &target, Duration::from_secs(self.lock_wait))?;
            verdict = verify(&context, &target)?;
        }
        Ok(reporting.conclude(&context, &target, &verdict))
    }
}

fn verify(context: &Context, target: &Target) -> anyhow::Result<Verdict> {
    let _patience = target.patience(context);
    pg_schema::verify(&target.access, &target.expected, context.wait).map_err(|error| target.explain(error))
}

fn print_explanation(terminal: Terminal, id: &str) -> anyhow::Result<()> {
    let text = pg_schema::explain(id).with_context(|| format!("no check is called {id}"))?;
    let is_heading = |line: &str| !line.is_empty() && !line.starts_with(' ');
    let painted = text.lines().map(|line| match is_heading(line) {
        true => terminal.paint(STRONG, line),
        false => line.to_owned(),
    });
    terminal.print(&painted.collect::<Vec<_>>().join("\n"));
    Ok(())
}
