//! `db-verify --fix`: the SQL of the findings that moves no data and drops nothing, run or printed.

use std::{collections::HashSet, time::Duration};

use anyhow::anyhow;
use pg_schema::{Purpose, Report, Verdict};

use super::verify;
use crate::{commands::setup::tell, context::Context, server::Target};

/// Mends what is safe to mend, under the setup's lock.
pub(super) fn fix(context: &Context, target: &Target, lock_wait: Duration) -> anyhow::Result<()> {
    let terminal = context.terminal;
    let Target { access, expected, .. } = target;
    let mut connections = pg_schema::open(access, expected, Purpose::Mend).map_err(|error| target.explain(error))?;
    terminal.detail(&format!("administrator: {}", connections.administrator()));
    connections.lock(lock_wait, &mut |line| terminal.say(line))?;
    let administrator = connections.administrator_role().to_owned();
    let mut tried = HashSet::new();
    // What one finding hid is found once that is mended.
    loop {
        let Verdict { report, .. } = verify(context, target)?;
        let fixes = report.safe_fixes().into_iter().map(|(_, statement)| statement);
        let statements: Vec<_> = fixes.filter(|statement| tried.insert((*statement).to_owned())).collect();
        if statements.is_empty() {
            return Ok(());
        }
        let mut changed = 0;
        let left = pg_schema::mend(&mut connections, access, expected, &statements, &mut |change| {
            changed += 1;
            tell(terminal, change, &administrator, expected);
        })
        .map_err(|error| match changed {
            0 => anyhow!("{error}\n  nothing was changed: the transaction was rolled back"),
            _ => anyhow!("{error}\n  what is told above was changed; the rest was rolled back"),
        })?;
        for error in left {
            terminal.warn(&format!("left as it is: {error}"));
        }
    }
}

/// What `--fix` would run, as a script.
pub(super) fn script(report: &Report, target: &Target) -> String {
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
