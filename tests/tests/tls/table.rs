//! Tables of text, whose columns stand between bars.

/// The rows of a table; blank lines, and what follows a `#` at a line's beginning, are for people.
pub(crate) fn rows<const COLUMNS: usize>(text: &str) -> impl Iterator<Item = [&str; COLUMNS]> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let count = cells.len();
        cells.try_into().unwrap_or_else(|_| panic!("{count} columns in: {line}"))
    })
}
