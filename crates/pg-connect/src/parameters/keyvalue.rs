//! Connection strings as `key=value` pairs: `host=localhost user='a b' password='it\'s'`.

use super::{InvalidConnString, Parameters, is_space, keyword};

/// Reads pairs parted by white space; a value may stand in single quotes, `\` takes the next character as it is.
pub(super) fn parse(text: &str) -> Result<Parameters, InvalidConnString> {
    let mut found = Parameters::default();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or(InvalidConnString::Form)?;
        let name = name.trim_end_matches(is_space);
        if name.is_empty() || name.contains(is_space) {
            return Err(InvalidConnString::Form);
        }
        let name = keyword::known(name)?.name;
        let (value, after) = take_value(after.trim_start_matches(is_space))
            .ok_or_else(|| InvalidConnString::value(name, "lacks the closing quote, or what `\\` stands before"))?;
        found.set(name, value)?;
        rest = after.trim_start_matches(is_space);
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
            _ if !quoted && is_space(character) => return Some((value, &text[at..])),
            _ => value.push(character),
        }
    }
    (!quoted).then_some((value, ""))
}
