//! libpq's `options`: settings that a session starts with, as `-c name=value`.

use std::fmt;

/// The settings of `options`, in order. The server lets the last one of a name win.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options(Vec<(String, String)>);

impl Options {
    /// Reads `-c name=value`, `-cname=value` and `--name=value`; white space parts, `\` escapes it.
    /// Any other server switch is refused by name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut settings = Vec::new();
        let mut words = split(text).into_iter();
        while let Some(word) = words.next() {
            let setting = if word == "-c" {
                words.next().ok_or_else(|| "ends with a lone -c".to_owned())?
            } else if let Some(setting) = word.strip_prefix("--").or_else(|| word.strip_prefix("-c")) {
                setting.to_owned()
            } else {
                return Err(format!("holds {word:?}: only `-c name=value` is supported here"));
            };
            let (name, value) =
                setting.split_once('=').ok_or_else(|| format!("holds -c {setting:?} without `=value`"))?;
            settings.push((name.replace('-', "_"), value.to_owned()));
        }
        Ok(Self(settings))
    }

    /// Whether there is no setting.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value that wins for a setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The same without one setting.
    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(key, _)| !key.eq_ignore_ascii_case(name)).cloned().collect())
    }

    /// The same with one setting, whatever it was.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut options = self.without(name);
        options.0.push((name.to_owned(), value.to_owned()));
        options
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}-c {name}={}", value.replace('\\', "\\\\").replace(' ', "\\ "))?;
        }
        Ok(())
    }
}

fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => word.get_or_insert_default().extend(characters.next()),
            _ if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}
