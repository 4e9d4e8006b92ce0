//! Running the app's migrations, whatever program they are, and seeing where what they made has landed.

mod diagnosis;
mod output;

use std::{
    io::{self, BufRead, BufReader, Read},
    mem,
    process::{Command, ExitStatus},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};
use pg_config::{ConnInfo, KEYS, PASSED_THROUGH, Session};
use pg_schema::{Expected, Landed, Snapshot};
use pg_server::{Group, Turn};

use self::{
    diagnosis::diagnose,
    output::{Output, shown_failed},
};
use crate::{Context, cargo::of_outer_cargo};

/// Builds what the default command runs. It takes long and needs no database: it is done before the lock.
pub fn build(context: &Context) -> anyhow::Result<()> {
    let project = &context.config.project;
    let Some(build) = &project.migrate_build else { return Ok(()) };
    if context.config.migrations.command.value != project.migrate_command {
        return Ok(());
    }
    context.voice.say(&format!("building the migrations: {build}"));
    let mut process = Command::new("sh");
    in_project(context, process.arg("-c").arg(build));
    let status = process.status().with_context(|| format!("cannot run `{build}`"))?;
    if !status.success() {
        bail!("`{build}` failed ({status}); nothing was changed\n  help: what it printed says why");
    }
    Ok(())
}

/// How far a setup came that an error stopped after the migrations.
pub(crate) const UNVERIFIED: &str = "the migrate command has run, and its outcome is not verified";

/// What a run of the migrations came to.
pub struct Migrated {
    /// Where what it made has landed.
    pub landed: Landed,
    /// What the command, or the server by its words, warned of.
    pub warnings: Vec<String>,
}

/// Runs the migrate command as the app's role, and compares the catalog before and after.
pub fn run(context: &Context, app: &ConnInfo, session: &mut Session, expected: &Expected) -> anyhow::Result<Migrated> {
    let command = &context.config.migrations.command.value;
    let before = Snapshot::take(session, expected)?;
    context.voice.say(&format!("migrating: {}", context.config.migrations.named()));
    let progress = context.voice.progress();
    let (status, mut output) = run_command(context, app, command)?;
    drop(progress);
    let passed_over = passed_over(&mut output, command);
    let failure = match status {
        Some(status) if !status.success() => {
            Some((format!("the migrate command failed ({status})"), "fix it, then run: "))
        }
        None => Some(("interrupted: the migrate command has ended, with all that it had started".to_owned(), "")),
        Some(_) if !passed_over.is_empty() => Some((
            format!("psql passed over {}, and the migrate command ended with exit status 0", statements(&passed_over)),
            "add -v ON_ERROR_STOP=1 to psql (--single-transaction takes back what was done before), fix the statements, then run: ",
        )),
        Some(_) => None,
    };
    if failure.is_some() {
        // What it left is no success to any later verification either; where that cannot be written, this error says it.
        let _ = pg_schema::record_failure(session, expected);
    }
    let landed = Snapshot::take(session, expected).map(|after| before.landed(&after, &expected.schema));
    if let Some((failed, first)) = failure {
        let is_passed_over = status.is_some_and(|status| status.success());
        // With `-v` its words stand above already.
        let shown = match (is_passed_over, context.voice.shows_output()) {
            (true, _) => shown_failed(&passed_over),
            (false, true) => String::new(),
            (false, false) => output.shown(),
        };
        let causes: String = match status {
            Some(_) => {
                diagnose(output.lines(), &context.config).iter().map(|cause| format!("\n  help: {cause}")).collect()
            }
            None => String::new(),
        };
        bail!(
            "{failed}: {}{shown}\n  note: {}\n  note: what it left is not called a success{causes}\n  help: {first}cargo xtask db-setup",
            context.config.migrations.named(),
            landed.map_or_else(
                |error| format!("what it made is not known{}", error.cause()),
                |landed| summary(&landed, expected)
            )
        );
    }
    let landed = landed.context(UNVERIFIED)?;
    if !context.voice.shows_output() {
        output.applied.iter().for_each(|line| context.voice.say(&format!("  {line}")));
    }
    context.voice.say(&summary(&landed, expected));
    Ok(Migrated { landed, warnings: output.warnings })
}

/// The lines by which psql says that statements failed, where it ended all the same as if none had. What a command
/// itself allows to fail (`psql -c … || true`) is a warning.
fn passed_over(output: &mut Output, command: &str) -> Vec<String> {
    let may_have_failed = mem::take(&mut output.may_have_failed);
    if command.contains("psql") && !command.contains("||") {
        output.failed.extend(may_have_failed);
    } else {
        output.warnings.extend(may_have_failed);
    }
    output.failed.clone()
}

fn statements(lines: &[String]) -> String {
    match lines.len() {
        1 => "a statement that failed".to_owned(),
        count => format!("{count} statements that failed"),
    }
}

/// How long the migrate command of a killed run may take to end: three signals, 2 s each, on a busy machine.
const LONGEST_END: Duration = Duration::from_secs(60);

/// How long it is waited for without a word.
const SILENT_END: Duration = Duration::from_secs(5);

/// How much of a line is shown, in bytes.
const SHOWN_LENGTH: usize = 1 << 12;

