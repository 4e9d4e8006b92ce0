//! A test's process: it takes a database, uses it, and gives it back.

use std::process::ExitCode;

use pg_testdb::TestDb;

/// By this argument the harness runs itself.
pub(crate) const ARGUMENT: &str = "lease";

pub(crate) fn take() -> ExitCode {
    match lease() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn lease() -> Result<(), Box<dyn std::error::Error>> {
    let db = TestDb::new()?;
    let statement = db.client()?.batch_execute("INSERT INTO taggit_tag (name, slug) VALUES ('a', 'a')");
    // That the test itself fails is no fault of the lease.
    statement.map_err(|error| format!("{error:#} [the statement is the test's own]"))?;
    db.finish()?;
    Ok(())
}
