//! `postmaster.pid`: what a server says of itself, which outlives it where it was killed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::local::server_dir::ServerDir;

const NAME: &str = "postmaster.pid";

/// Of its eight lines two are paths.
const LIMIT: usize = 16384;

/// The lines of `postmaster.pid` (`src/include/utils/pidfile.h`), as far as they are written yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: u32,
    /// Line 4; absent in the first milliseconds.
    pub(crate) port: Option<u16>,
    /// Line 5: the first of `unix_socket_directories`.
    pub(crate) socket_dir: Option<PathBuf>,
    /// Line 8 says `ready`.
    pub(crate) ready: bool,
}

/// What is in a data directory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    /// Empty or garbled, and not because it is being written just now: PostgreSQL would refuse to start.
    Broken,
    Written(PidFile),
}

/// Reads the file in this data directory.
pub(crate) fn read(data: &Path) -> io::Result<Found> {
    let opened = ServerDir::open(data).and_then(|data| Ok((data.read(NAME.as_ref(), LIMIT)?, data)));
    let (content, data) = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        outcome => outcome?,
    };
    let Ok(text) = str::from_utf8(&content) else { return Ok(Found::Broken) };
    if let Some(written) = parse(text) {
        return Ok(Found::Written(written));
    }
    let age = data
        .file(NAME.as_ref())
        .and_then(|file| file.metadata()?.modified())
        .map(|modified| SystemTime::now().duration_since(modified).unwrap_or_default());
    match age {
        Ok(age) if age < Duration::from_secs(1) => Ok(Found::Nothing),
        _ => Ok(Found::Broken),
    }
}

/// Takes away a file that no server of this data directory holds.
pub(crate) fn remove(data: &Path) -> io::Result<()> {
    match fs::remove_file(data.join(NAME)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

fn parse(text: &str) -> Option<PidFile> {
    let mut lines = text.lines();
    // `postgres --single` writes its id negated.
    let pid = lines.next()?.trim().parse::<i64>().ok()?.unsigned_abs().try_into().ok().filter(|pid| *pid > 1)?;
    let port = lines.nth(2).and_then(|line| line.trim().parse().ok());
    let socket_dir = lines.next().map(str::trim).filter(|line| !line.is_empty()).map(PathBuf::from);
    let ready = lines.nth(2).is_some_and(|line| line.trim() == "ready");
    Some(PidFile { pid, port, socket_dir, ready })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_while_it_is_written() {
        let whole = "4711\n/d/clusters/15/data\n1700000000\n15432\n/d/clusters/15/run\n127.0.0.1\n  1 2\nready   \n";
        let ready =
            PidFile { pid: 4711, port: Some(15432), socket_dir: Some("/d/clusters/15/run".into()), ready: true };
        assert_eq!(parse(whole), Some(ready));
        let starting = parse(&whole.replace("ready   ", "starting")).unwrap();
        assert!(!starting.ready && starting.port == Some(15432));
        let first_lines = parse("4711\n/d/clusters/15/data\n1700000000\n15432\n\n").unwrap();
        assert_eq!(first_lines, PidFile { pid: 4711, port: Some(15432), socket_dir: None, ready: false });
        assert_eq!(parse("-4711\n/d").unwrap().pid, 4711);
    }

    #[test]
    fn garbage_names_no_process() {
        for text in ["", "\n", "x", "0\n", "1\n", "99999999999\n"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
