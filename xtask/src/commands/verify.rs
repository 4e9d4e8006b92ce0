//! `db-verify`: proves or refutes that everything is where it belongs, and mends what is safe to mend.

use std::time::Duration;

use pg_config::Project;
use pg_schema::{Purpose, Report, Verdict};
use pg_server::Mode;

use super::setup::tell;
use crate::{cli::DbVerify, context::Context, outcome::Outcome, report::Reporting, server::Target};

impl DbVerify {
    pub(crate) fn run(self, project: &Project, reporting: &Reporting) -> anyhow::Result<Outcome> {
        let context = Context::new(project, &self.common)?;
        let target = Target::find(&context, Mode::Find)?;
        let mut verdict = verify(&context, &target)?;
        if self.fix && self.dry_run {
            context.terminal.print(script(&verdict.report, &target).trim_end());
            return Ok(Outcome::of_report(&verdict.report));
        }
        if self.fix && !verdict.report.safe_fixes().is_empty() {
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

/// Mends what is safe to mend, under the setup's lock.
fn fix(context: &Context, target: &Target, lock_wait: Duration) -> anyhow::Result<()> {
    let terminal = context.terminal;
    let Target { access, expected, .. } = target;
    let mut connections = pg_schema::open(access, expected, Purpose::Mend).map_err(|error| target.explain(error))?;
    terminal.detail(&format!("administrator: {}", connections.administrator()));
    connections.lock(lock_wait, &mut |line| terminal.say(line))?;
    // Whoever held the lock before may have mended it.
    let Verdict { report, .. } = verify(context, target)?;
    let statements: Vec<_> = report.safe_fixes().into_iter().map(|(_, statement)| statement).collect();
    let administrator = connections.administrator_role().to_owned();
    let mended = pg_schema::mend(&mut connections, access, expected, &statements)?;
    for change in &mended.changes {
        tell(terminal, change, &administrator, expected);
    }
    for error in &mended.left {
        terminal.warn(&format!("left as it is: {error}"));
    }
    Ok(())
}

/// What `--fix` would run, as a script.
fn script(report: &Report, target: &Target) -> String {
    let database = &target.expected.database;
    let fixes = report.safe_fixes();
    if fixes.is_empty() {
        return format!("-- nothing that could be mended without a person's decision in database {database}");
    }
    let mut script = format!("-- what cargo xtask db-verify --fix would run in database {database}\nBEGIN;\n");
    let mut last = "";
    for (check, statement) in fixes {
        if check.id != last {
            script.push_str(&format!("-- {}: {}\n", check.id, check.message.replace('\n', " ")));
            last = check.id;
        }
        script.push_str(&format!("{statement};\n"));
    }
    script + "COMMIT;"
}
