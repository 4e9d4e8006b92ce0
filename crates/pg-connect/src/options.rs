//! libpq's `options`: the server's command line for one session, mostly settings as `-c name=value`.

use std::fmt;

use crate::parameters::is_space;

/// The words of `options`, in order. The server lets the last one of a setting's name win.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options(Vec<Word>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Setting(String, String),
    /// Any other switch, or a word that a proxy in between takes (Neon's `endpoint=…`).
    Other(String),
}

impl Options {
    /// Reads `-c name=value`, `-cname=value` and `--name=value`; white space parts words, `\` escapes it.
    /// Other words are kept as they are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut found = Vec::new();
        let mut words = split(text).into_iter();
        while let Some(word) = words.next() {
            let setting = if word == "-c" {
                words.next().ok_or_else(|| "ends with a lone -c".to_owned())?
            } else if let Some(setting) = word.strip_prefix("--").or_else(|| word.strip_prefix("-c")) {
                setting.to_owned()
            } else {
                found.push(Word::Other(word));
                continue;
            };
            let (name, value) =
                setting.split_once('=').ok_or_else(|| format!("holds -c {setting:?} without `=value`"))?;
            found.push(Word::Setting(name.replace('-', "_"), value.to_owned()));
        }
        Ok(Self(found))
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value that wins for a setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find_map(|word| match word {
            Word::Setting(key, value) if key.eq_ignore_ascii_case(name) => Some(value.as_str()),
            _ => None,
        })
    }

    /// The same without one setting.
    pub fn without(&self, name: &str) -> Self {
        let is_it = |word: &&Word| matches!(word, Word::Setting(key, _) if key.eq_ignore_ascii_case(name));
        Self(self.0.iter().filter(|word| !is_it(word)).cloned().collect())
    }

    /// The same with one setting, whatever it was.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut options = self.without(name);
        options.0.push(Word::Setting(name.to_owned(), value.to_owned()));
        options
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            match word {
                Word::Setting(name, value) => write!(f, "{space}-c {}={}", escaped(name), escaped(value))?,
                Word::Other(word) => write!(f, "{space}{}", escaped(word))?,
            }
        }
        Ok(())
    }
}

fn escaped(word: &str) -> String {
    let mut escaped = String::with_capacity(word.len());
    for character in word.chars() {
        if character == '\\' || is_space(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => word.get_or_insert_default().extend(characters.next()),
            _ if is_space(character) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}
