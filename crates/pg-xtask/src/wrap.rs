//! Text at the width of a terminal. Without a terminal nothing is wrapped: programs read whole lines.

/// One line at this width, from its second line on below the given column.
pub(crate) fn wrap(line: &str, width: Option<usize>, column: usize) -> String {
    let Some(width) = width else { return line.to_owned() };
    // Where little room is left, what follows begins further to the left.
    let column = if width < column + 30 { column.min(4) } else { column };
    let (mut text, mut length) = (String::new(), 0);
    for (at, word) in line.split(' ').enumerate() {
        let letters = word.chars().count();
        // A runner of GitHub obeys lines that begin with `::`.
        if length + 1 + letters > width && length > column && !word.is_empty() && !word.starts_with("::") {
            text.truncate(text.trim_end().len());
            text += &format!("\n{:column$}{word}", "");
            length = column + letters;
            continue;
        }
        let space = if at == 0 { "" } else { " " };
        text += &format!("{space}{word}");
        length += space.len() + letters;
    }
    text
}

/// A page of paragraphs, lists, SQL and links. SQL and links stay whole.
pub(crate) fn wrap_page(page: &str, width: Option<usize>) -> String {
    if width.is_none() {
        return page.to_owned();
    }
    let is_whole = |line: &str| line.is_empty() || line.ends_with(';') || line.contains("://");
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_item = |line: &str| line.trim_start().starts_with("- ");
    // Where the lines of a paragraph begin, after the first.
    let hanging = |line: &str| indent(line) + if is_item(line) { 2 } else { 0 };
    let mut paragraphs: Vec<String> = Vec::new();
    let lines: Vec<_> = page.lines().collect();
    for (at, line) in lines.iter().copied().enumerate() {
        // The title of a link stands alone.
        let is_title = lines.get(at + 1).is_some_and(|next| next.contains("://"));
        match paragraphs.last_mut() {
            Some(last)
                if !is_title
                    && !is_whole(last)
                    && !is_whole(line)
                    && !is_item(line)
                    && indent(line) > 0
                    && hanging(last) == indent(line) =>
            {
                *last += &format!(" {}", line.trim_start());
            }
            _ => paragraphs.push(line.to_owned()),
        }
    }
    let wrapped =
        paragraphs.iter().map(|line| if is_whole(line) { line.clone() } else { wrap(line, width, hanging(line)) });
    wrapped.collect::<Vec<_>>().join("\n")
}

/// What begins a line below an error's sentence.
const LABELS: [&str; 6] = ["cause:", "detail:", "hint:", "note:", "statement:", "help:"];

/// No line of ours is longer, on however wide a terminal.
const WIDEST: usize = 100;

/// An error or a warning behind its label: the sentence, what led to it, and at the end what to do. SQL and quoted lines
/// stay whole, and so does a command.
pub(crate) fn wrap_message(label: &str, message: &str, width: Option<usize>) -> String {
    let width = width.unwrap_or(WIDEST).min(WIDEST);
    let mut blocks: Vec<Vec<&str>> = vec![Vec::new()];
    for line in message.lines() {
        if label_of(line).is_some_and(|(indent, label)| indent == 2 && LABELS.contains(&label)) {
            blocks.push(Vec::new());
        }
        blocks.last_mut().into_iter().for_each(|block| block.push(line));
    }
    let (helps, others): (Vec<_>, Vec<_>) =
        blocks.iter().partition(|block| block.first().is_some_and(|line| line.starts_with("  help:")));
    let mut lines = others.into_iter().chain(helps).flatten();
    let sentence = format!("{label} {}", lines.next().copied().unwrap_or_default());
    let first = wrap(&sentence, Some(width), label.len() + 1);
    [first].into_iter().chain(lines.map(|line| wrap_below(line, width))).collect::<Vec<_>>().join("\n")
}

/// A line below the sentence.
fn wrap_below(line: &str, width: usize) -> String {
    let words = line.trim_start();
    let indent = line.len() - words.len();
    // Commands in a list stand six columns from the left.
    let is_listed = indent >= 6 && label_of(line).is_none();
    let is_whole = is_listed || words.starts_with('|') || words.starts_with("--") || words.ends_with(';');
    if is_whole || words.starts_with("statement:") {
        return line.to_owned();
    }
    let hanging = label_of(line).map_or(indent + 5, |(indent, label)| indent + label.len() + 1);
    // What holds a command together while the line is wrapped: no text that was escaped has this letter.
    const JOIN: &str = "\u{1}";
    let joined = match line.rfind(": ").map(|at| line.split_at(at + 2)) {
        Some((before, command)) if COMMANDS.iter().any(|program| command.starts_with(program)) => {
            before.to_owned() + &command.replace(' ', JOIN)
        }
        _ => line.to_owned(),
    };
    wrap(&joined, Some(width), hanging).replace(JOIN, " ")
}

