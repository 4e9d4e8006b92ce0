//! Masking the passwords of a text that nobody promised to be a connection string, such as a command.

/// A text, such as a shell command, with the passwords masked that it shows by their place: in URLs, and
/// after `password=`, `PGPASSWORD=`, `passwd=` and other keys that end so, quoted or not.
///
/// In doubt more is masked: a URL's password goes up to the last `@` before white space.
pub fn mask_urls(text: &str) -> String {
    mask_keys(&mask_authorities(text))
}

fn mask_authorities(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        masked.push_str(before);
        masked.push_str("://");
        // A quote of the shell that is open around the URL may end it, or white space: whichever is later.
        let end_at = |end: Option<usize>| end.unwrap_or(after.len());
        let quoted = open_quote(&text[..text.len() - after.len()]).map_or(0, |quote| end_at(after.find(quote)));
        let end = end_at(after.find(char::is_whitespace)).max(quoted);
        let (url, beyond) = after.split_at(end);
        let userinfo = url.rsplit_once('@').and_then(|(userinfo, _)| Some((userinfo, userinfo.split_once(':')?.0)));
        rest = match userinfo {
            Some((userinfo, user)) => {
                masked.extend([user, ":***"]);
                &after[userinfo.len()..]
            }
            // Another URL may follow in the same word.
            None => match url.find("://") {
                Some(_) => after,
                None => {
                    masked.push_str(url);
                    beyond
                }
            },
        };
    }
    masked.push_str(rest);
    masked
}

fn mask_keys(text: &str) -> String {
    // Same length: only ASCII letters change.
    let lower = text.to_ascii_lowercase();
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    while let Some((key, end)) = next_key(&lower, at) {
        let Some(value) = value_start(text, key, end) else {
            masked.push_str(&text[at..end]);
            at = end;
            continue;
        };
        let value_end = value + value_length(&text[value..], open_quote(&text[..value]), in_query(&text[..key]));
        masked.push_str(&text[at..value]);
        if value_end > value {
            masked.push_str("***");
        }
        at = value_end;
    }
    masked.push_str(&text[at..]);
    masked
}

/// Where the next `password` or `passwd` begins and ends.
fn next_key(lower: &str, from: usize) -> Option<(usize, usize)> {
    ["password", "passwd"]
        .iter()
        .filter_map(|key| lower[from..].find(key).map(|at| (from + at, from + at + key.len())))
        .min()
}

/// Where the value of a key begins: after `=`, which white space may surround, as libpq allows; after
/// white space for a flag of the command line.
fn value_start(text: &str, key: usize, end: usize) -> Option<usize> {
    let after = &text[end..];
    let trimmed = after.trim_start();
    let gap = after.len() - trimmed.len();
    match trimmed.strip_prefix('=') {
        Some(value) if gap > 0 => Some(text.len() - value.trim_start().len()),
        Some(value) => Some(text.len() - value.len()),
        None => {
            let word = text[..key].rsplit(char::is_whitespace).next().unwrap_or_default();
            let is_flag = word.starts_with("--") && gap > 0 && !trimmed.starts_with('-');
            is_flag.then_some(end + gap)
        }
    }
}

/// Whether the key stands in the query of a URL, where `&` ends its value.
fn in_query(before: &str) -> bool {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    word.contains("://") && word.contains('?')
}

/// The quote of the shell that is open at the end of this text.
fn open_quote(text: &str) -> Option<char> {
    let mut open = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (open, character) {
            (None | Some('"'), '\\') => {
                characters.next();
            }
            (None, '\'' | '"') => open = Some(character),
            (Some(quote), _) if quote == character => open = None,
            _ => {}
        }
    }
    open
}

