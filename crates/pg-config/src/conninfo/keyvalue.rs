//! Connection strings as `key=value` pairs: `host=localhost user='a b' password='it\'s'`.

use super::{ConnString, InvalidConnString, keyword};

/// Reads pairs parted by white space; a value may stand in single quotes, `\` takes the next character as it is.
pub(super) fn parse(text: &str) -> Result<ConnString, InvalidConnString> {
    let mut found = ConnString::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or(InvalidConnString::Form)?;
        let key = key.trim_end();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(InvalidConnString::Form);
        }
        let known = keyword::known(key)?;
        let (value, after) = take_value(after.trim_start()).ok_or_else(|| InvalidConnString::Value {
            key: known,
            reason: "lacks the closing quote, or what `\\` stands before".to_owned(),
        })?;
        found.set(key, value)?;
        rest = after.trim_start();
    }
    Ok(found)
}

/// The value at the text's beginning, and what follows it.
fn take_value(text: &str) -> Option<(String, &str)> {
    let (quoted, text) = text.strip_prefix('\'').map_or((false, text), |rest| (true, rest));
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.push(characters.next()?.1),
            '\'' if quoted => return Some((value, &text[at + 1..])),
            _ if !quoted && character.is_whitespace() => return Some((value, &text[at..])),
            _ => value.push(character),
        }
    }
    (!quoted).then_some((value, ""))
}