/// What appeared, in one line.
fn summary(landed: &Landed, expected: &Expected) -> String {
    if landed.inside.is_empty() && landed.outside.is_empty() {
        return "no new objects".to_owned();
    }
    let mut parts = Vec::new();
    for (place, objects) in
        [(format!("in {}", expected.schema), &landed.inside), ("elsewhere".to_owned(), &landed.outside)]
    {
        let mut kinds: Vec<_> = objects.iter().map(|object| object.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let counts: Vec<_> = kinds
            .into_iter()
            .map(|kind| {
                let count = objects.iter().filter(|object| object.kind == kind).count();
                format!("{count} {}{}", kind.as_str(), if count == 1 { "" } else { "s" })
            })
            .collect();
        if !counts.is_empty() {
            parts.push(format!("{} {place}", counts.join(", ")));
        }
    }
    format!("new: {}", parts.join("; "))
}

/// Runs the command, and keeps its words; with `-v` they are shown as they come. It ends with this process: `None` is
/// the status of one that a signal to this process has ended.
fn run_command(context: &Context, app: &ConnInfo, command: &str) -> anyhow::Result<(Option<ExitStatus>, Output)> {
    let mut process = Group::command("sh");
    in_project(context, process.arg("-c").arg(command));
    // Nothing of ours but what leads to this very database: libpq's variables and the parts of the
    // URL could say otherwise, and an administrator's rights are not the migrations' to have.
    for (key, _) in context.environment.process_variables() {
        let is_of_the_session = ["PGTZ", "PGDATESTYLE", "PGGEQO"].contains(&key);
        let is_libpqs = key.starts_with("PG") && !key.contains('_') && !is_of_the_session;
        let is_ours = KEYS.iter().any(|known| known.name == key) && !PASSED_THROUGH.contains(&key);
        if is_libpqs || is_ours {
            process.env_remove(key);
        }
    }
    process.envs(context.environment.passed_through());
    process.env("DATABASE_URL", app.url()).envs(app.libpq_environment());
    let (reader, writer) = io::pipe().context("cannot make a pipe")?;
    process.stdout(writer.try_clone().context("cannot share a pipe")?).stderr(writer);
    let named = context.config.migrations.named();
    let turn = turn(context, app)?;
    let mut running = Group::spawn(process, turn).with_context(|| format!("cannot run `sh -c` with {named}"))?;
    let output = Arc::new(Mutex::new(Output::default()));
    let (kept, app, voice) = (Arc::downgrade(&output), app.clone(), Arc::clone(&context.voice));
    let (at_work, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        let _at_work = at_work;
        let mut reader = BufReader::new(reader);
        while let Some(line) = next_line(&mut reader) {
            let mut line = app.mask(&without_colors(&String::from_utf8_lossy(&line)));
            line.truncate(line.floor_char_boundary(SHOWN_LENGTH));
            if voice.shows_output() {
                voice.show(&line);
            }
            match kept.upgrade() {
                Some(output) => output.lock().unwrap_or_else(PoisonError::into_inner).add(line),
                // The command has ended; what it left running is still shown.
                None if voice.shows_output() => {}
                None => return,
            }
        }
    });
    let status = match running.wait() {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
        outcome => Some(outcome.context("cannot wait for the migrate command")?),
    };
    // What the command has left running may hold the pipe open for ever: its words are not waited for.
    let _ = ended.recv_timeout(Duration::from_secs(1));
    let output = mem::take(&mut *output.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((status, output))
}

/// Waits until no migrate command of an earlier run is at work in this database: where that run was killed, its lock on
/// the server is gone some seconds before its command. Where turns cannot be kept, there are none.
fn turn(context: &Context, app: &ConnInfo) -> anyhow::Result<Option<Turn>> {
    let database = format!("{} {}", app.address(), app.database);
    for wait in [SILENT_END, LONGEST_END] {
        match Turn::take(&database, wait) {
            Ok(None) if wait == SILENT_END => {
                context.voice.say("waiting for the migrate command of an earlier run, which was killed");
            }
            Ok(None) => {}
            Ok(turn) => return Ok(turn),
            Err(error) => {
                context.voice.detail(&format!("the migrate command of a killed run is not waited for: {error}"));
                return Ok(None);
            }
        }
    }
    bail!(
        "the migrate command of an earlier run, which was killed, has not ended after {} s\n  \
         note: nothing was migrated\n  help: end it, or wait for its end, then run: cargo xtask db-setup",
        LONGEST_END.as_secs()
    )
}

/// The next line, as far as it is shown; somewhat more, so that a password at its end is known as one.
fn next_line(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    reader.take(2 * SHOWN_LENGTH as u64).read_until(b'\n', &mut line).ok().filter(|read| *read > 0)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else {
        reader.skip_until(b'\n').ok()?;
    }
    Some(line)
}

/// A program that thinks that it is at a terminal paints its words (`CARGO_TERM_COLOR=always`): ESC, `[`, numbers, `m`.
fn without_colors(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.trim_start_matches(|letter: char| letter.is_ascii_digit() || ";:".contains(letter)).strip_prefix('m')
        {
            Some(words) => plain.push_str(words),
            None => plain.extend(["\u{1b}[", part]),
        }
    }
    plain
}

/// Has a command run as at the project's root.
fn in_project(context: &Context, process: &mut Command) {
    process.current_dir(&context.config.project.root);
    for key in of_outer_cargo(&context.environment) {
        process.env_remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_go_and_nothing_else() {
        assert_eq!(without_colors("\u{1b}[1;38:5:9merror\u{1b}[0m: [m] \u{1b}[2J"), "error: [m] \u{1b}[2J");
    }
}
