//! What stands under a finding for people to read; JSON alone lists all.

use pg_schema::{Check, Definition, Fix, Object};

use crate::escape;

/// How many objects of one finding are listed.
const MOST_OBJECTS: usize = 10;
/// How many statements of one fix are listed.
const MOST_STATEMENTS: usize = 20;

/// The first objects and statements of a finding, and how many there are beside these.
pub(super) struct Listed {
    /// None where there is only one: the message names it. Definitions where there are some.
    pub(super) objects: Vec<String>,
    pub(super) more_objects: usize,
    pub(super) statements: Vec<Statement>,
    pub(super) more_statements: usize,
}

/// A statement that fixes the finding.
pub(super) struct Statement {
    /// With its semicolon.
    pub(super) sql: String,
    /// `fix` where `--fix` would run it, else `needs you`; and as whom, where only the app's role may.
    pub(super) how: &'static str,
}

impl Listed {
    pub(super) fn of(check: &Check) -> Self {
        let objects = match check.objects.len() {
            _ if !check.definitions.is_empty() => check.definitions.iter().map(side_by_side).collect(),
            0 | 1 => Vec::new(),
            _ => check.objects.iter().map(in_words).collect::<Vec<_>>(),
        };
        Self {
            more_objects: objects.len().saturating_sub(MOST_OBJECTS),
            objects: objects.into_iter().take(MOST_OBJECTS).collect(),
            statements: check.fix.iter().take(MOST_STATEMENTS).map(Statement::of).collect(),
            more_statements: check.fix.len().saturating_sub(MOST_STATEMENTS),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.statements.is_empty()
    }

    /// The finding as plain text, for what shows neither tables nor colours.
    pub(super) fn under(&self, message: &str) -> String {
        // Each of them is one line: none can be taken for another.
        let mut lines = vec![escape::line(message)];
        lines.extend(self.objects.iter().map(|object| format!("  {}", escape::line(object))));
        lines.extend(more(self.more_objects).map(|words| format!("  {words}")));
        lines.extend(
            self.statements.iter().map(|statement| format!("{}: {}", statement.how, escape::line(&statement.sql))),
        );
        lines.extend(more(self.more_statements));
        lines.join("\n")
    }
}

impl Statement {
    fn of(fix: &Fix) -> Self {
        let how = match (fix.is_safe, fix.is_for_app) {
            (true, false) => "fix",
            (true, true) => "fix as the app's role",
            (false, false) => "needs you",
            (false, true) => "needs you, as the app's role",
        };
        Self { sql: format!("{};", fix.statement), how }
    }
}

/// How many are not listed, where there are such.
pub(super) fn more(count: usize) -> Option<String> {
    (count > 0).then(|| format!("… and {count} more (--report json=FILE lists all)"))
}

fn side_by_side(definition: &Definition) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
    format!("{}: expected {}; found {}", definition.name, text(&definition.expected), text(&definition.found))
}

fn in_words(object: &Object) -> String {
    let owner = object.owner.as_ref().map(|owner| format!(", owner {owner}")).unwrap_or_default();
    format!("{} {}{owner}", object.kind.as_str(), object.qualified())
}
