//! Masking the passwords of a text that nobody promised to be a connection string, such as a command.

/// A text, such as a shell command, with the passwords masked that it shows by their place: in URLs, and
/// after `password=`, `PGPASSWORD=`, `passwd=` and other keys that end so, quoted or not.
///
/// In doubt more is masked: a URL's password goes up to the last `@` before white space.
pub fn mask_urls(text: &str) -> String {
    mask_keys(&mask_authorities(text))
}

/// Where some sign stands in a text, in order. A long command is looked through once, and then asked many times.
struct Places(Vec<usize>);

impl Places {
    fn of<'a>(found: impl Iterator<Item = (usize, &'a str)>) -> Self {
        Self(found.map(|(at, _)| at).collect())
    }

    fn first_from(&self, from: usize) -> Option<usize> {
        self.0.get(self.0.partition_point(|at| *at < from)).copied()
    }

    fn last_before(&self, end: usize) -> Option<usize> {
        self.0.get(self.0.partition_point(|at| *at < end).checked_sub(1)?).copied()
    }
}

fn mask_authorities(text: &str) -> String {
    let spaces = Places::of(text.match_indices(char::is_whitespace));
    let ats = Places::of(text.match_indices('@'));
    let quotes = [('\'', Places::of(text.match_indices('\''))), ('"', Places::of(text.match_indices('"')))];
    let mut shell = Shell::default();
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    while let Some((before, after)) = text[at..].split_once("://") {
        masked.push_str(before);
        masked.push_str("://");
        let start = text.len() - after.len();
        // A quote of the shell that is open around the URL may end it, or white space: whichever is later.
        let open = shell.quote_at(text, start);
        let quote = quotes.iter().find(|(quote, _)| open == Some(*quote));
        let quoted = quote.map_or(0, |(_, places)| places.first_from(start).unwrap_or(text.len()));
        let end = spaces.first_from(start).unwrap_or(text.len()).max(quoted);
        let userinfo = ats.last_before(end).filter(|last| *last >= start).map(|last| &text[start..last]);
        at = match userinfo.and_then(|userinfo| Some((userinfo, userinfo.split_once(':')?.0))) {
            Some((userinfo, user)) => {
                masked.extend([user, ":***"]);
                start + userinfo.len()
            }
            // Another URL may follow in the same word.
            None if text[start..end].contains("://") => start,
            None => {
                masked.push_str(&text[start..end]);
                end
            }
        };
    }
    masked.push_str(&text[at..]);
    masked
}

fn mask_keys(text: &str) -> String {
    // Same length: only ASCII letters change.
    let lower = text.to_ascii_lowercase();
    let words = Words::of(text);
    let mut shell = Shell::default();
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    while let Some((key, end)) = next_key(&lower, at) {
        let Some(value) = value_start(text, words.start(key), end) else {
            masked.push_str(&text[at..end]);
            at = end;
            continue;
        };
        let value_end = value + value_length(&text[value..], shell.quote_at(text, value), words.is_query(key));
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
    lower[from..].match_indices("passw").map(|(at, _)| from + at).find_map(|at| {
        let key = ["password", "passwd"].into_iter().find(|key| lower[at..].starts_with(key))?;
        Some((at, at + key.len()))
    })
}

/// Where the value of a key begins: after `=`, which white space may surround, as libpq allows; after
/// white space for a flag of the command line. `word` is where the key's word begins.
fn value_start(text: &str, word: usize, end: usize) -> Option<usize> {
    let after = &text[end..];
    let trimmed = after.trim_start();
    let gap = after.len() - trimmed.len();
    match trimmed.strip_prefix('=') {
        Some(value) if gap > 0 => Some(text.len() - value.trim_start().len()),
        Some(value) => Some(text.len() - value.len()),
        None => {
            let is_flag = text[word..end].starts_with("--") && gap > 0 && !trimmed.starts_with('-');
            is_flag.then_some(end + gap)
        }
    }
}

/// The words of a text, and what makes a URL with a query of one.
struct Words {
    /// Where each begins.
    starts: Places,
    schemes: Places,
    queries: Places,
}

impl Words {
    fn of(text: &str) -> Self {
        let after = |(at, space): (usize, &str)| at + space.len();
        Self {
            starts: Places(text.match_indices(char::is_whitespace).map(after).collect()),
            schemes: Places::of(text.match_indices("://")),
            queries: Places::of(text.match_indices('?')),
        }
    }

    /// Where the word begins that is written at a place.
    fn start(&self, place: usize) -> usize {
        self.starts.last_before(place + 1).unwrap_or(0)
    }

    /// Whether a place is in the query of a URL, where `&` ends a value.
    fn is_query(&self, place: usize) -> bool {
        let word = self.start(place);
        self.schemes.first_from(word).is_some_and(|at| at + 3 <= place)
            && self.queries.first_from(word).is_some_and(|at| at < place)
    }
}

/// The shell's reading of a text, from its beginning on.
#[derive(Default)]
struct Shell {
    at: usize,
    open: Option<char>,
}

impl Shell {
    /// The quote that is open at a place; each place is asked for in the text's order.
    fn quote_at(&mut self, text: &str, place: usize) -> Option<char> {
        while let Some(character) = text[self.at..].chars().next().filter(|_| self.at < place) {
            self.at += character.len_utf8();
            match (self.open, character) {
                (None | Some('"'), '\\') => self.at += text[self.at..].chars().next().map_or(0, char::len_utf8),
                (None, '\'' | '"') => self.open = Some(character),
                (Some(quote), _) if quote == character => self.open = None,
                _ => {}
            }
        }
        self.open
    }
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

    /// Looking back to the beginning for each would take half an hour.
    #[test]
    fn a_long_command_takes_no_longer_by_the_letter() {
        for part in [
            "password ",
            "password=x ",
            "password",
            "passwd",
            "passw",
            "--password x ",
            "PGPASSWORD='x ",
            "password='x' \"",
            "a://",
            "a://h ",
            "a://u:s3cret@h ",
            "'a://u:s3cret@h' ",
            "'a://h?password=x&y=z",
            "a://h@",
            "a://'",
            "://\"@",
            "password=$(`",
            "\\",
            "'\"",
        ] {
            let text = part.repeat((1 << 18) / part.len());
            assert!(!mask_urls(&text).contains("s3cret"), "{part}");
        }
    }
}
