//! What others have written, on its way to a screen or into a report: names of the catalog, words of servers, engines
//! and programs, paths, values of the environment. One function for each place; each printer goes through them.
//!
//! What a screen would obey, or would not show, is written as `\u{1b}`. SQL needs none of this: its names and literals
//! are written so by [`pg_config::Identifier`] and [`pg_config::Literal`], and mean the same to the server.

use std::fmt::Write;

use pg_config::{is_hidden, shown};
use serde_json::Value;

/// One line, or a piece of one, of a terminal or a log. A runner of GitHub obeys lines that begin with `::`, and `##[`
/// in any place.
pub(crate) fn line(text: &str) -> String {
    let shown = shown(text, "\t").replace("##[", "##\\u{5b}");
    let start = shown.len() - shown.trim_start().len();
    if shown[start..].starts_with("::") { shown[..start].to_owned() + "\\u{3a}" + &shown[start + 1..] } else { shown }
}

/// Lines of a terminal or a log. Our own are indented where others come before them: a line that is not is quoted, and
/// cannot be taken for the beginning of something else.
pub(crate) fn lines(text: &str) -> String {
    let mut lines = text.split('\n').map(|text| line(text.strip_suffix('\r').unwrap_or(text)));
    let mut shown = lines.next().unwrap_or_default();
    for line in lines {
        let quote = if line.is_empty() || line.starts_with("  ") { "" } else { "  | " };
        shown.extend(["\n", quote, &line]);
    }
    shown
}

/// The message of a workflow command of GitHub. <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>
pub(crate) fn workflow(text: &str) -> String {
    workflow_exactly(&shown(text, "\t\n"))
}

/// The value of a property of such a command.
pub(crate) fn workflow_property(text: &str) -> String {
    workflow(text).replace(':', "%3A").replace(',', "%2C")
}

/// The same as [`workflow`], for what is no text to be shown: the runner undoes these escapes. A command ends with its
/// line.
pub(crate) fn workflow_exactly(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text that stays text, in one line of Markdown: in a cell of a table too.
pub(crate) fn markdown(text: &str) -> String {
    let shown = shown(&text.replace("\r\n", "\n"), "\n");
    let mut escaped = String::with_capacity(shown.len());
    for (at, letter) in shown.char_indices() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' => escaped.push_str("<br>"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => escaped.extend(['\\', letter]),
            // Headings, lists and lines under headings begin so; addresses become links.
            '#' | '+' | '-' | '=' if shown[..at].trim().is_empty() => escaped.extend(['\\', letter]),
            ':' if shown[at..].starts_with("://") => escaped.push_str("\\:"),
            '.' if shown[..at].ends_with("www") => escaped.push_str("\\."),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// A block of code in Markdown, in a fence that no line of it ends.
pub(crate) fn markdown_code(language: &str, code: &str) -> String {
    let code = shown(&code.replace("\r\n", "\n"), "\t\n");
    let longest = code.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}{language}\n{code}\n{fence}\n")
}

/// Text between tags. What XML 1.0 has no way to write (§2.2, `Char`) is hidden, all of it.
pub(crate) fn xml(text: &str) -> String {
    shown(text, "\t\n").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An attribute's value, in which a reader would make blanks of tabs and line feeds.
pub(crate) fn xml_attribute(text: &str) -> String {
    xml(text).replace('"', "&quot;").replace('\t', "&#9;").replace('\n', "&#10;")
}

/// A JSON document. A reader of JSON gets the texts as they are; on a screen they are harmless.
pub(crate) fn json(document: &Value) -> String {
    let mut escaped = String::new();
    let mut units = [0; 2];
    // What is hidden can only stand in a text; line feeds stand between them.
    for letter in format!("{document:#}").replace("##[", "##\\u005b").chars() {
        if letter == '\n' || !is_hidden(letter) {
            escaped.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut units) {
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}
