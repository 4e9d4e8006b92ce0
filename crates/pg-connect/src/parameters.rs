//! What a connection string says, parameter by parameter, before anything is made of it.

mod error;
mod foreign;
mod keyvalue;
mod keyword;
mod uri;

use std::{collections::BTreeMap, fmt, time::Duration};

pub use self::error::{InvalidConnString, ServiceError};
pub(crate) use self::keyword::known;

/// libpq's parameters by name. What is not said comes from lower sources: a service, the environment, defaults.
///
/// The values are libpq's text; [`crate::ConnInfo::new`] is where they get their meaning. An empty one is
/// said: it hides what a lower source says, and leaves the default, or is refused, as in libpq.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<&'static str, String>);

/// A parameter, the variable that says it, and the value.
type Said = (&'static str, &'static str, String);

/// A variable, and why it is passed by.
type PassedBy = (&'static str, &'static str);

impl Parameters {
    /// Reads a URI or `key=value` pairs, by the grammar of the manual's section 34.1.1. Beyond it the seed
    /// document's unencoded `?options=-csearch_path=aura` is read too, and white space around the whole.
    ///
    /// What libpq would misread without a word (a bare `@` in a password moves the host) is refused, with
    /// what to write instead; so is what other tools write.
    pub fn parse(text: &str) -> Result<Self, InvalidConnString> {
        let text = Self::trimmed(text);
        foreign::refuse(text)?;
        match ["postgresql://", "postgres://"].iter().find_map(|scheme| text.strip_prefix(scheme)) {
            Some(rest) => uri::parse(rest),
            None if text.contains('=') => keyvalue::parse(text),
            None => Err(InvalidConnString::Form),
        }
    }

    /// A connection string without the white space around it, as it is read.
    pub fn trimmed(text: &str) -> &str {
        text.trim_matches(is_space)
    }

    /// A parameter's value, where it is said and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a parameter is said, be it empty.
    pub fn says(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Sets a parameter; of two values the later one counts, as in libpq.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> Result<(), InvalidConnString> {
        let (name, value) = (keyword::known(name)?.name, value.into());
        if value.contains(['\0', '\n', '\r']) {
            return Err(InvalidConnString::value(name, "holds a line break or a zero byte"));
        }
        match (name, value.as_str()) {
            // In the wrong place: it would be shown as a name is, password and all.
            ("dbname", url) if url.starts_with("postgres") && url.contains("://") && url.contains('@') => {
                return Err(InvalidConnString::value(name, "is a connection string: it must be the database's name"));
            }
            // As libpq has it still, after twenty years.
            ("requiressl", "1") => self.set("sslmode", "require")?,
            ("requiressl", "0") => self.set("sslmode", "prefer")?,
            ("requiressl", _) => return Err(InvalidConnString::value(name, "is neither 0 nor 1: write sslmode")),
            _ => {
                self.0.insert(name, value);
            }
        }
        Ok(())
    }

    /// Whether each value can have its effect here.
    pub(crate) fn check(&self) -> Result<(), InvalidConnString> {
        for (name, value) in self.iter() {
            if let Some(reason) = known(name)?.refusal(value) {
                return Err(InvalidConnString::Unsupported(name, reason));
            }
            if value.is_empty() && keyword::wants_a_value(name) {
                return Err(InvalidConnString::value(name, "is empty: give it a value, or leave it out"));
            }
        }
        Ok(())
    }

    /// Takes a lower source's value wherever nothing is said.
    pub fn fill(&mut self, lower: &Self) {
        for (name, value) in &lower.0 {
            self.0.entry(name).or_insert_with(|| value.clone());
        }
    }

    /// The same without some. Those are not copied: a list of hosts may be long, and each host has its parameters.
    pub(crate) fn without(&self, names: &[&str]) -> Self {
        let left = self.0.iter().filter(|(name, _)| !names.contains(name));
        Self(left.map(|(name, value)| (*name, value.clone())).collect())
    }

    /// Forgets a parameter.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// What libpq's variables of an environment say (the manual's section 34.15), each with its variable. The
    /// second list are those that are passed by, each with the reason: they could change nothing here.
    pub fn of_variables(variable: impl Fn(&'static str) -> Option<String>) -> (Vec<Said>, Vec<PassedBy>) {
        let (mut said, mut passed_by) = (Vec::new(), Vec::new());
        // An empty one counts as unset.
        let variable = |key| variable(key).filter(|value: &String| !value.is_empty());
        for keyword in keyword::KEYWORDS {
            let Some((key, value)) = keyword.variable.and_then(|key| Some((key, variable(key)?))) else { continue };
            match keyword.refusal(&value).filter(|_| keyword::is_harmless(keyword.name)) {
                Some(reason) => passed_by.push((key, reason)),
                None => said.push((keyword.name, key, value)),
            }
        }
        let requires = variable("PGREQUIRESSL").is_some_and(|value| value.starts_with('1'));
        if requires && said.iter().all(|(name, ..)| *name != "sslmode") {
            said.push(("sslmode", "PGREQUIRESSL", "require".to_owned()));
        }
        for key in ["PGTZ", "PGDATESTYLE", "PGGEQO"] {
            let reason = "it is left to psql and the migrate command: here nothing depends on it";
            passed_by.extend(variable(key).map(|_| (key, reason)));
        }
        (said, passed_by)
    }

    /// A whole number, which white space may surround.
    pub(crate) fn number(&self, name: &'static str) -> Result<Option<i32>, InvalidConnString> {
        let parse = |text: &str| {
            text.trim_matches(is_space).parse().map_err(|_| InvalidConnString::value(name, "is not a whole number"))
        };
        self.get(name).map(parse).transpose()
    }

    /// Seconds; 0 and below mean no limit of the user's.
    pub(crate) fn seconds(&self, name: &'static str) -> Result<Option<Duration>, InvalidConnString> {
        let seconds = self.number(name)?.and_then(|seconds| u64::try_from(seconds).ok());
        Ok(seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs))
    }

    /// Whether a parameter's value is nobody's to see.
    pub fn is_secret(name: &str) -> bool {
        keyword::is_secret(name)
    }

    /// Every parameter that is said, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

/// Values that are secrets stay out.
impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.iter().map(|(name, value)| (name, if keyword::is_secret(name) { "***" } else { value }));
        f.debug_map().entries(shown).finish()
    }
}

/// What C's `isspace` takes for white space: a no-break space is none.
pub(crate) fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}
