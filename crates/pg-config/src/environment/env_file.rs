//! `.env`: read by `dotenvy`, after what it would get wrong without a word has been refused.

use std::collections::{BTreeMap, BTreeSet};

use super::{PASSED_THROUGH, is_ours};

/// What a file says.
#[derive(Clone, Default)]
pub(super) struct Content {
    pub(super) values: BTreeMap<String, String>,
    /// Our own as they were written, with their quotes, before a reference to another became its value.
    pub(super) written: BTreeMap<String, String>,
    /// The app's own keys that are handed on, without their quotes.
    pub(super) passed_through: BTreeMap<String, String>,
    /// The line of each key, counted from 1.
    pub(super) lines: BTreeMap<String, usize>,
}

/// The file's values, or the number of the line that is wrong and why; never its text.
///
/// Only our own lines are read, and those that they refer to: what other programs keep beside them is theirs to
/// understand. A value of ours is refused where tools differ about it, or where `dotenvy` would change it: an
/// unquoted `$` (`pa$$word` would become `pa`), quotes and backslashes in the middle, a `${NAME}` that is not
/// defined, a key said twice. `is_defined` tells of the names that the process defines.
pub(super) fn parse(bytes: &[u8], is_defined: &dyn Fn(&str) -> bool) -> Result<Content, (usize, String)> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let reason = "it is not UTF-8\n  help: save it as UTF-8 (PowerShell's `>` writes UTF-16)";
        (before.iter().filter(|byte| **byte == b'\n').count() + 1, reason.to_owned())
    })?;
    // Editors on Windows put one there; it is no part of the first key.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines = Vec::new();
    let mut open = None;
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        // The lines of another program's value are not assignments.
        if let Some(quote) = open {
            open = closing(line, quote).is_none().then_some(quote);
            continue;
        }
        let Some((key, value)) = assignment(line) else {
            no_assignment(line).map_err(|reason| (number, reason))?;
            continue;
        };
        if is_ours(key) {
            if let Some(first) = seen.get(key) {
                return Err((number, format!("{key} stands on line {first} already\n  help: keep one of them")));
            }
            let is_defined = |name: &str| seen.contains_key(name) || is_defined(name);
            check_quoting(key, value, &is_defined).map_err(|reason| (number, reason))?;
        } else if let Some(quote) = value.trim_start().chars().next().filter(|first| ['\'', '"'].contains(first)) {
            open = closing(&value.trim_start()[1..], quote).is_none().then_some(quote);
        }
        seen.insert(key, number);
        lines.push((number, key, value, line));
    }
    let mut content = Content::default();
    let ours = lines.iter().filter(|(_, key, ..)| is_ours(key));
    let referred: BTreeSet<&str> = ours.flat_map(|(_, _, value, _)| references(value)).collect();
    let mut read = String::new();
    for (number, key, value, line) in &lines {
        content.lines.insert((*key).to_owned(), *number);
        if is_ours(key) {
            content.written.insert((*key).to_owned(), value.trim().to_owned());
        }
        if is_ours(key) || referred.contains(key) {
            check_quoting(key, value, &|name| seen.contains_key(name) || is_defined(name))
                .map_err(|reason| (*number, reason))?;
            read.extend([line, "\n"]);
        } else if !value.trim().is_empty() {
            // That there is one may be told; what it is, is its program's business.
            content.values.insert((*key).to_owned(), value.trim().to_owned());
        }
        if PASSED_THROUGH.contains(key) {
            // A value in quotes may go on in the next line.
            let start = value.as_ptr().addr() - text.as_ptr().addr();
            content.passed_through.insert((*key).to_owned(), handed_on(&text[start..]));
        }
    }
    for item in dotenvy::from_read_iter(read.as_bytes()) {
        // Each line was looked at before.
        let (key, value) =
            item.map_err(|_| (1, "it cannot be read\n  help: put its values in single quotes".to_owned()))?;
        content.values.insert(key, value);
    }
    Ok(content)
}

