//! Reading in one transaction, by a path that others cannot change.

use pg_config::Session;

use crate::{
    query::{ANSWER, execute_at_once, first_row},
    sql_error::SqlError,
};

/// The path that a session was given, before a query of ours goes by a path of its own.
pub(crate) struct OriginalPath {
    /// `search_path`.
    pub(crate) path: String,
    /// Where an unqualified CREATE TABLE would go.
    pub(crate) schema: Option<String>,
}

/// Asks for no operator, and for nothing by an unqualified name: whatever the path is, the answer is the server's.
const ORIGINAL_PATH: &str = "SELECT pg_catalog.current_setting('search_path'), pg_catalog.current_schema()";

/// Has a transaction find nothing that others have put into another schema (CVE-2018-1058). By a transaction no
/// setting stays behind, in a pooler's session neither.
pub(crate) const SAFE_PATH_HERE: &str = "SET LOCAL search_path = pg_catalog, pg_temp";

/// The same for settings by which the app's role could change what a query means, or how an answer is written.
pub(crate) const SAFE_SETTINGS: &str = "SET LOCAL standard_conforming_strings = on; SET LOCAL transform_null_equals = off; \
     SET LOCAL quote_all_identifiers = off; SET LOCAL \"DateStyle\" = 'ISO, MDY'";

/// Settings for queries that are run once: they look expensive to the planner where there are many tables, and compiling
/// them would cost more than running them does; and their joins are written in the order in which they are cheap.
pub(crate) const RUN_ONCE: &str = "SET LOCAL jit = off; SET LOCAL join_collapse_limit = 1";

/// Reads in one transaction that changes nothing, by the safe path: the app's own sessions ask all that needs more
/// than qualified names in here.
pub(crate) fn in_transaction<T>(
    session: &mut Session,
    read: impl FnOnce(&mut Session, &OriginalPath) -> Result<T, SqlError>,
) -> Result<T, SqlError> {
    let begin = format!("BEGIN READ ONLY; {BOUNDS}; {ORIGINAL_PATH}; {SAFE_PATH_HERE}; {SAFE_SETTINGS}; {RUN_ONCE}");
    let messages = session.ask(ANSWER, |client| client.simple_query(&begin));
    let messages = messages.map_err(|error| SqlError::new(session, &begin, &error))?;
    let row = first_row(&messages);
    let value = |column: usize| row.and_then(|row| row.get(column)).map(str::to_owned);
    let path = OriginalPath { path: value(0).unwrap_or_default(), schema: value(1) };
    let outcome = read(session, &path);
    match outcome {
        Ok(read) => execute_at_once(session, "COMMIT").map(|()| read),
        Err(error) => {
            // What the server said first is what counts.
            let _ = execute_at_once(session, "ROLLBACK");
            Err(error)
        }
    }
}

/// The bounds of every other question: somebody may have locked the catalog, or the server be out of breath.
const BOUNDS: &str = "SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '60s'; \
                      SET LOCAL idle_in_transaction_session_timeout = 0";
