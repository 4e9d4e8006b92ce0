//! The table: minimum and median of each row, beside its limit's.

use std::{fmt::Write, time::Duration};

use anyhow::bail;

use crate::{
    signals,
    terminal::{BAD, GOOD, STRONG, Terminal},
};

/// One subject and its limit, measured in turns.
pub(crate) struct Row {
    name: &'static str,
    limit: &'static str,
    /// The highest ratio of the medians that is allowed.
    allowed: f64,
    times: Vec<Duration>,
    limit_times: Vec<Duration>,
}

impl Row {
    pub(crate) fn new(name: &'static str, limit: &'static str, allowed: f64) -> Self {
        Self { name, limit, allowed, times: Vec::new(), limit_times: Vec::new() }
    }

    /// Measures both once, one after the other.
    pub(crate) fn add(
        &mut self,
        subject: impl FnOnce() -> anyhow::Result<Duration>,
        limit: impl FnOnce() -> anyhow::Result<Duration>,
    ) -> anyhow::Result<()> {
        if signals::exit_code().is_some() {
            bail!("interrupted");
        }
        self.times.push(subject()?);
        self.limit_times.push(limit()?);
        Ok(())
    }

    pub(crate) fn misses_its_limit(&self) -> bool {
        self.ratio() > self.allowed
    }

    fn ratio(&self) -> f64 {
        median(&self.times).as_secs_f64() / median(&self.limit_times).as_secs_f64()
    }
}

pub(crate) fn print(terminal: Terminal, rows: &[Row]) -> String {
    let mut text = format!(
        "{}\n",
        terminal.paint(
            STRONG,
            &format!(
                "{:<34}  {:>13}  {:<30}  {:>13}  {:>6}  {:>7}",
                "", "min / median", "beside it", "min / median", "ratio", "allowed"
            )
        )
    );
    for row in rows {
        let ratio = format!("{:>6.2}", row.ratio());
        let style = if row.misses_its_limit() { BAD } else { GOOD };
        let _ = writeln!(
            text,
            "{:<34}  {:>13}  {:<30}  {:>13}  {}  {:>7.2}",
            row.name,
            spread(&row.times),
            row.limit,
            spread(&row.limit_times),
            terminal.paint(style, &ratio),
            row.allowed
        );
    }
    let _ = write!(text, "milliseconds; the ratio is of the medians");
    text
}

fn spread(times: &[Duration]) -> String {
    let minimum = times.iter().min().copied().unwrap_or_default();
    format!("{:.1} / {:.1}", millis(minimum), millis(median(times)))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_of_the_medians() {
        let mut row = Row::new("a", "b", 2.0);
        for (subject, limit) in [(9, 1), (2, 1), (3, 1)] {
            row.add(|| Ok(Duration::from_millis(subject)), || Ok(Duration::from_millis(limit))).unwrap();
        }
        assert!(row.misses_its_limit());
        assert!((row.ratio() - 3.0).abs() < 1e-9);
    }
}
