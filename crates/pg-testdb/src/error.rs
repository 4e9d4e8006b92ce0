//! Why there is no database.

use std::{error, fmt, sync::Arc};

use pg_config::is_hidden;

/// Why there is no database, and what to do. `Debug` says the same, so that `unwrap` in a test can be read.
#[derive(Clone)]
pub struct Error(Arc<anyhow::Error>);

impl Error {
    /// Whether no server could be had at all.
    pub fn is_no_server(&self) -> bool {
        pg_setup::is_no_server(&self.0)
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&format!("no test database: {:#}", self.0)))
    }
}

/// A text that others had a part in, for a test's output: it must not steer the screen.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter != '\n' && is_hidden(letter) {
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
    }
    shown
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for Error {}
