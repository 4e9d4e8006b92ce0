//! The log of a server: made, kept once more, and its end for an error.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use crate::{Error, files::create};

const LINES: usize = 12;

/// What is read of a log. Its server writes it, and can make it as long as it likes.
const LIMIT: u64 = 65536;

/// The last lines; of a file that cannot be read, a word about that.
pub(crate) fn tail(path: &Path) -> String {
    let text = match end(path) {
        Ok(text) => text,
        Err(error) => return format!("  | (unreadable: {error})"),
    };
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    match lines.len() {
        0 => "  | (empty)".to_owned(),
        count => {
            lines[count.saturating_sub(LINES)..].iter().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
        }
    }
}

/// The last 64 kB, as text.
pub(crate) fn end(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LIMIT)))?;
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// An empty log.
pub(crate) fn open(log: &Path) -> Result<File, Error> {
    create(log)?;
    // Appending, as several processes write through it.
    File::options().append(true).open(log).map_err(Error::io("write", log))
}

/// Keeps the log of the run before: it says why that server ended.
pub(crate) fn rotate(log: &Path) {
    let _ = fs::rename(log, log.with_extension("previous"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_from_its_end_and_up_to_a_bound() {
        let directory = std::env::temp_dir().join(format!("pg-server-log-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let path = directory.join("log");
        fs::write(&path, "first\nFATAL:  last\n").unwrap();
        assert_eq!(tail(&path), "  | first\n  | FATAL:  last");
        File::options().write(true).open(&path).unwrap().set_len(1 << 26).unwrap();
        assert!(end(&path).unwrap().len() <= LIMIT as usize);
        fs::remove_file(&path).unwrap();
        assert!(tail(&path).starts_with("  | (unreadable: "));
        fs::remove_dir(&directory).unwrap();
    }
}
