//! `failure-modes.md`, read.

use std::fmt;

/// The number of a failure mode: F9, M12.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Number(pub(crate) char, pub(crate) u32);

impl Number {
    /// F9 or f09: a letter and digits, and nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (letter, digits) = text.split_at_checked(1)?;
        let letter = letter.chars().next()?.to_ascii_uppercase();
        let is_number = ['F', 'M'].contains(&letter) && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok())?.map(|number| Self(letter, number))
    }

    /// As it stands in a test's name: `f09_`.
    pub(crate) fn in_name(self) -> String {
        format!("{}{:02}_", self.0.to_ascii_lowercase(), self.1)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, self.1)
    }
}

/// One line of the list.
pub(crate) struct Mode {
    pub(crate) number: Number,
    pub(crate) promise: &'static str,
    pub(crate) is_later: bool,
    pub(crate) what: &'static str,
}

pub(crate) fn read() -> Vec<Mode> {
    let text = include_str!("../../failure-modes.md");
    let lines = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let mode = |line: &'static str| {
        let mut cells = line.splitn(3, " | ");
        let number = Number::parse(cells.next()?)?;
        let (promise, what) = (cells.next().unwrap(), cells.next().unwrap());
        let later = promise.strip_prefix("later: ");
        Some(Mode { number, promise: later.unwrap_or(promise), is_later: later.is_some(), what })
    };
    lines.filter_map(mode).collect()
}
