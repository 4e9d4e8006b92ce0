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

#[cfg(test)]
mod tests {
    use super::*;

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
