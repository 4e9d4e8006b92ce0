//! The end of a log, for an error.

use std::{fs, path::Path};

const LINES: usize = 12;

/// The last lines; of a file that cannot be read, a word about that.
pub(crate) fn tail(path: &Path) -> String {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => return format!("  (unreadable: {error})"),
    };
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    match lines.len() {
        0 => "  (empty)".to_owned(),
        count => {
            lines[count.saturating_sub(LINES)..].iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
        }
    }
}
