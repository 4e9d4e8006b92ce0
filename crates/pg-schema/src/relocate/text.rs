//! Where a text names an object by its schema: bodies of functions, literals in expressions.

use std::ops::Range;

/// A place where a text says `schema.object`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mention {
    /// Where the schema's name is, quotes included.
    pub(super) schema: Range<usize>,
    /// The object's bare name.
    pub(super) object: String,
}

/// Every mention of a schema's objects, in strings too: they may be run. What stands in a comment of SQL is left out where
/// it is certain that it is one.
pub(super) fn mentions(text: &str, schema: &str, language: &str) -> Vec<Mention> {
    let comments = if has_sure_comments(text, language) { comments(text) } else { Vec::new() };
    let (mut found, mut at) = (Vec::new(), 0);
    let mut before = None;
    while let Some(letter) = text[at..].chars().next() {
        if let Some(comment) = comments.iter().find(|comment| comment.start == at) {
            (at, before) = (comment.end, None);
            continue;
        }
        let is_start = before.is_none_or(|before: char| !is_of_name(before) && !".@/\"".contains(before));
        match name(text, at) {
            Some((first, end)) if is_start => {
                if let Some((object, _)) = after_dot(text, end).filter(|_| first == schema) {
                    found.push(Mention { schema: at..end, object });
                }
                (at, before) = (end, text[..end].chars().next_back());
            }
            _ => (at, before) = (at + letter.len_utf8(), Some(letter)),
        }
    }
    found
}

/// The text with another schema in these places.
pub(super) fn replaced(text: &str, mentions: &[&Mention], schema: &str) -> String {
    let (mut new, mut at) = (String::new(), 0);
    for mention in mentions {
        new.push_str(&text[at..mention.schema.start]);
        new.push_str(schema);
        at = mention.schema.end;
    }
    new + &text[at..]
}

/// The contents of the string literals of an expression as the server prints it, without those that are names to the
/// server already (`'public.s'::regclass`).
pub(super) fn literals(expression: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), expression);
    while let Some(start) = rest.find(['\'', '"']) {
        let quote = rest[start..].chars().next().unwrap_or('\'');
        let is_escaped = quote == '\'' && rest[..start].ends_with('E');
        let (mut content, mut letters) = (String::new(), rest[start + 1..].char_indices().peekable());
        let mut end = rest.len();
        while let Some((at, letter)) = letters.next() {
            if letter == '\\' && is_escaped {
                content.extend(letters.next().map(|(_, letter)| letter));
            } else if letter != quote {
                content.push(letter);
            } else if letters.next_if(|(_, next)| *next == quote).is_some() {
                content.push(quote);
            } else {
                end = start + 1 + at + 1;
                break;
            }
        }
        rest = &rest[end..];
        if quote == '\'' && !rest.starts_with("::reg") {
            found.push(content);
        }
    }
    found
}

/// A name that begins here, as the catalog has it, and where it ends.
fn name(text: &str, at: usize) -> Option<(String, usize)> {
    let rest = &text[at..];
    if let Some(quoted) = rest.strip_prefix('"') {
        let (mut name, mut letters) = (String::new(), quoted.char_indices().peekable());
        while let Some((place, letter)) = letters.next() {
            if letter != '"' {
                name.push(letter);
            } else if letters.next_if(|(_, next)| *next == '"').is_some() {
                name.push('"');
            } else {
                return Some((name, at + 1 + place + 1));
            }
        }
        return None;
    }
    if !rest.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        return None;
    }
    let end = rest.find(|letter| !is_of_name(letter)).unwrap_or(rest.len());
    Some((rest[..end].to_lowercase(), at + end))
}

/// The name after a dot, blanks around it left out.
fn after_dot(text: &str, at: usize) -> Option<(String, usize)> {
    let rest = text[at..].trim_start().strip_prefix('.')?.trim_start();
    name(text, text.len() - rest.len())
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

/// Whether `--` outside quotes is a comment: not where another language, an escape or another quote may decide.
fn has_sure_comments(text: &str, language: &str) -> bool {
    let is_quoted_by_dollars =
        text.split('$').skip(1).any(|part| part.chars().all(is_of_name) && !part.starts_with(char::is_numeric));
    ["sql", "plpgsql"].contains(&language) && !text.contains('\\') && !is_quoted_by_dollars
}

/// The comments outside quotes; those between `/*` and `*/` may hold others.
fn comments(text: &str) -> Vec<Range<usize>> {
    let (bytes, mut found, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let start = at;
        match (bytes[at], bytes.get(at + 1)) {
            (quote @ (b'\'' | b'"'), _) => {
                at = text[at + 1..].find(char::from(quote)).map_or(bytes.len(), |end| at + 1 + end + 1);
            }
            (b'-', Some(b'-')) => {
                at = text[at..].find('\n').map_or(bytes.len(), |end| at + end);
                found.push(start..at);
            }
            (b'/', Some(b'*')) => {
                let mut depth = 0;
                while at < bytes.len() {
                    match &bytes[at..bytes.len().min(at + 2)] {
                        b"/*" => (depth, at) = (depth + 1, at + 2),
                        b"*/" => (depth, at) = (depth - 1, at + 2),
                        _ => at += 1,
                    }
                    if depth == 0 {
                        break;
                    }
                }
                // Its end is a letter of its own, whatever stands in it.
                while !text.is_char_boundary(at) {
                    at += 1;
                }
                found.push(start..at);
            }
            _ => at += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        mentions(text, "public", "plpgsql").into_iter().map(|mention| mention.object).collect()
    }

    #[test]
    fn mentions_are_names_and_nothing_else() {
        assert_eq!(named("SELECT public.t, PUBLIC . \"T\", \"public\".u FROM x.public.v"), ["t", "T", "u"]);
        assert_eq!(named("EXECUTE 'SELECT public.t'; a.public.b; republic.c; public; public.1"), ["t"]);
        assert_eq!(named("-- public.a\nSELECT /* public.b /* */ public.c */ 'it''s -- ' || public.d"), ["d"]);
        assert_eq!(named("SELECT '--' || public.a"), ["a"]);
        // Where it is not certain that it is a comment it counts.
        assert_eq!(named("EXECUTE $$it's$$; -- public.a"), ["a"]);
        assert_eq!(named("SELECT E'\\'' -- public.a"), ["a"]);
        assert_eq!(mentions("x -- public.a", "public", "plpython3u").len(), 1);
        assert_eq!(named("SELECT 'é' -- é\n, public.é"), ["é"]);
        assert_eq!(named("https://public.example/ @public.x public.\"a\"\"b\""), ["a\"b"]);
    }

    #[test]
    fn only_the_schema_is_replaced() {
        let text = "SELECT public.a, \"public\".b, public.c";
        let found = mentions(text, "public", "sql");
        let some: Vec<_> = found.iter().filter(|mention| mention.object != "c").collect();
        assert_eq!(replaced(text, &some, "aura"), "SELECT aura.a, aura.b, public.c");
    }

    #[test]
    fn literals_that_are_names_already_are_left_out() {
        let expression = r#"nextval('public.s'::regclass) || 'public.t'::text || "it's" || E'a\'public.u' || 'it''s'"#;
        assert_eq!(literals(expression), ["public.t", "a'public.u", "it's"]);
    }
}
