//! The verdict: one check for each thing that must be true, each with what mends it.

use crate::object::Object;

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    Pass,
    /// It does not hold: the app is, or will be, wrong.
    Fail,
    /// The app works; something that should protect it is missing.
    Warn,
    /// It could not be looked at; the message says why.
    Skip,
}

/// One check and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// A stable name: the contract's "check ids".
    pub id: &'static str,
    /// The outcome.
    pub status: Status,
    /// One sentence.
    pub message: String,
    /// What it is about; empty where all is well.
    pub objects: Vec<Object>,
    /// SQL that mends it, in order, without final semicolons; empty where no SQL can.
    pub fix: Vec<String>,
}

/// All checks of one verification, in the contract's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The checks.
    pub checks: Vec<Check>,
    /// Tables in the app's schema.
    pub tables: i64,
}

impl Status {
    /// The contract's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Skip => "skip",
        }
    }
}

impl Check {
    pub(crate) fn new(id: &'static str, status: Status, message: impl Into<String>) -> Self {
        Self { id, status, message: message.into(), objects: Vec::new(), fix: Vec::new() }
    }

    pub(crate) fn pass(id: &'static str, message: impl Into<String>) -> Self {
        Self::new(id, Status::Pass, message)
    }

    pub(crate) fn fail(id: &'static str, message: impl Into<String>) -> Self {
        Self::new(id, Status::Fail, message)
    }

    pub(crate) fn warn(id: &'static str, message: impl Into<String>) -> Self {
        Self::new(id, Status::Warn, message)
    }

    pub(crate) fn skip(id: &'static str, reason: impl Into<String>) -> Self {
        Self::new(id, Status::Skip, reason)
    }

    pub(crate) fn about(mut self, objects: impl IntoIterator<Item = Object>) -> Self {
        self.objects.extend(objects);
        self
    }

    pub(crate) fn mended_by(mut self, statements: impl IntoIterator<Item = String>) -> Self {
        self.fix.extend(statements);
        self
    }
}

impl Report {
    /// How many checks have a status.
    pub fn count(&self, status: Status) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }

    /// Whether nothing failed; warnings do not count.
    pub fn is_clean(&self) -> bool {
        self.count(Status::Fail) == 0
    }

    /// Whether nothing failed but what running the migrations again would mend.
    pub fn fails_only(&self, ids: &[&str]) -> bool {
        self.checks.iter().all(|check| check.status != Status::Fail || ids.contains(&check.id))
    }
}