/// A line without `=` is a comment, or the rest of something that was torn apart.
fn no_assignment(line: &str) -> Result<(), String> {
    if line.trim().is_empty() || line.trim_start().starts_with('#') {
        return Ok(());
    }
    let words = line.trim().trim_start_matches("export ");
    let key: String = words.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    if is_ours(&key) {
        return Err(format!("{key} is not followed by `=`\n  help: write {key}=…"));
    }
    if words.starts_with("postgres://") || words.starts_with("postgresql://") {
        return Err("it is a connection string alone\n  help: write DATABASE_URL= before it".to_owned());
    }
    if line.contains('=') {
        // Other tools have keys of other kinds.
        return Ok(());
    }
    Err("it is not `KEY=value`\n  help: put a value of several lines in quotes, a comment behind `#`".to_owned())
}

fn assignment(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    let exported = key.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace));
    let key = exported.map_or(key, str::trim);
    let is_key = !key.is_empty() && key.chars().all(is_of_key);
    is_key.then_some((key, value.trim_end()))
}

/// A value at the beginning of a text, as the app's own reader would have it: without its quotes or the comment behind it,
/// and with every `$` as it is.
fn handed_on(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let value = text.trim_start_matches([' ', '\t']);
    if let Some(quote @ ('\'' | '"')) = value.chars().next()
        && let Some(end) = closing(&value[1..], quote)
    {
        let inside = &value[1..=end];
        return if quote == '"' { unescaped(inside) } else { inside.to_owned() };
    }
    line.find(" #").map_or(line, |comment| &line[..comment]).trim().to_owned()
}

/// Without the backslash before each `"`, `\\` and `$`.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let escaped = letters.next_if(|next| letter == '\\' && "\"\\$".contains(*next));
        plain.push(escaped.unwrap_or(letter));
    }
    plain
}

fn is_of_key(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_.-".contains(character)
}

/// The keys that a value refers to as `${KEY}`.
fn references(value: &str) -> impl Iterator<Item = &str> {
    value.split("${").skip(1).filter_map(|rest| {
        let (key, after) = rest.split_at(rest.find(|c| !is_of_key(c))?);
        after.starts_with('}').then_some(key)
    })
}

/// Looks at how a value is quoted; an error says what to write instead.
fn check_quoting(key: &str, value: &str, is_defined: &dyn Fn(&str) -> bool) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{what} in the value of {key}\n  help: put the whole value in single quotes"));
    const DOUBLE: &str = "put the whole value in double quotes, with a backslash before each \" \\ and $";
    // A provider's page shows it so; MIGRATE_COMMAND is one by right.
    if key.ends_with("DATABASE_URL") && value.trim_start().trim_start_matches(['\'', '"']).starts_with("psql ") {
        return Err(format!("the value of {key} is a command\n  help: keep the connection string alone"));
    }
    if value.starts_with('#') {
        return wrong("a `#`, which begins a comment,");
    }
    let value = value.trim_start();
    if value.starts_with('#') {
        // A comment, after nothing.
        return Ok(());
    }
    let after_quotes = match value.chars().next() {
        Some(quote @ ('\'' | '"')) => {
            let Some(end) = closing(&value[1..], quote) else {
                return Err(format!("the value of {key} lacks its closing quote"));
            };
            let inside = &value[1..=end];
            match quote {
                '"' => substitutions(key, inside, is_defined)?,
                // Some tools take it for one, some for two.
                _ if inside.contains(r"\\") => {
                    return Err(format!("two backslashes in the value of {key}\n  help: {DOUBLE}"));
                }
                _ => {}
            }
            &value[end + 2..]
        }
        _ => {
            let value = value.find(" #").map_or(value, |comment| value[..comment].trim_end());
            if value.contains('\'') {
                return Err(format!("a single quote in the value of {key}\n  help: {DOUBLE}"));
            }
            if value.contains('"') {
                return wrong("a quote");
            }
            if value.contains('\\') {
                return wrong("a backslash");
            }
            if value.contains(char::is_whitespace) {
                return wrong("white space");
            }
            substitutions(key, value, is_defined)?;
            ""
        }
    };
    let is_comment = after_quotes.starts_with(char::is_whitespace) && after_quotes.trim_start().starts_with('#');
    if after_quotes.trim().is_empty() || is_comment {
        return Ok(());
    }
    Err(format!("text after the closing quote in the value of {key}\n  help: {DOUBLE}"))
}