/// How long the value at the beginning of this text is: a word of the shell, or where a quote of the
/// shell is open around it, a value of libpq's, whose own quotes are `'`.
fn value_length(text: &str, outer: Option<char>, in_query: bool) -> usize {
    let mut inner = None;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        // `'\''` is how a single quote stands in single quotes.
        if outer == Some('\'') && text[at..].starts_with(r"'\''") {
            inner = if inner.is_some() { None } else { Some('\'') };
            at += 4;
            continue;
        }
        match character {
            _ if outer == Some(character) => break,
            '\\' if inner != Some('\'') || outer.is_some() => {
                at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8);
                continue;
            }
            _ if inner == Some(character) => inner = None,
            _ if inner.is_some() => {}
            // What a command of the shell prints.
            '`' => inner = Some('`'),
            '$' if text[at..].starts_with("$(") => inner = Some(')'),
            '\'' if outer != Some('\'') => inner = Some('\''),
            '"' if outer.is_none() => inner = Some('"'),
            '&' if in_query => break,
            ';' | '|' | '&' | '(' | ')' | '<' | '>' if outer.is_none() => break,
            _ if character.is_whitespace() => break,
            _ => {}
        }
        at += character.len_utf8();
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_a_command_are_masked() {
        for (text, masked) in [
            ("psql 'postgres://u:s3cret@h/d' -c x@y:z", "psql 'postgres://u:***@h/d' -c x@y:z"),
            ("a://u:p@h b://v@h c://h:1/x", "a://u:***@h b://v@h c://h:1/x"),
            ("cargo run -- migrate", "cargo run -- migrate"),
            ("postgres://u:s3cr/etpw@h/d", "postgres://u:***@h/d"),
            ("'postgres://u:s3cr?e'@h/d' x", "'postgres://u:***@h/d' x"),
            ("postgres://u:s3@cr@h/d", "postgres://u:***@h/d"),
            ("x://h,postgres://u:s3cret@h/d", "x://h,postgres:***@h/d"),
            ("a 'postgres://h/d?password=s3cret&x=y'", "a 'postgres://h/d?password=***&x=y'"),
            (r#"psql "host=h password=s3cret""#, r#"psql "host=h password=***""#),
            (r#"psql "host=h password='s3cret \' pw' user=u""#, r#"psql "host=h password=*** user=u""#),
            (r"psql 'password='\''s3cret pw'\'' user=u'", r"psql 'password=*** user=u'"),
            (r"psql 'password=s3\ cr user=u'", r"psql 'password=*** user=u'"),
            (r#"psql "password = s3cret user=u""#, r#"psql "password = *** user=u""#),
            ("psql 'password=s3&cret'; true", "psql 'password=***'; true"),
            ("PGPASSWORD=s3cret psql -c x", "PGPASSWORD=*** psql -c x"),
            ("PGPASSWORD=s3cret; psql", "PGPASSWORD=***; psql"),
            (r#"PGPASSWORD="s3 cret" DB_PASSWORD='s3 cret' run"#, "PGPASSWORD=*** DB_PASSWORD=*** run"),
            (r"env PGPASSWORD='s3cr'\''et pw' run", "env PGPASSWORD=*** run"),
            (r"PGPASSWORD=s3cr\ et run", "PGPASSWORD=*** run"),
            (r#"sh -c "PGPASSWORD='s3 cr' run""#, r#"sh -c "PGPASSWORD=*** run""#),
            ("PGPASSWORD=$DB_PASSWORD psql", "PGPASSWORD=*** psql"),
            ("PGPASSWORD='s3cret and no end", "PGPASSWORD=***"),
            ("run --password=s3cret --passwd s3cret -x", "run --password=*** --passwd *** -x"),
            ("PASSWORD_FILE=/run/x passwords=1 password", "PASSWORD_FILE=/run/x passwords=1 password"),
            ("password=gé…heim ü=1", "password=*** ü=1"),
            ("psql 'postgres://u:s3 cr et@h/d' -c x", "psql 'postgres://u:***@h/d' -c x"),
            ("PGPASSWORD=`echo s3cret pw` run", "PGPASSWORD=*** run"),
            ("PGPASSWORD=$(echo s3cret pw) run", "PGPASSWORD=*** run"),
        ] {
            assert_eq!(mask_urls(text), masked);
        }
    }
}
