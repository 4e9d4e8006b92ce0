//! Characters that a screen does not show, but obeys.

/// Whether a screen would obey this character, or show nothing for it: control characters, line and paragraph
/// separators, marks of the writing direction, whatever else has no width, and what is no character at all.
///
/// Unicode's categories Cc, Cf, Zl and Zp with the property `Default_Ignorable_Code_Point`.
pub fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}'
            | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}' | '\u{110bd}'
            | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The text with each hidden character, but those of `kept`, in letters: for text that others had a part in, on its way
/// to a screen.
///
/// ```
/// assert_eq!(pg_connect::shown("red\u{1b}[31m\n", "\n"), "red\\u{1b}[31m\n");
/// ```
pub fn shown(text: &str, kept: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match is_hidden(letter) && !kept.contains(letter) {
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
    }
    shown
}

/// Whether a screen, or the log of a GitHub workflow (`##[error]`), would obey something in a text.
pub fn is_obeyed(text: &str) -> bool {
    text.contains(is_hidden) || text.contains(WORKFLOW_COMMAND)
}

/// What begins a command in any place of a line.
pub const WORKFLOW_COMMAND: &str = "##[";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_shown_and_what_steers_a_screen_is_not() {
        assert!(('\0'..=char::MAX).filter(|character| character.is_control()).all(is_hidden));
        for hidden in
            "\u{61c}\u{200b}\u{200e}\u{200f}\u{202a}\u{202e}\u{2028}\u{2029}\u{2066}\u{2069}\u{feff}\u{fffe}\u{e0041}"
                .chars()
        {
            assert!(is_hidden(hidden), "{hidden:?}");
        }
        // A blank that does not break is shown: French messages of the server have them.
        assert!(!('\u{20}'..='\u{7e}').any(is_hidden));
        assert!(!"é œ « » \u{a0}\u{202f}日本語עברית😀\u{fffd}".chars().any(is_hidden));
    }
}
