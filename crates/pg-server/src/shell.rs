//! Commands that people can paste.

/// A word of a POSIX shell: quoted where it is not a plain one.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=@:+".contains(c);
    // zsh reads a word that begins with `=` as the path of a program.
    if !text.is_empty() && !text.starts_with('=') && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word() {
        for (text, word) in [
            ("/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/17/bin"),
            ("PG_BIN_DIR=/opt/a+b", "PG_BIN_DIR=/opt/a+b"),
            ("", "''"),
            ("=ls", "'=ls'"),
            ("~/bin", "'~/bin'"),
            ("a b", "'a b'"),
            ("a\nb", "'a\nb'"),
            ("it's $x", r"'it'\''s $x'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }
}
