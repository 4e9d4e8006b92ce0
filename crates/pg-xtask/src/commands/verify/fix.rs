//! `db-verify --fix`: the SQL of the findings that moves no data and drops nothing, run or printed.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use pg_config::{Identifier, Literal};
use pg_schema::{Check, Fix, Purpose, Report, Verdict, ddl};
use pg_workflow::{Target, say_change};

use super::verify;
use crate::{escape::line, invocation::Invocation};

/// More than findings hide one another; an end where something undoes what is fixed.
const MOST_ROUNDS: usize = 8;

/// Fixes what is safe to fix, under the setup's lock.
pub(super) fn fix(context: &Invocation, target: &Target, lock_wait: Duration) -> anyhow::Result<()> {
    let terminal = context.terminal;
    let Target { access, expected, .. } = target;
    let mut connections = pg_schema::open(access, expected, Purpose::Fix).map_err(|error| target.explain(error))?;
    terminal.detail(&format!("administrator: {}", connections.administrator()));
    connections.lock("cargo xtask db-verify --fix", lock_wait, &mut |line| terminal.say(line))?;
    connections.leave();
    let administrator = connections.administrator_role().to_owned();
    let (mut tried, mut left, mut changed) = (Vec::new(), Vec::new(), 0);
    // What one finding hid is found once that is fixed, and what was refused may be allowed then.
    for _ in 0..MOST_ROUNDS {
        let Verdict { report, .. } = verify(context, target)?;
        let fixes: Vec<_> = report.safe_fixes().into_iter().map(|(_, fix)| fix.clone()).collect();
        if fixes.is_empty() {
            left.clear();
            break;
        }
        if fixes == tried {
            break;
        }
        connections.keep_lock().context("the setup's lock was lost\n  help: run the command again")?;
        left = pg_schema::fix(&mut connections, access, expected, &fixes, &mut |change| {
            changed += 1;
            say_change(&terminal, change, &administrator, expected);
        })
        .map_err(|error| match changed {
            // The answer is lost, and with it whether there was one.
            _ if error.statement == "COMMIT" => {
                anyhow!("{error}\n  note: the changes may have been committed\n  help: see what is left: cargo xtask db-verify")
            }
            0 => anyhow!("{error}\n  note: nothing was changed but sequences: a rollback does not reset them"),
            _ => anyhow!("{error}\n  note: the statements above were committed; the rest was rolled back"),
        })?;
        tried = fixes;
    }
    for error in left {
        let whom =
            format!("\n  help: have the owner of the object, or a superuser, run it in database {}", expected.database);
        let help = if error.is_about_rights() { &whom } else { "" };
        terminal.warn(&format!("this was not fixed{}{help}", error.cause()));
    }
    Ok(())
}

/// What `--fix` would run, as a script for psql. What the app's role must run is left out for anyone else.
pub(super) fn script(report: &Report, target: &Target) -> String {
    let database = &target.expected.database;
    let fixes = report.safe_fixes();
    if fixes.is_empty() {
        return format!("-- nothing to fix without a person's decision in database {database}");
    }
    let role = &target.expected.role;
    let who = format!(
        "what cargo xtask db-verify --fix would run in database {database}: as {role} what that role may, the rest as {}",
        target.access.administrator.as_ref().map_or_else(
            || "an administrator".to_owned(),
            |found| Identifier::from_catalog(&found.connection.user).to_string()
        )
    );
    let mut script = format!("{}\n{};\n", ddl::comment(&who), ddl::SAFE_PATH);
    let (for_app, for_all): (Vec<_>, Vec<_>) = fixes.into_iter().partition(|(_, fix)| fix.is_for_app);
    if !for_all.is_empty() {
        script.push_str(&transactions(&for_all));
    }
    if !for_app.is_empty() {
        script.push_str(&format!(
            "{}\nSELECT current_user = {} AS is_the_app \\gset\n\\if :is_the_app\n{}\\else\n\\warn 'the rest was not run: only the app''s role may run it (cargo xtask db-psql connects as it)'\n\\endif\n",
            ddl::comment(&format!(
                "Only role {role} may run the rest: it runs code that the app's tables hold."
            )),
            Literal(role.as_str()),
            transactions(&for_app),
        ));
    }
    script + "-- Other findings may appear after these fixes: --fix repeats until none is left."
}

/// The same, and as comments what a person decides on.
pub(super) fn whole_script(report: &Report, target: &Target) -> String {
    let needs_person = |check: &Check| check.fix.iter().any(|fix| !fix.is_safe);
    let decisions: Vec<_> = report.checks.iter().filter(|check| needs_person(check)).collect();
    let mut text = script(report, target);
    if !decisions.is_empty() {
        text.push_str(
            "\n\n-- What follows moves, drops or ends something: take away the comment of what you want to run.\n",
        );
    }
    for check in decisions {
        text.push_str(&format!("\n{}\n", heading(check)));
        for fix in check.fix.iter().filter(|fix| !fix.is_safe) {
            text.push_str(&format!("{}\n", ddl::comment(&format!("{};", fix.statement))));
        }
    }
    text.trim_end().to_owned() + "\n"
}

/// As many transactions as `--fix` has: one cannot lock everything.
fn transactions(fixes: &[(&Check, &Fix)]) -> String {
    let parts = fixes.chunks(pg_schema::AT_ONCE);
    parts.map(|part| format!("BEGIN;\n{}COMMIT;\n", statements(part))).collect()
}

/// A check's message, as a comment of one line.
fn heading(check: &Check) -> String {
    ddl::comment(&line(&format!("{}: {}", check.id, check.message)))
}

/// Statements, each check's under its message.
fn statements(fixes: &[(&Check, &Fix)]) -> String {
    let (mut script, mut last) = (String::new(), "");
    for (check, fix) in fixes {
        if check.id != last {
            script.push_str(&format!("{}\n", heading(check)));
            last = check.id;
        }
        script.push_str(&format!("{};\n", fix.statement));
    }
    script
}
