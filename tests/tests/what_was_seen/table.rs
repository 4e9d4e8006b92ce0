//! The table: a line for each failure mode and each of its tests.

use std::{fmt, fs};

use crate::{list::Mode, sources::Test};

pub(crate) struct Table<'a> {
    rows: Vec<[String; 4]>,
    unseen: Vec<&'a Test>,
}

impl<'a> Table<'a> {
    pub(crate) fn of(modes: &[Mode], tests: &'a [Test]) -> Self {
        let mut rows = vec![["", "test", "promise", "seen"].map(str::to_owned)];
        for mode in modes {
            let row = |test: &str, seen: &str| [&mode.number.to_string(), test, mode.promise, seen].map(str::to_owned);
            let own: Vec<_> = tests.iter().filter(|test| test.numbers.contains(&mode.number)).collect();
            if own.is_empty() {
                rows.push(row("-", if mode.is_later { "later" } else { "no test" }));
            }
            rows.extend(own.iter().map(|test| row(&test.name, &sighting(test).unwrap_or("not seen".to_owned()))));
        }
        Self { rows, unseen: tests.iter().filter(|test| sighting(test).is_none()).collect() }
    }

    /// The tests that have not been run since they or the programs were changed, or that have failed.
    pub(crate) fn unseen(&self) -> &[&'a Test] {
        &self.unseen
    }
}

/// What a test has seen of the programs as they are now.
fn sighting(test: &Test) -> Option<String> {
    let file = tests::sightings().join(&test.name);
    let at = fs::metadata(&file).ok()?.modified().unwrap();
    let is_of_now = at >= tests::built() && at >= test.changed;
    is_of_now.then(|| fs::read_to_string(&file).unwrap().split_whitespace().collect::<Vec<_>>().join(" "))
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap();
        let widths = [0, 1, 2].map(width);
        writeln!(f)?;
        for [number, test, promise, seen] in &self.rows {
            let [a, b, c] = widths;
            writeln!(f, "{number:a$}  {test:b$}  {promise:c$}  {seen}")?;
        }
        Ok(())
    }
}
