//! The environment and `.env`, read once: the only place in the workspace that looks at either.

mod env_file;

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt, io,
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use thiserror::Error;

use crate::{KEYS, Project};

/// Which file is read beside the process environment.
#[derive(Clone, Debug)]
pub enum EnvFile {
    /// `.env` at the workspace's root, where there is one. One that is a pipe is waited for so long.
    Default(Duration),
    /// This file, which must exist; the same of it.
    At(PathBuf, Duration),
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
    content: env_file::Content,
}

impl EnvFileContent {
    /// The file and the line of a key.
    fn place(&self, key: &str) -> Arc<str> {
        match self.content.lines.get(key) {
            Some(line) => format!("{}:{line}", self.name).into(),
            None => self.name.clone(),
        }
    }
}

/// Why the environment cannot be used. Holds a line's number, never its text.
#[derive(Debug, Error)]
pub enum EnvironmentError {
    /// The file cannot be opened or read.
    #[error("cannot read {path}\n  cause: {error}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        error: io::Error,
    },
    /// A line that cannot be understood.
    #[error("{path}:{line}: {reason}", path = .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what to write instead.
        reason: String,
    },
    /// A variable of the process that is not UTF-8.
    #[error("the environment variable {0} is not UTF-8\n  help: set it to text in UTF-8, or unset it")]
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
        let (path, name, must_exist, wait) = match file {
            EnvFile::Ignored => return Ok(Self { process, file: None }),
            EnvFile::Default(wait) => (project.root.join(".env"), ".env".into(), false, *wait),
            EnvFile::At(path, wait) => (path.clone(), path.to_string_lossy().into(), true, *wait),
        };
        let bytes = match read_within(&path, wait) {
            Ok(bytes) => bytes,
            // A link that leads to no file is there.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist && !path.is_symlink() => {
                return Ok(Self { process, file: None });
            }
            Err(error) => return Err(EnvironmentError::Unreadable { path, error }),
        };
        let content = env_file::parse(&bytes, &|name| process.contains_key(OsStr::new(name)))
            .map_err(|(line, reason)| EnvironmentError::Line { path: path.clone(), line, reason })?;
        Ok(Self { process, file: Some(EnvFileContent { path, name, content }) })
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
                content: env_file::Content { values: file.iter().map(owned).collect(), ..Default::default() },
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
        self.file.as_ref()?.content.values.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The app's own keys as the file has them, where the process says nothing of them: they are handed on.
    pub fn passed_through(&self) -> impl Iterator<Item = (&str, &str)> {
        let file = self.file.iter().flat_map(|file| &file.content.passed_through);
        let of_file = file.map(|(key, value)| (key.as_str(), value.as_str()));
        of_file.filter(|(key, value)| !value.is_empty() && self.process_os(key).is_none())
    }

    /// A value of ours as the file has it, with its quotes, before a reference to another became its value.
    pub(crate) fn written(&self, key: &str) -> Option<&str> {
        self.file.as_ref()?.content.written.get(key).map(String::as_str)
    }

    /// The highest source's value of a key, and that source.
    pub fn get(&self, key: &'static str) -> Option<(&str, Source)> {
        Layer::ALL.into_iter().find_map(|layer| Some((self.at(layer, key)?, self.source(layer, key))))
    }

    /// The highest source's value of a key whose name is not known beforehand.
    pub(crate) fn get_any(&self, key: &str) -> Option<&str> {
        Layer::ALL.into_iter().find_map(|layer| self.at(layer, key))
    }

    /// The names of one source that have a value.
    pub(crate) fn names(&self, layer: Layer) -> Vec<&str> {
        match layer {
            Layer::Process => {
                self.process_variables().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name).collect()
            }
            Layer::File => {
                let values = self.file.iter().flat_map(|file| &file.content.values);
                values.filter(|(_, value)| !value.is_empty()).map(|(name, _)| name.as_str()).collect()
            }
        }
    }

    /// Where a name of one source stands: `in .env:3`.
    pub(crate) fn place(&self, layer: Layer, name: &str) -> String {
        match (layer, &self.file) {
            (Layer::File, Some(file)) => format!("in {}", file.place(name)),
            _ => "in the environment".to_owned(),
        }
    }

    /// The user's home directory.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        pg_connect::home(self.process_os("HOME").map(PathBuf::from))
    }

    /// What relative paths of one source are relative to: the file's directory, or the working directory.
    pub(crate) fn directory(&self, layer: Layer) -> PathBuf {
        let file = self.file.as_ref().filter(|_| layer == Layer::File);
        let relative = file.and_then(|file| file.path.parent()).unwrap_or(Path::new(""));
        let is_here = relative.as_os_str().is_empty();
        std::path::absolute(if is_here { Path::new(".") } else { relative }).unwrap_or_else(|_| relative.to_owned())
    }

    /// The same for the source of a value.
    pub(crate) fn directory_of(&self, source: &Source) -> PathBuf {
        self.directory(if matches!(source, Source::File(..)) { Layer::File } else { Layer::Process })
    }

    /// The highest source's path of a key.
    pub(crate) fn path(&self, key: &'static str) -> Option<PathBuf> {
        let (value, source) = self.get(key)?;
        Some(self.directory_of(&source).join(value))
    }

    /// A key of one source.
    pub(crate) fn source(&self, layer: Layer, key: &'static str) -> Source {
        match (layer, &self.file) {
            (Layer::File, Some(file)) => Source::File(key, file.place(key)),
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

/// The file's content. Of a pipe (a password manager writes one) it comes from another program, which may never write.
fn read_within(path: &Path, wait: Duration) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.file_type().is_fifo() {
        return std::fs::read(path);
    }
    let (sender, content) = mpsc::channel();
    let pipe = path.to_owned();
    // It ends with the process, where nothing is ever written.
    thread::spawn(move || sender.send(std::fs::read(pipe)));
    let silent = || io::Error::other(format!("it is a pipe, and no program wrote it within {} s", wait.as_secs()));
    content.recv_timeout(wait).unwrap_or_else(|_| Err(silent()))
}

/// Names only: any value may be a secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.as_ref().map(|file| (&file.path, file.content.values.keys().collect::<Vec<_>>()));
        let process = self.process.keys().collect::<Vec<_>>();
        f.debug_struct("Environment").field("process", &process).field("file", &file).finish()
    }
}

