//! A line of contents, as text.

/// Its five parts; the last may be left out. A line that is none of ours has fewer.
pub(super) fn split(line: &str) -> Option<[&str; 5]> {
    let mut parts = line.split('\t');
    Some([parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next().unwrap_or_default()])
}

/// A text as it stands in a line.
pub(super) fn coded(text: &str) -> String {
    text.replace('\\', r"\\").replace('\t', r"\t").replace('\n', r"\n")
}

/// A name as it is: the signs of the format stand in it as `\\`, `\t` and `\n`.
pub(super) fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut signs = name.chars();
    while let Some(sign) = signs.next() {
        plain.push(match sign {
            '\\' => match signs.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                other => other.unwrap_or('\\'),
            },
            sign => sign,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_were() {
        assert_eq!(plain(r"a\tb\nc\\nd"), "a\tb\nc\\nd");
        assert_eq!(split("table\t\ta\t1"), Some(["table", "", "a", "1", ""]));
        assert_eq!(split("table"), None);
    }
}
