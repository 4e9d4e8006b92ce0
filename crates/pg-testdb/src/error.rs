//! Why there is no database.

use std::{error, fmt, sync::Arc};

use pg_config::shown;
use pg_schema::SqlError;
use postgres::error::SqlState;

/// Why there is no database, and what to do.
///
/// `Display` says what was tried, and [`source`](error::Error::source) what led to it. `{:#}` and `Debug` say all of
/// it, so that the output of `unwrap` in a test can be read.
#[derive(Clone)]
pub struct Error(Arc<anyhow::Error>);

impl Error {
    /// Whether no server was found at all.
    ///
    /// ```no_run
    /// # use pg_testdb::TestDb;
    /// if TestDb::new().is_err_and(|error| error.is_no_server()) {
    ///     println!("skipped: there is no PostgreSQL");
    /// }
    /// ```
    pub fn is_no_server(&self) -> bool {
        pg_workflow::is_no_server(&self.0)
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = if f.alternate() { format!("{:#}", self.0) } else { self.0.to_string() };
        f.write_str(&shown(&format!("no test database: {words}"), "\n"))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source()
    }
}

/// Whether the server gave this SQLSTATE.
pub(crate) fn is_refused(error: &anyhow::Error, code: &SqlState) -> bool {
    error.downcast_ref::<SqlError>().is_some_and(|refused| refused.is(code))
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use anyhow::anyhow;

    use super::Error;

    #[test]
    fn what_led_to_it_is_said_once() {
        let error = Error::from(anyhow!("the server\u{1b} is gone").context("make the template"));
        assert_eq!(error.to_string(), "no test database: make the template");
        assert_eq!(error.source().unwrap().to_string(), "the server\u{1b} is gone");
        let whole = "no test database: make the template: the server\\u{1b} is gone";
        assert_eq!((format!("{error:#}"), format!("{error:?}")), (whole.to_owned(), whole.to_owned()));
    }
}
