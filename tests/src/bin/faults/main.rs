//! `cargo xtask faults`: runs every command of the tool while its connections, its process, its server and its files
//! are broken, and looks at what is left. `tests/faults.toml` says which faults.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program for people, and a failure of the harness itself is a failed case"
)]

mod case;
mod condition;
mod crowd;
mod directory;
mod fault;
mod lease;
mod plan;
mod random;
mod report;
mod scene;
mod stage;
mod state;
mod verdict;

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use self::{case::Case, plan::Plan, report::Report, stage::Stage, verdict::Verdict};

/// Run every command of the tool while its connections, its process, its server and its files are broken.
///
/// Exit codes: 0 every fault was survived, 1 some were not.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask faults", bin_name = "cargo xtask faults")]
pub(crate) struct Flags {
    /// Run this case alone, as the report names it: 18/setup/cut/57. Any beginning of a name selects all below it
    #[arg(long, value_name = "CASE")]
    case: Vec<String>,
    /// Start no case after so many seconds: one of each row in turn, in an order that the seed chooses, without crowds
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "60")]
    sample: Option<u64>,
    /// Run no more than so many cases
    #[arg(long, value_name = "NUMBER")]
    most: Option<usize>,
    /// Another seed than the file's
    #[arg(long)]
    seed: Option<u64>,
    /// Run this many cases at the same time
    #[arg(long, default_value_t = jobs())]
    jobs: usize,
    /// Write the figures as a page
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Print how each case ended, survived or not
    #[arg(short, long)]
    verbose: bool,
    /// Print the cases and run none
    #[arg(long)]
    list: bool,
}

/// Half of the time of a case is spent waiting.
fn jobs() -> usize {
    2 * thread::available_parallelism().map_or(1, usize::from)
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(lease::ARGUMENT) {
        return lease::take();
    }
    // The servers of the cases that run have to end: no further case is started. What is started has the default actions.
    let is_interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, is_interrupted.clone()).unwrap();
    }
    let flags = Flags::parse();
    let started = Instant::now();
    let mut plan = Plan::read();
    plan.seed = flags.seed.unwrap_or(plan.seed);
    let versions = plan.versions.iter();
    let stages = versions.filter_map(|version| Stage::set(&plan, *version, &flags.case));
    // A sample is of the newest version.
    let stages: Vec<_> = stages.take(if flags.sample.is_some() { 1 } else { usize::MAX }).collect();
    let cases = select(&flags, &plan, &stages);
    if flags.list {
        cases.iter().for_each(|case| println!("{}", case.id()));
        return ExitCode::SUCCESS;
    }
    let count = cases.len();
    let report = run(&flags, &plan, cases, &is_interrupted);
    stages.into_iter().for_each(Stage::delete);
    print!("{}", report.text(count, plan.seed));
    println!("{:.0} s", started.elapsed().as_secs_f64());
    if let Some(file) = &flags.markdown {
        std::fs::write(file, report.markdown(&plan, started.elapsed())).unwrap();
    }
    if report.failed().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The cases that were asked for, in the order in which they are run.
fn select<'a>(flags: &Flags, plan: &'a Plan, stages: &'a [Stage]) -> Vec<Case<'a>> {
    let mut rows: Vec<VecDeque<Case<'_>>> = stages.iter().flat_map(|stage| case::rows(plan, stage)).collect();
    let is_below = |id: &str, name: &str| id == name || id.starts_with(&format!("{name}/"));
    for row in &mut rows {
        row.retain(|case| flags.case.is_empty() || flags.case.iter().any(|name| is_below(&case.id(), name)));
    }
    if flags.sample.is_some() {
        // A crowd takes minutes.
        rows.retain(|row| row.front().is_none_or(|case| !case.id().contains("/crowd/")));
        case::shuffle(&mut rows, plan.seed);
    }
    // One of each row in turn: a run that is interrupted has seen something of everything.
    let mut cases = Vec::new();
    while rows.iter().any(|row| !row.is_empty()) {
        cases.extend(rows.iter_mut().filter_map(VecDeque::pop_front));
    }
    cases.truncate(flags.most.unwrap_or(usize::MAX));
    cases
}

fn run(flags: &Flags, plan: &Plan, cases: Vec<Case<'_>>, is_interrupted: &AtomicBool) -> Report {
    let report = Mutex::new(Report::default());
    let (count, queue) = (cases.len(), Mutex::new(cases.into_iter().enumerate()));
    let deadline = flags.sample.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    thread::scope(|scope| {
        for _ in 0..flags.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let is_over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
                    if is_over || is_interrupted.load(SeqCst) {
                        return;
                    }
                    let Some((at, case)) = queue.lock().unwrap().next() else { return };
                    let verdict = catch_unwind(AssertUnwindSafe(|| case.run(plan)))
                        .unwrap_or_else(|panic| Verdict::of_harness(&*panic));
                    if flags.verbose || !verdict.faults.is_empty() {
                        eprintln!("{}", verdict.text(&case.id()));
                    }
                    if at % 100 == 99 {
                        eprintln!("{} of {count}", at + 1);
                    }
                    report.lock().unwrap().add(&case, verdict);
                }
            });
        }
    });
    report.into_inner().unwrap()
}
