//! The environment and `.env`, read once: the only place in the workspace that looks at either.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use thiserror::Error;

use crate::{KEYS, Project};

/// Which file is read beside the process environment.
#[derive(Clone, Debug)]
pub enum EnvFile {
    /// `.env` at the workspace's root, where there is one.
    Default,
    /// This file, which must exist.
    At(PathBuf),
    /// None.
    Ignored,
}

/// What the process environment and `.env` held when it was read.
#[derive(Clone)]
pub struct Environment {
    process: BTreeMap<OsString, OsString>,
    file: Option<EnvFileContent>,
}

/// What a file held.
#[derive(Clone)]
struct EnvFileContent {
    path: PathBuf,
    /// What people call it: `.env`, or as it was given.
    name: Arc<str>,
    values: BTreeMap<String, String>,
}

/// Why the environment cannot be used. Holds a line's number, never its text.
#[derive(Debug, Error)]
pub enum EnvironmentError {
    /// The file cannot be opened or read.
    #[error("cannot read {path}: {error}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        error: io::Error,
    },
    /// A line that cannot be understood.
    #[error("{path}, line {line}: {reason}", path = .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what to write instead.
        reason: String,
    },
    /// A variable of the process that is not UTF-8.
    #[error("the environment variable {0} is not UTF-8")]
    NotUtf8(String),
}

impl Environment {
    /// Reads the process environment and the file.
    #[expect(clippy::disallowed_methods, reason = "this is the one function that reads the environment")]
    pub fn read(project: &Project, file: &EnvFile) -> Result<Self, EnvironmentError> {
        let process: BTreeMap<_, _> = std::env::vars_os().collect();
        if let Some((key, _)) = process
            .iter()
            .filter_map(|(key, value)| Some((key.to_str()?, value)))
            .find(|(key, value)| is_ours(key) && value.to_str().is_none())
        {
            return Err(EnvironmentError::NotUtf8(key.to_owned()));
        }
        let (path, name, must_exist) = match file {
            EnvFile::Ignored => return Ok(Self { process, file: None }),
            EnvFile::Default => (project.root.join(".env"), ".env".into(), false),
            EnvFile::At(path) => (path.clone(), path.to_string_lossy().into(), true),
        };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => {
                return Ok(Self { process, file: None });
            }
            Err(error) => return Err(EnvironmentError::Unreadable { path, error }),
        };
        let values =
            parse(&bytes).map_err(|(line, reason)| EnvironmentError::Line { path: path.clone(), line, reason })?;
        Ok(Self { process, file: Some(EnvFileContent { path, name, values }) })
    }

    /// An environment made of these values alone.
    #[cfg(test)]
    pub(crate) fn of(process: &[(&str, &str)], file: &[(&str, &str)]) -> Self {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Self {
            process: process.iter().map(owned).map(|(key, value)| (key.into(), value.into())).collect(),
            file: Some(EnvFileContent {
                path: PathBuf::from(".env"),
                name: ".env".into(),
                values: file.iter().map(owned).collect(),
            }),
        }
    }

    /// A variable of the process; an empty one counts as unset.
    pub fn process(&self, key: &str) -> Option<&str> {
        self.process_os(key)?.to_str()
    }

    /// A variable of the process that need not be text, such as `PATH`; an empty one counts as unset.
    pub fn process_os(&self, key: &str) -> Option<&OsStr> {
        self.process.get(OsStr::new(key)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Every variable of the process whose name is text.
    pub fn process_variables(&self) -> impl Iterator<Item = (&str, &OsStr)> {
        self.process.iter().filter_map(|(key, value)| Some((key.to_str()?, value.as_os_str())))
    }

    /// A value of the file; an empty one counts as unset.
    pub fn file(&self, key: &str) -> Option<&str> {
        self.file.as_ref()?.values.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The file that was read.
    pub fn file_path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// The highest source's value of a key, and that source.
    pub fn get(&self, key: &'static str) -> Option<(&str, Source)> {
        Layer::ALL.into_iter().find_map(|layer| Some((self.at(layer, key)?, self.source(layer, key))))
    }

    /// A key of one source.
    pub(crate) fn source(&self, layer: Layer, key: &'static str) -> Source {
        match (layer, &self.file) {
            (Layer::File, Some(file)) => Source::File(key, file.name.clone()),
            _ => Source::Process(key),
        }
    }

    /// One source's value of a key.
    pub(crate) fn at(&self, layer: Layer, key: &str) -> Option<&str> {
        match layer {
            Layer::Process => self.process(key),
            Layer::File => self.file(key),
        }
    }
}

/// Names only: any value may be a secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.as_ref().map(|file| (&file.path, file.values.keys().collect::<Vec<_>>()));
        let process = self.process.keys().collect::<Vec<_>>();
        f.debug_struct("Environment").field("process", &process).field("file", &file).finish()
    }
}

/// The two sources that an [`Environment`] reads, higher first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    Process,
    File,
}

