//! What `ci` says in the end: the time of each section, the slowest tests, and what was skipped.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    report::{CaseEnding, Suite},
    terminal::Terminal,
};

const SLOWEST: usize = 10;

pub(super) fn print(terminal: Terminal, sections: &[(String, Duration)], suites: &[Suite]) {
    for line in lines(sections, suites) {
        terminal.say(&line);
    }
}

fn lines(sections: &[(String, Duration)], suites: &[Suite]) -> Vec<String> {
    let time = |elapsed: Duration, name: &str| format!("{:8.1} s  {name}", elapsed.as_secs_f64());
    let mut lines = vec!["== time of each section".to_owned()];
    lines.extend(sections.iter().map(|(name, elapsed)| time(*elapsed, name)));
    lines.push(time(sections.iter().map(|(_, elapsed)| *elapsed).sum(), "in all"));

    let cases: Vec<_> = suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (suite, case))).collect();
    let mut slowest: Vec<_> = cases.iter().filter_map(|(suite, case)| Some((case.elapsed?, suite, case))).collect();
    slowest.sort_by_key(|(elapsed, ..)| std::cmp::Reverse(*elapsed));
    if !slowest.is_empty() {
        lines.push(format!("== the slowest of {} tests", cases.len()));
    }
    let name = |suite: &Suite, case: &str| format!("{} {case}", suite.name);
    lines.extend(slowest.iter().take(SLOWEST).map(|(elapsed, suite, case)| time(*elapsed, &name(suite, &case.name))));

    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, case) in &cases {
        if let CaseEnding::Skipped(reason) = &case.ending {
            *skipped.entry(reason).or_default() += 1;
        }
    }
    if !skipped.is_empty() {
        lines.push(format!("== skipped: {} tests", skipped.values().sum::<usize>()));
    }
    lines.extend(skipped.iter().map(|(reason, count)| format!("{count:8}    {reason}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Case;

    #[test]
    fn sections_slow_tests_and_what_was_skipped() {
        let case = |name: &str, millis: u64, ending: CaseEnding| Case {
            name: name.to_owned(),
            elapsed: Some(Duration::from_millis(millis)),
            ending,
        };
        let skipped = || CaseEnding::Skipped("openssl is not installed".to_owned());
        let suite = |name: &str, cases: Vec<Case>| Suite {
            name: name.to_owned(),
            properties: Vec::new(),
            cases,
            elapsed: Duration::ZERO,
        };
        let quick = (0..12).map(|number| case(&format!("quick_{number}"), 100, CaseEnding::Passed)).collect();
        let suites = [
            suite("shop", quick),
            suite("tests::tls", vec![case("names", 2, skipped()), case("slow", 12_340, skipped())]),
        ];
        let sections =
            [("format".to_owned(), Duration::from_millis(420)), ("tests".to_owned(), Duration::from_secs(100))];
        let lines = lines(&sections, &suites);
        let times = ["     0.4 s  format", "   100.0 s  tests", "   100.4 s  in all"];
        assert_eq!((lines[0].as_str(), &lines[1..4]), ("== time of each section", &times.map(str::to_owned)[..]));
        assert_eq!(lines[4..6], ["== the slowest of 14 tests", "    12.3 s  tests::tls slow"]);
        assert_eq!(lines[6..15].iter().filter(|line| line.contains("shop quick_")).count(), 9);
        assert_eq!(lines[15..], ["== skipped: 2 tests", "       2    openssl is not installed"]);
    }
}
