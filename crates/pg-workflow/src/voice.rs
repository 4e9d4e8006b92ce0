//! Who is told what is going on.

use std::any::Any;

use pg_schema::{By, Change, Expected};

/// What takes time or deserves a remark is told here, in lines for people.
pub trait Voice: Send + Sync {
    /// A step; behind a carriage return, how far it is.
    fn say(&self, line: &str);

    /// What only the curious want to know.
    fn detail(&self, _line: &str) {}

    /// Something is doubtful.
    fn warn(&self, line: &str);

    /// Whether the migrate command's own words are shown as they come.
    fn shows_output(&self) -> bool {
        false
    }

    /// A line of the migrate command's own.
    fn show(&self, _line: &str) {}

    /// Asks a person; no where there is none.
    fn confirm(&self, _question: &str) -> bool {
        false
    }

    /// Shows for how long the step that was said last has taken, for as long as the value lives.
    fn progress(&self) -> Box<dyn Any> {
        Box::new(())
    }

    /// Tells what is waited for, should it take long, for as long as the value lives.
    fn patience(&self, _line: String) -> Box<dyn Any> {
        Box::new(())
    }
}

/// Tells nobody anything: the outcome says it all.
#[derive(Clone, Copy, Debug)]
pub struct Silence;

impl Voice for Silence {
    fn say(&self, _line: &str) {}

    fn warn(&self, _line: &str) {}
}

/// Says what was run, and as whom.
pub fn say_change(voice: &dyn Voice, change: &Change, administrator: &str, expected: &Expected) {
    let by = match change.by {
        By::Administrator => administrator,
        By::App => expected.role.as_str(),
    };
    voice.say(&format!("{by}: {}", change.statement));
}
