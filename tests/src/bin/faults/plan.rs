//! The file of scenarios, `tests/faults.toml`.

use std::{collections::BTreeMap, path::Path};

use toml::de::{DeTable, DeValue};

use crate::fault::Act;

/// All that the file says.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) versions: Vec<Version>,
    pub(crate) commands: Vec<Command>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) directories: Vec<Directory>,
    pub(crate) crowds: Vec<Crowd>,
}

/// A fault of the directory in which started servers keep their files. Each text is a script that runs in its parent.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) name: String,
    pub(crate) at: While,
    pub(crate) breaks: String,
    /// Runs where `db-setup` has refused.
    pub(crate) restores: String,
    /// Succeeds where `db-setup` was right to succeed.
    pub(crate) holds: String,
    /// Whether `db-verify` is right to find that the app's login is refused.
    pub(crate) refuses_login: bool,
}

/// What the server does while its directory is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum While {
    /// There is none.
    Nothing,
    Stopped,
    Running,
}

/// Many commands at once; the first one's state at the start, and at the end.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) name: String,
    pub(crate) count: usize,
    pub(crate) commands: Vec<String>,
}

/// A version of PostgreSQL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version {
    pub(crate) major: u32,
    /// Of the cases of a row every so many are run.
    pub(crate) stride: usize,
}

/// A command, and the state of the server that it finds.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) name: String,
    /// The state of the server that it finds: a name of `stage.rs`.
    pub(crate) start: String,
    /// `lease` is a test's process; all else are arguments of the tool.
    pub(crate) run: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    /// Of the cases of each of its rows every so many are run.
    pub(crate) stride: usize,
    /// It leaves what it finds: settings, privileges and comments.
    pub(crate) is_keeping: bool,
    /// The faults that it meets; none named are all.
    faults: Vec<String>,
}

/// A fault, and where in the run of a command it happens.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) name: String,
    pub(crate) act: Act,
    pub(crate) at: At,
    /// Those that it happens to; none named are all.
    commands: Vec<String>,
    /// The command must succeed in spite of it.
    pub(crate) is_harmless: bool,
}

/// Where a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// At each message of the run; of several in a row of one type and one sender, at the first.
    EachMessage,
    /// At so many messages, chosen by the seed.
    Messages(u64),
    /// At so many moments, chosen by the seed.
    Moments(u64),
    /// Before the command starts; it is over when the command has ended. So many times.
    Before(u64),
}

impl Fault {
    pub(crate) fn concerns(&self, command: &Command) -> bool {
        let is_meant = |names: &[String], name: &String| names.is_empty() || names.contains(name);
        is_meant(&self.commands, &command.name) && is_meant(&command.faults, &self.name)
    }
}

impl Plan {
    /// Reads the file of the repository.
    pub(crate) fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let document = DeTable::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let root = Table(document.get_ref());
        let versions = root.table("versions");
        let stride = |key: &str| Version {
            major: key.parse().unwrap(),
            stride: versions.number(key).unwrap().try_into().unwrap(),
        };
        let environment = |table: &Table<'_, '_>| {
            let Some(DeValue::Table(values)) = table.value("environment") else { return BTreeMap::new() };
            values.keys().map(|key| (key.get_ref().to_string(), Table(values).text(key.get_ref()))).collect()
        };
        Self {
            seed: root.number("seed").unwrap(),
            versions: versions.0.keys().rev().map(|key| stride(key.get_ref())).collect(),
            commands: root
                .tables("command")
                .map(|table| Command {
                    name: table.text("name"),
                    start: table.text("start"),
                    run: table.texts("run"),
                    environment: environment(&table),
                    stride: table.number("stride").map_or(1, |number| number.try_into().unwrap()),
                    is_keeping: table.is_true("keeps"),
                    faults: table.texts("faults"),
                })
                .collect(),
            faults: root
                .tables("fault")
                .map(|table| Fault {
                    name: table.text("name"),
                    act: Act::parse(&table.text("act")),
                    at: At::parse(&table.text("at")),
                    commands: table.texts("commands"),
                    is_harmless: table.is_true("harmless"),
                })
                .collect(),
            directories: root
                .tables("directory")
                .map(|table| Directory {
                    name: table.text("name"),
                    at: While::parse(&table.text("while")),
                    breaks: table.text("break"),
                    restores: table.text("restore"),
                    holds: table.value("holds").map_or_else(|| "true".to_owned(), |_| table.text("holds")),
                    refuses_login: table.is_true("refuses-login"),
                })
                .collect(),
            crowds: root
                .tables("crowd")
                .map(|table| Crowd {
                    name: table.text("name"),
                    count: table.number("count").unwrap().try_into().unwrap(),
                    commands: table.texts("commands"),
                })
                .collect(),
        }
    }
}

impl While {
    fn parse(text: &str) -> Self {
        match text {
            "nothing is there" => Self::Nothing,
            "stopped" => Self::Stopped,
            "running" => Self::Running,
            _ => panic!("while = {text:?} is none of `nothing is there`, `stopped`, `running`"),
        }
    }
}

impl At {
    fn parse(text: &str) -> Self {
        match *text.split(' ').collect::<Vec<_>>() {
            ["each", "message"] => Self::EachMessage,
            [count, "messages"] => Self::Messages(count.parse().unwrap()),
            [count, "moments"] => Self::Moments(count.parse().unwrap()),
            ["before"] => Self::Before(1),
            ["before", count, "times"] => Self::Before(count.parse().unwrap()),
            _ => panic!("at = {text:?} is none of `each message`, `20 messages`, `20 moments`, `before 5 times`"),
        }
    }
}

struct Table<'a, 'b>(&'a DeTable<'b>);

impl<'a, 'b> Table<'a, 'b> {
    fn value(&self, key: &str) -> Option<&'a DeValue<'b>> {
        self.0.get(key).map(|value| value.get_ref())
    }

    fn text(&self, key: &str) -> String {
        match self.value(key) {
            Some(DeValue::String(text)) => text.to_string(),
            other => panic!("{key} is not a string: {other:?}"),
        }
    }

    fn number(&self, key: &str) -> Option<u64> {
        match self.value(key)? {
            DeValue::Integer(number) => number.as_str().parse().ok(),
            other => panic!("{key} is not a number: {other:?}"),
        }
    }

    fn is_true(&self, key: &str) -> bool {
        matches!(self.value(key), Some(DeValue::Boolean(true)))
    }

    fn texts(&self, key: &str) -> Vec<String> {
        let Some(DeValue::Array(values)) = self.value(key) else { return Vec::new() };
        let texts = values.iter().map(|value| match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            other => panic!("{key} has {other:?}"),
        });
        texts.collect()
    }

    fn table(&self, key: &str) -> Table<'a, 'b> {
        match self.value(key) {
            Some(DeValue::Table(table)) => Table(table),
            other => panic!("{key} is not a table: {other:?}"),
        }
    }

    fn tables(&self, key: &str) -> impl Iterator<Item = Table<'a, 'b>> {
        let Some(DeValue::Array(values)) = self.value(key) else { panic!("no [[{key}]]") };
        values.iter().map(|value| match value.get_ref() {
            DeValue::Table(table) => Table(table),
            other => panic!("{other:?} is not a table"),
        })
    }
}
