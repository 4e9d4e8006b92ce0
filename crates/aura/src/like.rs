//! Patterns for LIKE and ILIKE.

/// The pattern of texts that contain `needle`, in which nothing has a special meaning.
pub(crate) fn containing(needle: &str) -> String {
    let mut pattern = String::with_capacity(needle.len() + 2);
    pattern.push('%');
    for char in needle.chars() {
        if matches!(char, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::containing;

    #[test]
    fn nothing_in_the_needle_is_special() {
        assert_eq!(containing("nu"), "%nu%");
        assert_eq!(containing("100 %"), r"%100 \%%");
        assert_eq!(containing(r"a_b\c"), r"%a\_b\\c%");
        assert_eq!(containing(""), "%%");
    }
}
