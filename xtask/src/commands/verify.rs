//! `db-verify`: proves or refutes that everything is where it belongs.

use std::time::Instant;

use anyhow::Context as _;
use pg_config::{EnvFile, Environment, Project};
use pg_server::Mode;

use crate::{
    cli::DbVerify,
    context::Context,
    outcome::Outcome,
    report,
    server::Target,
    terminal::{STRONG, Terminal},
};

impl DbVerify {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        if let Some(id) = &self.explain {
            // Whoever asks may have no server, and a configuration that is wrong: neither is looked at.
            let environment = Environment::read(project, &EnvFile::Ignored)?;
            print_explanation(Terminal::new(self.common.output, &environment), id)?;
            return Ok(Outcome::Well);
        }
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
