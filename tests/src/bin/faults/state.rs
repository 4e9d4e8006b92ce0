//! All that a command may have made on a server, as text that can be compared.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;
use tests::Cluster;

/// Databases, roles, settings, privileges, comments, objects and rows. What is random is masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State(BTreeSet<String>);

impl State {
    /// The state of a running server.
    pub(crate) fn of(cluster: &Cluster) -> Self {
        let names = "SELECT pg_catalog.string_agg(datname, ' ' ORDER BY datname) FROM pg_catalog.pg_database";
        let names = cluster.value("postgres", names);
        let mut lines: BTreeSet<_> = names.split(' ').map(|name| format!("database {name}")).collect();
        lines.extend(cluster.globals().lines().map(str::to_owned));
        for name in names.split(' ').filter(|name| *name == "aura_db" || name.contains("_clone_")) {
            let mut section = String::new();
            for line in cluster.dump(name).lines() {
                // A line of SQL alone does not say what it belongs to.
                if let Some(title) = line.strip_prefix("-- Name: ") {
                    section = title.split(';').next().unwrap_or_default().to_owned();
                }
                if !line.is_empty() && !line.starts_with("--") {
                    lines.insert(format!("{name}: {section}: {line}"));
                }
            }
        }
        Self(lines.into_iter().map(masked).collect())
    }

    /// The same but for what names this.
    pub(crate) fn without(&self, text: &str) -> Self {
        Self(self.0.iter().filter(|line| !line.contains(text)).cloned().collect())
    }

    /// The lines that another state lacks.
    pub(crate) fn lost_in(&self, other: &Self) -> String {
        Self(self.0.difference(&other.0).cloned().collect()).difference(&Self(BTreeSet::new()))
    }

    /// The lines of the one alone and of the other alone; nothing where there are none.
    pub(crate) fn difference(&self, expected: &Self) -> String {
        let lines = |sign: char, one: &Self, other: &Self| -> Vec<String> {
            one.0.difference(&other.0).map(|line| format!("{sign} {line}")).collect()
        };
        let all: Vec<_> = [lines('+', self, expected), lines('-', expected, self)].concat();
        let more = if all.len() > 6 { format!("\n… {} lines", all.len()) } else { String::new() };
        let shown: Vec<_> = all.iter().take(6).map(|line| line.chars().take(240).collect::<String>()).collect();
        shown.join("\n") + &more
    }
}

/// Without what differs from run to run: verifiers, numbers of sequences, names of leases, points in time.
fn masked(line: String) -> String {
    static MASKS: LazyLock<[(&str, Regex, &str); 5]> = LazyLock::new(|| {
        let mask = |mask: &str| Regex::new(mask).unwrap();
        [
            ("SCRAM-SHA-256$", mask(r#"SCRAM-SHA-256\$[^ ,"]+"#), "SCRAM"),
            // After a crash a sequence goes on up to 32 values later.
            ("setval(", mask(r"setval\('([^']+)', \d+"), "setval('$1', #"),
            // Rows that an interrupted migration took back have used up numbers.
            ("\t", mask(r": \d+\t"), ": #\t"),
            ("_test_", mask(r"_test_[0-9a-f]{12}_[0-9a-f]{8}_\d+"), "_test_#"),
            ("_ready_", mask(r"_ready_[0-9a-f]{12}_[0-9a-f]{8}_\d+"), "_ready_#"),
        ]
    });
    static TIME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(Z|[+-]\d\d(:?\d\d)?)?").unwrap());
    let masked = MASKS.iter().fold(line, |line, (part, mask, word)| match line.contains(part) {
        // An expression that finds nothing takes long in a build without optimisation.
        true => mask.replace_all(&line, *word).into_owned(),
        false => line,
    });
    let has_time = masked
        .as_bytes()
        .windows(3)
        .any(|three| three[1] == b':' && [three[0], three[2]].iter().all(u8::is_ascii_digit));
    if has_time { TIME.replace_all(&masked, "TIME").into_owned() } else { masked }
}
