//! The figures.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use crate::{case::Case, plan::Plan, verdict::Verdict};

/// What was tried and survived, by command and fault.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: BTreeMap<Key, Row>,
    failed: Vec<(String, Verdict)>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    fault: String,
    command: String,
    major: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    tried: u32,
    survived: u32,
}

impl Report {
    pub(crate) fn add(&mut self, case: &Case<'_>, verdict: Verdict) {
        let (command, fault) = case.subject.names();
        let key = Key { fault: fault.to_owned(), command: command.to_owned(), major: case.stage.version.major };
        let row = self.rows.entry(key).or_default();
        row.tried += u32::from(verdict.is_tried);
        row.survived += u32::from(verdict.is_tried && verdict.faults.is_empty());
        if !verdict.faults.is_empty() {
            self.failed.push((case.id(), verdict));
        }
    }

    /// The cases that were not survived.
    pub(crate) fn failed(&self) -> &[(String, Verdict)] {
        &self.failed
    }

    /// For a terminal: a row for each command and fault that was not always survived, and the sums.
    pub(crate) fn text(&self, count: usize, seed: u64) -> String {
        let mut text = String::new();
        let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (id, verdict) in &self.failed {
            for (kind, _) in &verdict.faults {
                kinds.entry(kind).or_default().push(id);
            }
        }
        for (key, row) in &self.rows {
            let mark = if row.tried == row.survived { "  " } else { "! " };
            let name = format!("{}/{}/{}", key.major, key.command, key.fault);
            let _ = writeln!(text, "{mark}{name:44} {:5} of {:5}", row.survived, row.tried);
        }
        for (kind, ids) in kinds {
            let _ = writeln!(text, "{kind}: {}, first {}", ids.len(), ids[0]);
        }
        let sum = self.sum();
        let _ = writeln!(
            text,
            "survived {} of {}; {count} cases were chosen. Run one again: cargo xtask faults --seed {seed} --case NAME",
            sum.survived, sum.tried
        );
        text
    }

    fn sum(&self) -> Row {
        self.rows.values().fold(Row::default(), |sum, row| Row {
            tried: sum.tried + row.tried,
            survived: sum.survived + row.survived,
        })
    }

    /// `docs/reliability.md`.
    pub(crate) fn markdown(&self, plan: &Plan, elapsed: Duration) -> String {
        let sum = self.sum();
        let majors: BTreeSet<_> = self.rows.keys().map(|key| key.major).collect();
        let versions: Vec<_> = majors.iter().map(u32::to_string).collect();
        let commands: Vec<_> = plan.commands.iter().map(|command| command.name.as_str()).collect();
        let mut text = format!(
            "# Reliability\n\n\
             `cargo xtask faults` breaks the connection, the process, the server and the files of each command, at each \
             step, and looks at what is left. [`tests/faults.toml`](../tests/faults.toml) says how.\n\n\
             A case is survived if all of this holds:\n\n\
             - The command ends by itself. Its exit code is 0 only if everything was done. There is no panic.\n\
             - An error says what to do next.\n\
             - No process and no session is left.\n\
             - The same command, run again without a fault, ends in the same roles, databases, settings, privileges, \
             comments, objects and rows as a command that met no fault, and `db-verify` passes.\n\n\
             **{} of {} cases survived**, on PostgreSQL {}. Measured on {} in {} minutes, with the seed {}, by:\n\n\
             ```sh\ncargo xtask faults {}\n```\n\n\
             Each cell: survived of tried, all versions together.\n\n| fault | {} |\n|---|{}\n",
            sum.survived,
            sum.tried,
            versions.join(", "),
            time::OffsetDateTime::now_utc().date(),
            elapsed.as_secs().div_ceil(60),
            plan.seed,
            std::env::args().skip(1).collect::<Vec<_>>().join(" "),
            commands.join(" | "),
            "---|".repeat(commands.len()),
        );
        for fault in &plan.faults {
            let cell = |command: &&str| {
                let rows = self.rows.iter().filter(|(key, _)| key.fault == fault.name && key.command == **command);
                let (survived, tried) =
                    rows.fold((0, 0), |(survived, tried), (_, row)| (survived + row.survived, tried + row.tried));
                if tried == 0 { "–".to_owned() } else { format!("{survived} of {tried}") }
            };
            let cells: Vec<_> = commands.iter().map(cell).collect();
            let _ = writeln!(text, "| `{}` | {} |", fault.name, cells.join(" | "));
        }
        for (name, title) in [("directory", "the files of a server started here"), ("crowd", "many commands at once")] {
            let _ = write!(text, "\n| {title} | |\n|---|---|\n");
            let mut sums: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
            for (key, row) in self.rows.iter().filter(|(key, _)| key.command == name) {
                let sum = sums.entry(&key.fault).or_default();
                *sum = (sum.0 + row.survived, sum.1 + row.tried);
            }
            for (fault, (survived, tried)) in sums {
                let _ = writeln!(text, "| `{fault}` | {survived} of {tried} |");
            }
        }
        if !self.failed.is_empty() {
            text.push_str("\n## Not survived\n\nRun one again: `cargo xtask faults --case NAME`.\n\n");
            for (id, verdict) in &self.failed {
                let kinds: Vec<_> = verdict.faults.iter().map(|(kind, _)| *kind).collect();
                let _ = writeln!(text, "- `{id}`: {}", kinds.join(", "));
            }
        }
        text.push_str(LIMITS);
        text
    }
}

/// What no command can survive, and why.
const LIMITS: &str = "
## What cannot be survived

- **A changed message.** A proxy that changes the value in a row of an answer is not noticed: the bytes are valid. Only
  TLS with `sslmode=verify-full` prevents it. `garble` therefore changes types and lengths only.
- **SIGKILL** lets a command say nothing, and end nothing that runs on the server at that moment. What is left is swept
  by the next command.
- **A power cut** with `DB_DURABLE=no`: servers started here run with `fsync=off`.
";
