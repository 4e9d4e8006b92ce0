//! Running what provisioning asserts.

use pg_config::{Identifier, Session};
use postgres::error::SqlState;

use super::{By, Change, ProvisionError, lazy_session::LazySession};
use crate::{
    Expected,
    query::{execute, execute_at_once, query},
    sql_error::{SqlError, mask_verifier},
};

/// What was run so far; each change is told as it happens, so that it is known whatever comes after.
pub(super) struct Run<'a> {
    tell: &'a mut dyn FnMut(&Change),
    pub(super) changes: Vec<Change>,
    pub(super) left: Vec<SqlError>,
    pub(super) warnings: Vec<String>,
    remark: Option<String>,
}

impl<'a> Run<'a> {
    pub(super) fn new(tell: &'a mut dyn FnMut(&Change)) -> Self {
        Self { tell, changes: Vec::new(), left: Vec::new(), warnings: Vec::new(), remark: None }
    }

    /// Runs a statement without which there is no going on, and which takes no time.
    pub(super) fn must(&mut self, session: &mut Session, by: By, statement: &str) -> Result<(), SqlError> {
        let outcome = execute_at_once(session, statement);
        self.ran(session, by, statement, outcome)
    }

    /// The same of one that may take long: it makes a database, or runs an extension's script.
    pub(super) fn must_make(&mut self, session: &mut Session, by: By, statement: &str) -> Result<(), SqlError> {
        let outcome = execute(session, statement);
        self.ran(session, by, statement, outcome)
    }

    fn ran(
        &mut self,
        session: &mut Session,
        by: By,
        statement: &str,
        outcome: Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        let remark = self.remark.take().unwrap_or_default();
        outcome.map_err(|error| match by {
            By::Administrator => with_cause(session, error),
            By::App => error,
        })?;
        let text = mask_verifier(statement);
        let warnings = session.take_notices().into_iter().filter(|notice| notice.severity() == "WARNING");
        self.warnings.extend(warnings.map(|warning| format!("{}: {text}", warning.message())));
        let change = Change { statement: format!("{text}{remark}"), by };
        (self.tell)(&change);
        self.changes.push(change);
        Ok(())
    }

    /// What is told beside the next statement: who owned its object before.
    pub(super) fn remark_owner(&mut self, before: &Identifier) {
        self.remark(format!("owned by {before} before"));
    }

    /// What is told beside the next statement.
    pub(super) fn remark(&mut self, words: String) {
        self.remark = Some(format!(" -- {words}"));
    }

    /// Runs a statement where the rights allow; what they do not allow, the verification names.
    pub(super) fn may(&mut self, session: &mut Session, by: By, statement: &str) -> Result<(), SqlError> {
        match self.must(session, by, statement) {
            Err(error) if error.is(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                self.left.push(error);
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// The same by the app, where it is the app's to run, and else by the administrator.
    pub(super) fn may_by_either(
        &mut self,
        is_apps: bool,
        app: &mut Session,
        admin: &mut LazySession<'_>,
        expected: &Expected,
        statement: &str,
    ) -> Result<(), ProvisionError> {
        match is_apps {
            true => self.may(app, By::App, statement)?,
            false => self.may(admin.session(expected)?, By::Administrator, statement)?,
        }
        Ok(())
    }
}

/// Where a name was not found (class 42), that may be in the function of an event trigger: it runs by our search_path.
fn with_cause(session: &mut Session, mut error: SqlError) -> SqlError {
    let is_unknown = ["42883", "42P01", "42704", "42703", "3F000"].iter().any(|code| error.sqlstate.contains(code));
    let triggers = match is_unknown {
        true => query(session, include_str!("../sql/event_triggers.sql"), &[]).unwrap_or_default(),
        false => Vec::new(),
    };
    for row in triggers {
        let (trigger, function): (String, String) = (row.get("trigger"), row.get("function"));
        error.detail += &format!(
            "\n  help: event trigger {trigger} runs function {function}, which has no search_path of its own and so finds \
             names by ours (pg_catalog, pg_temp): ALTER FUNCTION {function} SET search_path = its schemas"
        );
    }
    error
}
