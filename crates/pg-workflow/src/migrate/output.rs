//! What a migrate command says: the end of it, its warnings, and the statements that it passed over.

use std::collections::VecDeque;

/// What a command has said: the end of it, however much there was.
#[derive(Default)]
pub(super) struct Output {
    last: VecDeque<String>,
    skipped: usize,
    /// The first of its warnings.
    pub(super) warnings: Vec<String>,
    /// The first of its lines that name an applied migration.
    pub(super) applied: Vec<String>,
    /// The first of the statements that psql says have failed.
    pub(super) failed: Vec<String>,
    /// The first lines that only psql writes so where it reads no file.
    pub(super) may_have_failed: Vec<String>,
}

/// How many lines of a command's output are shown when it failed.
const SHOWN_LINES: usize = 40;

/// How many of its warnings, and of its failed statements, are kept.
const KEPT: usize = 100;

/// How many of its failed statements are shown.
const SHOWN_FAILED: usize = 5;

impl Output {
    pub(super) fn add(&mut self, line: String) {
        if let Some(warning) = warning(&line) {
            keep(&mut self.warnings, warning);
        }
        if names_applied(&line) {
            keep(&mut self.applied, line.trim().to_owned());
        }
        match failed_statement(&line) {
            Some(Place::File) => keep(&mut self.failed, line.clone()),
            Some(Place::None) => keep(&mut self.may_have_failed, line.clone()),
            None => {}
        }
        if self.last.len() == SHOWN_LINES {
            self.last.pop_front();
            self.skipped += 1;
        }
        self.last.push_back(line);
    }

    /// The lines that are kept.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        let kept = [&self.failed, &self.may_have_failed].into_iter().flatten();
        kept.chain(&self.last).map(String::as_str)
    }

    /// Below an error's first line.
    pub(super) fn shown(&self) -> String {
        if self.last.is_empty() {
            return "\n  it said nothing".to_owned();
        }
        let before = (self.skipped > 0).then(|| format!("\n  | ({} lines before these)", self.skipped));
        before.into_iter().chain(self.last.iter().map(|line| format!("\n  | {line}"))).collect()
    }
}

/// The lines of statements that failed, below an error's first line.
pub(super) fn shown_failed(failed: &[String]) -> String {
    let more = failed.len().saturating_sub(SHOWN_FAILED);
    let more = (more > 0).then(|| format!("\n  | (and {more} more)"));
    failed.iter().take(SHOWN_FAILED).map(|line| format!("\n  | {line}")).chain(more).collect()
}

fn keep(kept: &mut Vec<String>, line: String) {
    if kept.len() < KEPT {
        kept.push(line);
    }
}

/// Whether a line says that a migration was applied, as migration tools do: `Applied: 1_init.sql in 3ms`, `V1__tables:
/// applied`, `Applying auth.0001_initial... OK`.
fn names_applied(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    let says = |word: &str| line.split([' ', ':', '/']).any(|found| found == word);
    says("applied") || says("applying") && line.ends_with("ok")
}

/// The warning of a line: `WARNING:` is what libpq's programs put before what the server warned of.
fn warning(line: &str) -> Option<String> {
    let (before, words) = line.split_once("WARNING:")?;
    // `psql:file.sql:3: WARNING:  …`, or the line's beginning; anything else only speaks of warnings.
    let is_label = before.trim().is_empty() || before.trim_end().ends_with(':');
    is_label.then(|| format!("{before}{}", words.trim()))
}

/// Where psql says that a statement has failed.
#[derive(Debug, PartialEq)]
enum Place {
    /// A line of a file.
    File,
    /// None: it came from stdin or from `-c`.
    None,
}

/// `ERROR` in the languages of PostgreSQL: the server speaks that of `lc_messages`.
const ERRORS: [&str; 20] = [
    "ERROR",
    "FATAL",
    "PANIC",
    "ERREUR",
    "FEHLER",
    "ERRORE",
    "ERRO",
    "ОШИБКА",
    "ПОМИЛКА",
    "BŁĄD",
    "HATA",
    "FEL",
    "CHYBA",
    "エラー",
    "错误",
    "錯誤",
    "오류",
    "შეცდომა",
    "ΣΦΑΛΜΑ",
    "FATALE",
];

/// Whether psql says by this line that a statement has failed: `psql:FILE:LINE: ERROR:  …`, or without the file; and
/// `psql:FILE:LINE: error: …` of its own commands.
fn failed_statement(line: &str) -> Option<Place> {
    // libpq puts two spaces behind the severity.
    let is_error =
        |words: &str| ERRORS.iter().any(|error| words.strip_prefix(error).is_some_and(|rest| rest.starts_with(":  ")));
    if is_error(line) {
        return Some(Place::None);
    }
    let after = line.strip_prefix("psql:")?;
    // A file's name may hold what looks like its end.
    let is_of_file = after.match_indices(": ").any(|(at, mark)| {
        let number = after[..at].rsplit_once(':').map(|(_, number)| number).unwrap_or_default();
        let words = &after[at + mark.len()..];
        !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && (is_error(words) || words.starts_with("error: "))
    });
    is_of_file.then_some(Place::File)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_psql_is_known_by_its_form() {
        for line in [
            "psql:x.sql:2: ERROR:  type \"nothing\" does not exist",
            "psql:/a b/x: y.sql:12: FEHLER:  gibt es nicht",
            "psql:<stdin>:3: FATAL:  terminating connection",
            "psql:x.sql:5: error: y.sql: No such file or directory",
        ] {
            assert_eq!(failed_statement(line), Some(Place::File), "{line}");
        }
        assert_eq!(failed_statement("ERREUR:  la relation existe"), Some(Place::None));
        for line in [
            "psql:x.sql:2: NOTICE:  ERROR:  in words",
            "psql:x.sql:2: WARNING:  no",
            "psql:x.sql: ERROR:  no line",
            "psql: error: connection to server failed",
            " psql:x.sql:2: ERROR:  quoted",
            "ERROR: one space",
            "ERRORS:  none",
        ] {
            assert_eq!(failed_statement(line), None, "{line}");
        }
    }
}
