//! Text of an engine, and of the files that name engines.

use pg_config::is_hidden;

/// The text on one line, without what a terminal would obey, and not too long.
pub(super) fn clean(text: &str) -> String {
    let text = text.replace(is_hidden, " ");
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(300) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_fits_on_a_line() {
        assert_eq!(clean("\u{1b}[2Ja\r\n\t b\u{202e}c\u{0} "), "[2Ja b c");
        assert_eq!(clean(&"x".repeat(500)).chars().count(), 301);
    }
}