/// What a command that stands behind `: ` begins with.
const COMMANDS: [&str; 12] = [
    "\\password ",
    "apt-get ",
    "cargo ",
    "chmod ",
    "chown ",
    "docker ",
    "ls ",
    "podman ",
    "ps ",
    "rm ",
    "systemctl ",
    "touch ",
];

/// How far a line is indented, and the word and colon that it begins with.
fn label_of(line: &str) -> Option<(usize, &str)> {
    let words = line.trim_start();
    let label = words.split(' ').next().filter(|label| label.len() > 1 && label.ends_with(':'))?;
    let is_word = label[..label.len() - 1].chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
    is_word.then_some((line.len() - words.len(), label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_its_sentence_then_the_causes_then_the_help() {
        let message = "role \"app\" may not connect to database \"shop\" at db.example.org:5432\n  help: correct the password in DATABASE_URL or DB_PASSWORD\n  cause: password authentication failed for user \"app\" (28P01)\n  help: or change the role's: cargo xtask db-setup --set-password\n\n  -- by a superuser, in any database:\n  ALTER ROLE app PASSWORD 'a long verifier, which is not wrapped at any width: SCRAM-SHA-256$1:x';";
        assert_eq!(
            wrap_message("error:", message, Some(60)),
            "error: role \"app\" may not connect to database \"shop\" at\n       db.example.org:5432\n  cause: password authentication failed for user \"app\"\n         (28P01)\n  help: correct the password in DATABASE_URL or DB_PASSWORD\n  help: or change the role's:\n        cargo xtask db-setup --set-password\n\n  -- by a superuser, in any database:\n  ALTER ROLE app PASSWORD 'a long verifier, which is not wrapped at any width: SCRAM-SHA-256$1:x';"
        );
        for width in 1..140 {
            let wrapped = wrap_message("error:", message, Some(width));
            for line in wrapped.lines().filter(|line| !line.ends_with(';') && !line.contains("cargo xtask")) {
                assert!(line.chars().count() <= width.clamp(40, WIDEST), "{width}: {line}");
            }
            assert!(wrapped.contains("cargo xtask db-setup --set-password"), "{wrapped}");
        }
    }

    #[test]
    fn what_follows_begins_below_its_column() {
        let line = "  FAIL  role  role aura_user lacks INSERT on aura.notes_note and on aura.artworks_artist too";
        assert_eq!(wrap(line, None, 14), line);
        let wrapped = wrap(line, Some(60), 14);
        assert_eq!(
            wrapped,
            "  FAIL  role  role aura_user lacks INSERT on aura.notes_note\n              and on aura.artworks_artist too"
        );
        // No word is cut, and none is lost.
        for width in 1..120 {
            let wrapped = wrap(line, Some(width), 14);
            assert_eq!(wrapped.split_whitespace().collect::<Vec<_>>(), line.split_whitespace().collect::<Vec<_>>());
        }
        assert!(!wrap("a b ::error::x", Some(5), 0).contains("\n::"));
    }

    #[test]
    fn every_explanation_is_readable_at_60_columns_and_keeps_its_sql() {
        for id in pg_schema::CHECKS.iter().copied() {
            let page = pg_schema::explain(id).unwrap();
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let wrapped = wrap_page(page, Some(60));
            assert_eq!(words(&wrapped), words(page), "{id}");
            for line in wrapped.lines() {
                let is_whole = line.ends_with(';') || line.contains("://");
                assert!(line.chars().count() <= 60 || is_whole || !line.trim().contains(' '), "{id}: {line}");
            }
            for sql in page.lines().filter(|line| line.ends_with(';') || line.contains("://")) {
                assert!(wrapped.lines().any(|line| line == sql), "{id}: {sql}");
            }
            let lines: Vec<_> = page.lines().collect();
            for pair in lines.windows(2).filter(|pair| pair[1].contains("://") && pair[0].chars().count() <= 60) {
                assert!(wrapped.lines().any(|line| line == pair[0]), "{id}: {}", pair[0]);
            }
        }
    }
}