impl Layer {
    pub(crate) const ALL: [Self; 2] = [Self::Process, Self::File];
}

/// Where a value of the configuration came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A flag of the command line.
    Flag(&'static str),
    /// A variable of the process environment.
    Process(&'static str),
    /// A line of this file.
    File(&'static str, Arc<str>),
    /// Nothing was said.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Process(key) => write!(f, "{key} in the environment"),
            Self::File(key, file) => write!(f, "{key} in {file}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Whether the value is read here, and not merely passed through to the app.
fn is_ours(key: &str) -> bool {
    let passed_through = ["DEBUG", "SECRET_KEY"].contains(&key);
    !passed_through && (KEYS.iter().any(|known| known.name == key) || key.starts_with("PG"))
}

/// The file's values, or the number of the line that is wrong and why.
///
/// `dotenvy` does the reading. What it gets wrong without a word is refused before: an unquoted `$`
/// (`pa$$word` would become `pa`), a key said twice (tools differ in which one wins).
fn parse(bytes: &[u8]) -> Result<BTreeMap<String, String>, (usize, String)> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        (before.iter().filter(|byte| **byte == b'\n').count() + 1, "it is not UTF-8".to_owned())
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        let Some((key, value)) = assignment(line).filter(|(key, _)| is_ours(key)) else { continue };
        if let Some(first) = seen.insert(key, number) {
            return Err((number, format!("{key} stands on line {first} already: keep one of them")));
        }
        if has_bare_dollar(value) {
            let reason = format!("the `$` in the value of {key} would be replaced: put the value in single quotes");
            return Err((number, reason));
        }
    }
    let mut values = BTreeMap::new();
    for item in dotenvy::from_read_iter(text.as_bytes()) {
        let (key, value) = item.map_err(|error| match error {
            dotenvy::Error::LineParse(line, _) => {
                let start = line.lines().next().unwrap_or_default();
                let number = text.lines().position(|candidate| candidate.contains(start)).map_or(1, |index| index + 1);
                (number, "it is no `KEY=value`; put a value with spaces, quotes or `#` in single quotes".to_owned())
            }
            _ => (1, "it cannot be read".to_owned()),
        })?;
        values.insert(key, value);
    }
    Ok(values)
}

fn assignment(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    let key = key.strip_prefix("export ").map_or(key, str::trim);
    (!key.starts_with('#')).then_some((key, value.trim()))
}

/// A `$` that is neither in single quotes, nor escaped, nor the beginning of a deliberate `${NAME}`.
fn has_bare_dollar(value: &str) -> bool {
    if value.starts_with('\'') {
        return false;
    }
    let comment = if value.starts_with('"') { None } else { value.find(" #") };
    let value = &value[..comment.unwrap_or(value.len())];
    value.match_indices('$').any(|(at, _)| !value[at + 1..].starts_with('{') && !value[..at].ends_with('\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (usize, String) {
        parse(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn reads_the_seed_document() {
        let text = "# PostgreSQL\nDEBUG=True\nSECRET_KEY=pa$$word\nDATABASE_URL=postgres://u:p@h/d?options=-csearch_path=aura\n";
        let values = parse(text.as_bytes()).unwrap();
        assert_eq!(values["DATABASE_URL"], "postgres://u:p@h/d?options=-csearch_path=aura");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_key() {
        assert_eq!(parse("\u{feff}DB_NAME=x\n".as_bytes()).unwrap()["DB_NAME"], "x");
    }

    #[test]
    fn errors_name_the_line_and_never_the_value() {
        for (text, line) in [
            ("DEBUG=1\nDB_PASSWORD=s3cr$$et\n", 2),
            ("DB_PASSWORD=\"s3cr$et\"\n", 1),
            ("A=1\n\nDB_PASSWORD='s3cret\n", 3),
            ("A=1\nDB_PASSWORD=s3cret more words\nB=2\n", 2),
            ("DB_NAME=a\nDB_NAME=s3cret\n", 2),
        ] {
            let (number, reason) = refused(text);
            assert_eq!(number, line, "{text}: {reason}");
            assert!(!reason.contains("s3cr"), "{reason}");
        }
        assert_eq!(parse(b"A=1\nDB_NAME=\xff\n").unwrap_err().0, 2);
    }

    #[test]
    fn debug_shows_names_and_no_value() {
        let environment = Environment::of(&[("PGPASSWORD", "s3cret")], &[("DB_PASSWORD", "s3cret")]);
        let shown = format!("{environment:?}");
        assert!(shown.contains("PGPASSWORD") && shown.contains("DB_PASSWORD") && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn single_quotes_keep_everything() {
        assert_eq!(parse(b"DB_PASSWORD='pa$$w#rd \"'\n").unwrap()["DB_PASSWORD"], "pa$$w#rd \"");
        assert_eq!(
            parse(b"DB_NAME=a\nDATABASE_URL=postgres://u@h/${DB_NAME}\n").unwrap()["DATABASE_URL"],
            "postgres://u@h/a"
        );
    }
}
