//! `--format` and `--report`: where the verdict of a run goes.

use std::{
    collections::HashSet,
    fmt, fs,
    path::{Path, PathBuf, absolute},
};

use clap::{
    ArgMatches, Args, Command, FromArgMatches, ValueEnum,
    error::{Error, ErrorKind},
};

/// The destinations as they are typed.
const KINDS: &str = "junit=FILE, json=FILE, markdown=FILE, github";

/// What stdout gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// What a report file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Junit,
    Json,
    Markdown,
}

/// Where a report goes beside stdout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    File(Kind, PathBuf),
    /// The annotations and the summary of a GitHub Actions workflow.
    Github,
}

/// Where the verdict goes; no destination is there twice.
#[derive(Clone, Debug)]
pub(crate) struct Reports {
    pub(crate) format: Format,
    pub(crate) destinations: Vec<Destination>,
}

/// The same as typed.
#[derive(Debug, Args)]
struct Typed {
    /// What stdout gets: text for people, or one JSON document
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write a report, too: junit=FILE, json=FILE, markdown=FILE, github; any number of them
    #[arg(long, value_name = "KIND[=FILE]", value_parser = Destination::parse)]
    report: Vec<Destination>,
}

impl Destination {
    fn parse(typed: &str) -> Result<Self, String> {
        let (word, file) = typed.split_once('=').map_or((typed, None), |(word, file)| (word, Some(file)));
        let kind = match word {
            "junit" => Kind::Junit,
            "json" => Kind::Json,
            "markdown" => Kind::Markdown,
            "github" if file.is_none() => return Ok(Self::Github),
            "github" => return Err("github takes no file: it writes where GitHub Actions reads".to_owned()),
            _ => return Err(format!("unknown report {word:?}: take one of {KINDS}")),
        };
        match file.filter(|file| !file.is_empty()) {
            Some(file) => Ok(Self::File(kind, file.into())),
            None => Err(format!("{word} needs a file, {word}=FILE: take one of {KINDS}")),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(_, path) => write!(f, "{}", path.display()),
            Self::Github => f.write_str("github"),
        }
    }
}

impl TryFrom<Typed> for Reports {
    type Error = Error;

    fn try_from(Typed { format, report: destinations }: Typed) -> Result<Self, Error> {
        let mut seen = HashSet::new();
        let place = |destination: &Destination| match destination {
            Destination::File(_, path) => Some(identity(path)),
            Destination::Github => None,
        };
        match destinations.iter().find(|destination| !seen.insert(place(destination))) {
            None => Ok(Self { format, destinations }),
            Some(twice) => Err(Error::raw(
                ErrorKind::ArgumentConflict,
                format!("--report names {twice} twice: give each report ({KINDS}) a place of its own"),
            )),
        }
    }
}

/// One spelling for each file, as far as its directory is there.
fn identity(path: &Path) -> PathBuf {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    let within = |directory: &Path| Some(fs::canonicalize(directory).ok()?.join(path.file_name()?));
    fs::canonicalize(&path).ok().or_else(|| within(path.parent()?)).unwrap_or(path)
}

impl FromArgMatches for Reports {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Typed::from_arg_matches(matches)?.try_into()
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Reports {
    fn augment_args(command: Command) -> Command {
        Typed::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Typed::augment_args_for_update(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_read_or_refused_with_the_kinds() {
        let file = |kind, path: &str| Ok(Destination::File(kind, path.into()));
        assert_eq!(Destination::parse("junit=a.xml"), file(Kind::Junit, "a.xml"));
        assert_eq!(Destination::parse("json=a=b"), file(Kind::Json, "a=b"));
        assert_eq!(Destination::parse("markdown=/x/y z.md"), file(Kind::Markdown, "/x/y z.md"));
        assert_eq!(Destination::parse("github"), Ok(Destination::Github));
        for wrong in ["", "xml=a", "JUNIT=a", "junit", "junit=", "json", "markdown=", "=a"] {
            let error = Destination::parse(wrong).unwrap_err();
            assert!(error.contains(KINDS), "{wrong}: {error}");
        }
        let _ = Destination::parse("github=a").unwrap_err();
    }

    #[test]
    fn no_destination_is_there_twice() {
        let reports = |typed: &[&str]| {
            let report = typed.iter().map(|typed| Destination::parse(typed).unwrap()).collect();
            Reports::try_from(Typed { format: Format::Text, report })
        };
        assert_eq!(reports(&["junit=a", "json=b", "json=c", "github"]).unwrap().destinations.len(), 4);
        for twice in [["junit=a", "json=a"], ["json=a", "json=./a"], ["json=a", "json=src/../a"], ["github", "github"]]
        {
            assert_eq!(reports(&twice).unwrap_err().exit_code(), 2, "{twice:?}");
        }
    }
}
