//! A tag's name as it stands in an address: the same as django-taggit makes, so that both find each other's tags.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What `slugify(name, allow_unicode=True)` makes: lower case, hyphens for blanks, no punctuation. Empty for a name
/// of nothing else.
pub(crate) fn slug(name: &str) -> String {
    let lower = name.nfkc().collect::<String>().to_lowercase();
    let mut slug = String::with_capacity(lower.len());
    for char in lower.chars() {
        if char == '-' || char.is_whitespace() {
            if !slug.ends_with('-') {
                slug.push('-');
            }
        } else if is_word(char) {
            slug.push(char);
        }
    }
    slug.trim_matches(['-', '_']).to_owned()
}

/// The n-th choice for a slug that is taken: `bleu`, `bleu_1`, `bleu_2`.
pub(crate) fn choice(slug: &str, n: u32) -> String {
    if n == 0 { slug.to_owned() } else { format!("{slug}_{n}") }
}

/// Python's `\w`: letters, digits and `_`, but no marks (Rust counts those of some scripts as letters).
fn is_word(char: char) -> bool {
    char == '_' || char.is_alphanumeric() && !is_combining_mark(char)
}

#[cfg(test)]
mod tests {
    use super::{choice, slug};

    #[test]
    fn slugs_are_django_s() {
        // The answers of django.utils.text.slugify, run under Python 3.11.
        for (name, expected) in [
            ("Bleu", "bleu"),
            ("Art Déco", "art-déco"),
            ("  XIXe   siècle -- fin ", "xixe-siècle-fin"),
            ("L'œil & l'esprit", "lœil-lesprit"),
            ("années_20", "années_20"),
            ("_privé_", "privé"),
            ("n°3", "n3"),
            ("浮世絵 東京", "浮世絵-東京"),
            ("ÉTÉ İstanbul", "été-istanbul"),
            ("ﬁn x²", "fin-x2"),
            ("हिन्दी", "हनद"),
            ("!!!", ""),
            ("a\u{a0}b\tc", "a-b-c"),
            ("a - & - b", "a-b"),
        ] {
            assert_eq!(slug(name), expected, "{name}");
        }
    }

    #[test]
    fn a_taken_slug_gets_a_number() {
        assert_eq!(choice("bleu", 0), "bleu");
        assert_eq!(choice("bleu", 2), "bleu_2");
    }
}