/// The two sources that an [`Environment`] reads, higher first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Layer {
    Process,
    File,
}

impl Layer {
    pub(crate) const ALL: [Self; 2] = [Self::Process, Self::File];

    /// Whether the other's values come first.
    pub(crate) fn is_below(self, other: Self) -> bool {
        self > other
    }
}

/// Where a value of the configuration came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A flag of the command line.
    Flag(&'static str),
    /// A variable of the process environment.
    Process(&'static str),
    /// A line of a file: `.env:3`.
    File(&'static str, Arc<str>),
    /// A service (`pg_service.conf`) that another source names.
    Service(Arc<str>, Box<Self>),
    /// Nothing was said.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Process(key) => write!(f, "{key} in the environment"),
            Self::File(key, file) => write!(f, "{key} in {file}"),
            Self::Service(name, by) => write!(f, "service {name}, named by {by}"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Source {
    /// A service that this source names.
    pub(crate) fn by_service(self, name: &str) -> Self {
        Self::Service(name.into(), Box::new(self))
    }
}

/// Keys of the app's own, which are not read here.
pub const PASSED_THROUGH: [&str; 2] = ["DEBUG", "SECRET_KEY"];

/// Whether the value is read here, and not merely passed through to the app.
fn is_ours(key: &str) -> bool {
    !PASSED_THROUGH.contains(&key) && (KEYS.iter().any(|known| known.name == key) || key.starts_with("PG"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_names_and_no_value() {
        let environment = Environment::of(&[("PGPASSWORD", "s3cret")], &[("DB_PASSWORD", "s3cret")]);
        let shown = format!("{environment:?}");
        assert!(shown.contains("PGPASSWORD") && shown.contains("DB_PASSWORD") && !shown.contains("s3cret"), "{shown}");
    }
}
