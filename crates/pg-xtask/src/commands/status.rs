//! `db-status`: one screen that says which server serves and why, and where each value came from.

use std::fmt::Write;

use anstyle::Style;
use pg_config::{Encryption, Project, in_one_line};
use pg_schema::Status;
use pg_server::{ClusterState, Mode};
use pg_workflow::{Target, engine_settings};
use serde_json::{Value, json};

use crate::{
    cli::{DbStatus, Format},
    configuration::{self, Row},
    escape,
    invocation::Invocation,
    outcome::Outcome,
    terminal::{BAD, FAINT, GOOD, STRONG},
    wrap::wrap,
};

impl DbStatus {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Invocation::read(project, &self.common)?;
        let terminal = context.terminal;
        let is_text = self.format == Format::Text;
        let paint = |style, text: &str| if is_text { terminal.paint(style, text) } else { escape::lines(text) };
        let (outcome, server) = server(&context, &paint);
        let command = match terminal.is_verbose() {
            true => context.config.migrations.written.as_str(),
            false => "(-v shows it)",
        };
        let mut configuration = configuration::rows(&context.config, command);
        configuration.extend(configuration::passed_through(&context.environment));
        let configuration = configuration.into_iter().map(|(name, value, note)| row(name, &value, &note)).collect();
        let sections = [("server", server), ("kept servers", kept(&context)?), ("configuration", configuration)];
        let ignored: Vec<_> = context.config.ignored.iter().chain(&context.config.unused).collect();
        terminal.print(&match self.format {
            Format::Text => screen(&sections, &ignored, &paint, terminal.width()),
            Format::Json => document(&sections, &ignored),
        });
        Ok(outcome)
    }
}

/// How a text is painted, where it is.
type Paint<'a> = &'a dyn Fn(Style, &str) -> String;

fn screen(sections: &[(&str, Vec<Row>)], ignored: &[&String], paint: Paint<'_>, columns: Option<usize>) -> String {
    let mut text = String::new();
    for (title, rows) in sections.iter().filter(|(_, rows)| !rows.is_empty()) {
        let _ = writeln!(text, "{}", paint(STRONG, title));
        let width = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
        for (name, value, note) in rows {
            let note = if note.is_empty() { String::new() } else { format!("  ({note})") };
            let line = format!("  {name:<width$}  {value}{note}");
            let wrapped = wrap(&line, columns, width + 4);
            // Paint has no width: it is for a line that needs no wrapping.
            let _ = match wrapped == line {
                true => writeln!(text, "  {name:<width$}  {value}{}", paint(FAINT, &note)),
                false => writeln!(text, "{wrapped}"),
            };
        }
    }
    for ignored in ignored {
        let _ = writeln!(text, "ignored: {}", escape::lines(ignored));
    }
    text.trim_end().to_owned()
}

/// The same for programs: each row is `{"name", "value", "note"}`.
fn document(sections: &[(&str, Vec<Row>)], ignored: &[&String]) -> String {
    let row = |(name, value, note): &Row| json!({ "name": name, "value": value, "note": note });
    let mut document = json!({ "version": 1, "ignored": ignored });
    for (title, rows) in sections {
        document[title.replace(' ', "_")] = Value::from(rows.iter().map(row).collect::<Vec<_>>());
    }
    escape::json(&document)
}

/// A row that can be shown, whatever its texts hold.
fn row(name: &'static str, value: &str, note: &str) -> Row {
    (name, escape::lines(value), escape::line(note))
}

/// The server, and what can be said of the database on it without changing anything.
fn server(context: &Invocation, paint: Paint<'_>) -> (Outcome, Vec<Row>) {
    let target = match Target::find(context, Mode::Find) {
        Ok(target) => target,
        Err(error) => return (Outcome::of(&error), vec![row("none", &error.to_string(), "")]),
    };
    let server = &target.server;
    let mut rows = vec![row("address", &format!("{}:{}", server.host, server.port), &target.reason)];
    for skipped in &server.skipped {
        rows.push(row("skipped", &skipped.to_string(), ""));
    }
    let verdict = match pg_schema::verify(&target.access, &target.expected, std::time::Duration::ZERO) {
        Ok(verdict) => verdict,
        Err(error) => {
            rows.push(("state", paint(BAD, &in_one_line(&error.to_string())), String::new()));
            return (Outcome::NoServer, rows);
        }
    };
    let report = &verdict.report;
    if let Some(facts) = &verdict.facts {
        rows.push(row("version", &format!("PostgreSQL {}", facts.version), ""));
        let is_read_along = matches!(facts.encryption, Encryption::Clear(_)) && !server.host.is_this_machine();
        let note = if is_read_along { "others on the network can read it" } else { "" };
        rows.push(row("encryption", &facts.encryption.to_string(), note));
    }
    for check in report.checks.iter().filter(|check| ["database", "tables-landed", "migrations"].contains(&check.id)) {
        rows.push(row(check.id, &check.message, check.status.as_str()));
    }
    let failed: Vec<_> =
        report.checks.iter().filter(|check| check.status == Status::Fail).map(|check| check.id).collect();
    let state = match failed.is_empty() {
        true => paint(GOOD, "verified"),
        false => {
            format!("{}: {} (run cargo xtask db-verify)", paint(BAD, "not verified"), failed.join(", "))
        }
    };
    rows.push(("state", state, String::new()));
    (Outcome::Well, rows)
}

/// The containers and clusters that db-setup made for this workspace.
fn kept(context: &Invocation) -> anyhow::Result<Vec<Row>> {
    let data_dir = &context.config.data_dir.value;
    let containers = pg_server::containers(data_dir, &engine_settings(&context.environment))?;
    let containers = containers.into_iter().map(|container| {
        let note = format!("{}, {}", container.name, container.engine);
        row("container", &format!("{}: {}", container.image, container.state), &note)
    });
    let clusters = pg_server::clusters(data_dir)?.into_iter().map(|cluster| {
        let state = match cluster.state {
            ClusterState::Running { pid } => format!("running, process {pid}"),
            ClusterState::Unready { pid, reason } => format!("process {pid} does not serve: {reason}"),
            ClusterState::Stopped => "stopped".to_owned(),
            ClusterState::Broken { reason } => format!("cannot start, its data are kept: {reason}"),
        };
        row("cluster", &format!("PostgreSQL {}: {state}", cluster.cluster), &cluster.data.display().to_string())
    });
    Ok(containers.chain(clusters).collect())
}