/// Where the closing quote stands; in double quotes `\` takes the next character as it is.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, character)| {
        let is_it = character == quote && !is_escaped;
        is_escaped = quote == '"' && character == '\\' && !is_escaped;
        is_it.then_some(at)
    })
}

/// A `$` must be the beginning of a deliberate `${NAME}` that is defined, or be escaped.
fn substitutions(key: &str, value: &str, is_defined: &dyn Fn(&str) -> bool) -> Result<(), String> {
    for (at, _) in value.match_indices('$') {
        let escapes = value[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if escapes % 2 == 1 {
            continue;
        }
        let Some((name, _)) = value[at + 1..].strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
            return Err(format!(
                "the `$` in the value of {key} would be replaced\n  help: put the value in single quotes\n  help: or write ${{NAME}} to have it replaced"
            ));
        };
        if !is_defined(name) {
            return Err(format!(
                "the value of {key} refers to a `${{…}}` that is not defined, in a line above or in the environment"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BTreeMap<String, String>, (usize, String)> {
        parse(text.as_bytes(), &|name| name == "DEFINED").map(|content| content.values)
    }

    #[test]
    fn what_was_written_is_kept_beside_its_value() {
        let text = "DB_PASSWORD='s3cret'\nMIGRATE_COMMAND=\"tool --pw ${DB_PASSWORD}\"  \nOTHER=x\n";
        let content = parse(text.as_bytes(), &|_| false).unwrap_or_default();
        assert_eq!(content.values["MIGRATE_COMMAND"], "tool --pw s3cret");
        assert_eq!(content.written["MIGRATE_COMMAND"], r#""tool --pw ${DB_PASSWORD}""#);
        assert!(!content.written.contains_key("OTHER"));
    }

    #[test]
    fn reads_the_seed_document() {
        let text = "# PostgreSQL\nDEBUG=True\nSECRET_KEY=pa$$word\nDATABASE_URL=postgres://u:p@h/d?options=-csearch_path=aura\n";
        assert_eq!(read(text).unwrap()["DATABASE_URL"], "postgres://u:p@h/d?options=-csearch_path=aura");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_key() {
        assert_eq!(read("\u{feff}DB_NAME=x\n").unwrap()["DB_NAME"], "x");
    }

    #[test]
    fn what_is_plain_is_read_as_it_stands() {
        for (text, value) in [
            ("DB_PASSWORD='pa$$w#rd \"\\ x'", "pa$$w#rd \"\\ x"),
            ("DB_PASSWORD='it' # a comment", "it"),
            ("DB_PASSWORD='psql is it'", "psql is it"),
            ("DB_PASSWORD=\"two words\" # a comment", "two words"),
            ("DB_PASSWORD=\"a \\\"quote\\\" and \\$5\"", "a \"quote\" and $5"),
            ("DB_PASSWORD=pa#ss:w/o?rd&=%@", "pa#ss:w/o?rd&=%@"),
            ("DB_PASSWORD=x # a comment", "x"),
            ("export DB_PASSWORD = x\r\n", "x"),
            ("DB_NAME=a\nDB_PASSWORD=${DB_NAME}b", "ab"),
            ("OTHER=a\nDB_PASSWORD=${OTHER}b", "ab"),
            ("DB_PASSWORD=", ""),
            ("DB_PASSWORD= # a comment", ""),
            ("OTHER=\"a\nDB_PASSWORD=x\n\"\nDB_PASSWORD=y", "y"),
        ] {
            assert_eq!(read(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))["DB_PASSWORD"], value, "{text}");
        }
    }

    #[test]
    fn the_migrate_command_may_be_psql() {
        let values = read("MIGRATE_COMMAND='psql -X -f all.sql'").unwrap();
        assert_eq!(values["MIGRATE_COMMAND"], "psql -X -f all.sql");
    }

    /// Lines of other programs are not read, whatever they look like.
    #[test]
    fn other_programs_lines_take_nothing_from_ours() {
        let text = "MAIL=Aura Team <a@b.c>\nALLOWED=a, b\nSECRET_KEY=don't(b)c&d\\e $x\nJSON={\"a\": \"b\"}\n\
            DB_NAME=x\nADMIN_EMAIL=o'neil@x.y\nodd key = 1\nDB_USER=y\n";
        let values = read(text).unwrap();
        assert_eq!((values["DB_NAME"].as_str(), values["DB_USER"].as_str()), ("x", "y"));
        assert!(values.contains_key("SECRET_KEY"));
    }

    /// Looking through all lines for each would take half an hour.
    #[test]
    fn many_lines_take_no_longer_each() {
        let others: String = (0..200_000).map(|number| format!("OTHER_{number}=${{OTHER_1}} x\n")).collect();
        let ours: String = (0..20_000).map(|number| format!("PG{number}='${{'\n")).collect();
        let text = format!("{others}REFERRED=a\n{ours}DB_NAME=${{REFERRED}}b\n");
        let values = read(&text).unwrap();
        assert_eq!((values["DB_NAME"].as_str(), values.len()), ("ab", 220_002));
        // One long value.
        let long = format!("DB_NAME=\"{}\"\n", "${DEFINED}\\$".repeat(100_000));
        assert_eq!(read(&long).unwrap()["DB_NAME"], "$".repeat(100_000));
    }

    #[test]
    fn errors_name_the_line_and_never_the_value() {
        for (text, line, says) in [
            ("DEBUG=1\nDB_PASSWORD=s3cr$$et\n", 2, "`$`"),
            ("DB_PASSWORD=\"s3cr$et\"\n", 1, "`$`"),
            ("A=1\n\nDB_PASSWORD='s3cret\n", 3, "closing quote"),
            ("A=1\nDB_PASSWORD=s3cret more words\nB=2\n", 2, "white space"),
            ("DB_NAME=a\nDB_NAME=s3cret\n", 2, "line 1 already"),
            ("DB_PASSWORD=s3cr\"et\"\n", 1, "a quote"),
            ("DB_PASSWORD=s3cr\\et\n", 1, "a backslash"),
            ("DB_PASSWORD='s3cr'et\n", 1, "after the closing quote"),
            ("DB_PASSWORD=s3cr${NOBODYS}et\n", 1, "is not defined"),
            ("DATABASE_URL=postgres://u:s3cret@h/${DB_NAME}\nDB_NAME=later\n", 1, "is not defined"),
            ("DB_PASSWORD=#s3cret\n", 1, "begins a comment"),
            ("export\tDB_PASSWORD=s3cr$$et\n", 1, "`$`"),
            ("DB_PASSWORD=\"s3cret\"#x\n", 1, "after the closing quote"),
            ("DB_PASSWORD=\"s3cr\\\\${NOBODYS}\"\n", 1, "is not defined"),
            ("OTHER=\"a\nDB_NAME=z\n\"\nDB_PASSWORD=s3cr${DB_NAME}et\n", 4, "is not defined"),
            ("A=1\nDB_PASSWORD: s3cret\nB=2\n", 2, "write DB_PASSWORD=…"),
            ("A=1\ns3cret and more\n", 2, "not `KEY=value`"),
            ("A=1\npostgres://u:s3cret@h/d\n", 2, "write DATABASE_URL= before it"),
            ("DATABASE_URL=psql 'postgres://u:s3cret@h/d'\n", 1, "is a command"),
            ("DB_PASSWORD=s3c'ret\n", 1, "double quotes"),
            ("DB_PASSWORD='s3c\\\\ret'\n", 1, "double quotes"),
            ("OTHER=s3cret words\nDB_NAME=${OTHER}\n", 1, "white space"),
        ] {
            let (number, reason) = read(text).unwrap_err();
            assert_eq!(number, line, "{text}: {reason}");
            assert!(reason.contains(says) && !reason.contains("s3cr"), "{text}: {reason}");
        }
        assert_eq!(parse(b"A=1\nDB_NAME=\xff\n", &|_| false).err().map(|(line, _)| line), Some(2));
        assert!(read("DB_NAME=${DEFINED}\n").is_ok());
    }
}
