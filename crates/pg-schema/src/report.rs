//! The verdict: one check for each thing that must be true, each with what fixes it.

use std::collections::HashSet;

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
    /// What of it has another definition than is expected, where both can be had.
    pub definitions: Vec<Definition>,
    /// SQL that fixes it, in order; empty where no SQL can.
    pub fix: Vec<Fix>,
}

/// The two definitions of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its kind and its name, in words.
    pub name: String,
    /// The expected one; none of what should not be there.
    pub expected: Option<String>,
    /// The one that is there; none of what is missing.
    pub found: Option<String>,
}

/// A statement that fixes a finding, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Its text, without a final semicolon.
    pub statement: String,
    /// What it does.
    pub action: Action,
    /// Whether `db-verify --fix` may run it: it moves no data, drops nothing and ends no session. Else a person
    /// decides.
    pub is_safe: bool,
    /// Whether the app's role must run it: it reads the app's tables, or runs expressions and functions that they
    /// hold. With an administrator's rights those could do anything.
    pub is_for_app: bool,
}

/// What a statement does, where it matters to those who run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Creates an extension, whose script runs with more rights than its caller's.
    CreateExtension,
    /// Gives an object of the schema to the app's role.
    ChangeOwner,
    /// Gives a privilege to a role in whose name the server acts for the app.
    GrantOwner,
    /// Lets the app's role into its database.
    GrantDatabase,
    /// Sets the path of the app's role in its database.
    SetRolePath,
    /// Sets a sequence, which no transaction takes back.
    SetSequence,
    /// Reads or writes all of a table, which may take long.
    Rebuild,
    /// Anything else.
    Other,
}

impl Fix {
    /// A statement that may be run without a person's decision, by anyone with the rights.
    pub(crate) fn of(action: Action, statement: String) -> Self {
        Self { statement, action, is_safe: true, is_for_app: false }
    }
}

impl From<String> for Fix {
    fn from(statement: String) -> Self {
        Self::of(Action::Other, statement)
    }
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
        Self { id, status, message: message.into(), objects: Vec::new(), definitions: Vec::new(), fix: Vec::new() }
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

    /// By statements that anyone with the rights may run.
    pub(crate) fn fixed_by(mut self, fixes: impl IntoIterator<Item = impl Into<Fix>>) -> Self {
        self.fix.extend(fixes.into_iter().map(Into::into));
        self
    }

    /// By statements that the app's own connection alone may run.
    pub(crate) fn fixed_by_app(self, fixes: impl IntoIterator<Item = impl Into<Fix>>) -> Self {
        self.fixed_by(fixes.into_iter().map(|fix| Fix { is_for_app: true, ..fix.into() }))
    }

    /// By statements that a person decides on.
    pub(crate) fn fixed_by_hand(self, fixes: impl IntoIterator<Item = impl Into<Fix>>) -> Self {
        self.fixed_by(fixes.into_iter().map(|fix| Fix { is_safe: false, ..fix.into() }))
    }

    /// By statements that a person decides on, and the app's role runs.
    pub(crate) fn fixed_by_hand_as_app(self, fixes: impl IntoIterator<Item = impl Into<Fix>>) -> Self {
        self.fixed_by(fixes.into_iter().map(|fix| Fix { is_safe: false, is_for_app: true, ..fix.into() }))
    }
}

impl Report {
    /// How many checks have a status.
    pub fn count(&self, status: Status) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }

    /// The statements that may be run without a person's decision, each once, with the check that names it first.
    pub fn safe_fixes(&self) -> Vec<(&Check, &Fix)> {
        let mut known = HashSet::new();
        let fixes = self.checks.iter().flat_map(|check| check.fix.iter().map(move |fix| (check, fix)));
        fixes.filter(|(_, fix)| fix.is_safe && known.insert(&fix.statement)).collect()
    }

    /// Whether there is such a statement.
    pub fn has_safe_fix(&self) -> bool {
        self.checks.iter().flat_map(|check| &check.fix).any(|fix| fix.is_safe)
    }

    /// The check of an id.
    pub(crate) fn check_mut(&mut self, id: &str) -> Option<&mut Check> {
        self.checks.iter_mut().find(|check| check.id == id)
    }

    /// Whether something in the schema is not what the migrations made.
    pub fn has_drift(&self) -> bool {
        let is_found = |check: &Check| matches!(check.status, Status::Fail | Status::Warn);
        self.checks.iter().any(|check| check.id == "drift" && is_found(check))
    }

    /// Whether nothing failed; warnings do not count.
    pub fn is_clean(&self) -> bool {
        self.count(Status::Fail) == 0
    }

    /// Whether nothing failed but what running the migrations again would fix.
    pub fn fails_only(&self, ids: &[&str]) -> bool {
        self.checks.iter().all(|check| check.status != Status::Fail || ids.contains(&check.id))
    }
}
