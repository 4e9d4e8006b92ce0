//! Running the app's migrations, whatever program they are, and seeing where what they made has landed.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use pg_config::{ConnInfo, Environment, KEYS, Session};
use pg_schema::{Expected, Landed, Snapshot};

use crate::Context;

/// Builds what the default command runs. It takes long and needs no database: it is done before the lock.
pub fn build(context: &Context) -> anyhow::Result<()> {
    let project = &context.config.project;
    let Some(build) = &project.migrate_build else { return Ok(()) };
    if context.config.migrations.command.value != project.migrate_command {
        return Ok(());
    }
    context.voice.say(&format!("building the migrations: {build}"));
    let status = shell(context, build).status().with_context(|| format!("run `{build}`"))?;
    if !status.success() {
        bail!("`{build}` failed ({status}); nothing was changed");
    }
    Ok(())
}

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
    let (status, output) = run_command(context, app, command)?;
    let after = Snapshot::take(session, expected)?;
    let landed = before.landed(&after, &expected.schema);
    if !status.success() {
        // What it left is no success to any later verification either; where that cannot be written, this error says it.
        let _ = pg_schema::record_failure(session, expected);
        let shown = match output.as_slice() {
            // With `-v` its words stand above already.
            _ if context.voice.shows_output() => String::new(),
            [] => "\n  it said nothing".to_owned(),
            lines => format!("\n{}", indented(lines)),
        };
        bail!(
            "the migrate command failed ({status}): {}{shown}\n  {}\n  help: mend it and run cargo xtask db-setup again; what it left is not called a success",
            context.config.migrations.named(),
            summary(&landed, expected)
        );
    }
    context.voice.say(&summary(&landed, expected));
    let warnings = output.iter().filter_map(|line| warning(line)).collect();
    Ok(Migrated { landed, warnings })
}

/// The warning of a line: `WARNING:` is what libpq's programs put before what the server warned of.
fn warning(line: &str) -> Option<String> {
    let (before, words) = line.split_once("WARNING:")?;
    // `psql:file.sql:3: WARNING:  …`, or the line's beginning; anything else only speaks of warnings.
    let is_label = before.trim().is_empty() || before.trim_end().ends_with(':');
    is_label.then(|| format!("{before}{}", words.trim()))
}

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

/// Runs the command, and keeps its words; with `-v` they are shown as they come.
fn run_command(
    context: &Context,
    app: &ConnInfo,
    command: &str,
) -> anyhow::Result<(std::process::ExitStatus, Vec<String>)> {
    let mut process = shell(context, command);
    // Nothing of ours but what leads to this very database: libpq's variables and the parts of the
    // URL could say otherwise, and an administrator's rights are not the migrations' to have.
    for (key, _) in context.environment.process_variables() {
        let is_of_the_session = ["PGTZ", "PGDATESTYLE", "PGGEQO"].contains(&key);
        let is_libpqs = key.starts_with("PG") && !key.contains('_') && !is_of_the_session;
        let is_ours = KEYS.iter().any(|known| known.name == key) && !["DEBUG", "SECRET_KEY"].contains(&key);
        if is_libpqs || is_ours {
            process.env_remove(key);
        }
    }
    process.env("DATABASE_URL", app.url()).envs(app.libpq_environment());
    let (reader, writer) = std::io::pipe().context("make a pipe")?;
    process.stdin(Stdio::null()).stdout(writer.try_clone().context("share a pipe")?).stderr(writer);
    let mut child =
        process.spawn().with_context(|| format!("run `sh -c` with {}", context.config.migrations.named()))?;
    // The command object holds the pipe's other ends: as long as it lives, no end of file comes.
    drop(process);
    let (lines, said) = mpsc::channel();
    let (app, voice, is_shown) = (app.clone(), Arc::clone(&context.voice), context.voice.shows_output());
    thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
            let line = app.mask(&without_colors(&String::from_utf8_lossy(&line)));
            if is_shown {
                voice.show(&line);
            }
            // Nobody listens any more once the command has ended; what it left running is still shown.
            if lines.send(line).is_err() && !is_shown {
                return;
            }
        }
    });
    let status = child.wait().context("wait for the migrate command")?;
    let mut output = Vec::new();
    // What the command has left running may hold the pipe open for ever: its words are not waited for.
    let deadline = Instant::now() + Duration::from_secs(1);
    while let Ok(line) = said.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        output.push(line);
    }
    Ok((status, output))
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

fn shell(context: &Context, command: &str) -> Command {
    let mut process = Command::new("sh");
    process.arg("-c").arg(command).current_dir(&context.config.project.root);
    for key in of_outer_cargo(&context.environment) {
        process.env_remove(key);
    }
    process
}

/// The variables by which `cargo run` tells this program what package it is. A cargo that we run must
/// not see them: build scripts ask for them (ring's does), and each change of them is a rebuild.
pub fn of_outer_cargo(environment: &Environment) -> impl Iterator<Item = &str> {
    environment.process_variables().map(|(key, _)| key).filter(|key| {
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"]
            .iter()
            .any(|prefix| key.starts_with(prefix))
    })
}

fn indented(lines: &[String]) -> String {
    let skipped = lines.len().saturating_sub(40);
    let mut shown: Vec<_> = lines.iter().skip(skipped).map(|line| format!("  | {line}")).collect();
    if skipped > 0 {
        shown.insert(0, format!("  | ({skipped} lines before these)"));
    }
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_go_and_nothing_else() {
        assert_eq!(without_colors("\u{1b}[1;38:5:9merror\u{1b}[0m: [m] \u{1b}[2J"), "error: [m] \u{1b}[2J");
    }
}
