//! `db-verify`: checks that everything is where it belongs, and fixes what is safe to fix.

mod definitions;
mod fix;

use std::time::Duration;

use anyhow::Context as _;
use pg_config::{EnvFile, Environment, Project};
use pg_schema::Verdict;
use pg_server::Mode;
use pg_workflow::{Target, is_no_server, report_lock_waits};

use self::fix::{fix, script, whole_script};
use crate::{
    cli::DbVerify,
    invocation::Invocation,
    outcome::Outcome,
    report::{Reporting, file},
    terminal::{STRONG, Terminal},
    wrap::wrap_page,
};

impl DbVerify {
    pub(crate) fn run(self, project: &Project, reporting: &Reporting) -> anyhow::Result<Outcome> {
        if let Some(id) = &self.explain {
            // There may be no server, and the configuration may be wrong: neither is read.
            let environment = Environment::read(project, &EnvFile::Ignored)?;
            print_explanation(Terminal::new(self.common.output, &environment), id)?;
            return Ok(Outcome::Well);
        }
        let context = Invocation::new(project, &self.common)?;
        let target = Target::find(&context, Mode::Find)?;
        let lock_wait = Duration::from_secs(self.lock_wait);
        let mut verdict = verify_alone(&context, &target, lock_wait)?;
        if self.fix && self.dry_run {
            context.terminal.print(script(&verdict.report, &target).trim_end());
            return Ok(Outcome::of_report(&verdict.report));
        }
        if self.fix && verdict.report.has_safe_fix() {
            fix(&context, &target, lock_wait)?;
            verdict = verify(&context, &target)?;
        }
        if let Some(path) = &self.sql {
            file::write(path, &whole_script(&verdict.report, &target))?;
            context.terminal.say(&format!("wrote the SQL of the findings to {}", path.display()));
        }
        if let Some(file) = &self.save {
            definitions::save(&context, &target, file)?;
        }
        if let Some(against) = &self.against {
            definitions::compare(&context, &target, &mut verdict, against)?;
        }
        Ok(reporting.conclude(&context, &target, &verdict))
    }
}

/// Verifies again where the first verdict is not clean and another command is at work on the server: what is seen in
/// the middle of a setup or a reset is no finding.
fn verify_alone(context: &Invocation, target: &Target, lock_wait: Duration) -> anyhow::Result<Verdict> {
    let first = verify(context, target);
    let is_final = match &first {
        Ok(verdict) => verdict.report.is_clean(),
        Err(error) => is_no_server(error),
    };
    if is_final {
        return first;
    }
    let mut say = |line: &str| context.terminal.say(line);
    match pg_schema::wait_for_others(&target.access, "cargo xtask db-verify", lock_wait, &mut say)? {
        Some(_lock) => verify(context, target),
        None => first,
    }
}

fn verify(context: &Invocation, target: &Target) -> anyhow::Result<Verdict> {
    let _blockers = report_lock_waits(context, target);
    let _patience = target.patience(context);
    pg_schema::verify(&target.access, &target.expected, context.wait).map_err(|error| target.explain(error))
}

fn print_explanation(terminal: Terminal, id: &str) -> anyhow::Result<()> {
    let text = pg_schema::explain(id).with_context(|| format!("unknown check {id}"))?;
    let is_heading = |line: &str| !line.is_empty() && !line.starts_with(' ');
    let text = wrap_page(text, terminal.width());
    let painted = text.lines().map(|line| match is_heading(line) {
        true => terminal.paint(STRONG, line),
        false => line.to_owned(),
    });
    terminal.print(&painted.collect::<Vec<_>>().join("\n"));
    Ok(())
}
