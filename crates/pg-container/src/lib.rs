//! Containers, for `pg-server`: started through testcontainers, looked at, stopped, removed.
//!
//! One JSON document comes in by stdin (`request::Request`), one goes out on stdout
//! (`answer::Answer`); progress goes to stderr, a line each. Passwords come in no other way: not by the
//! command line, which everybody may read. The engine is the one of `DOCKER_HOST`, which `pg-server` sets.
//!
//! Whether a server is ready is not asked here: a login tells, and `pg-server` tries that.

mod answer;
mod end;
mod inspect;
mod lock;
mod request;
mod start;

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use testcontainers::core::client::docker_client_instance;

use crate::{answer::Answer, request::Request};

/// Reads the request, does what it says, writes the answer. Exit code 1 goes with an answer that is an error.
pub fn main() -> ExitCode {
    let answer = run().unwrap_or_else(|error| Answer::Error { error: format!("{error:#}") });
    let text = serde_json::to_string(&answer).unwrap_or_default();
    // Whoever has closed the pipe does not want to know.
    let _ = writeln!(io::stdout().lock(), "{text}");
    if matches!(answer, Answer::Error { .. }) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run() -> anyhow::Result<Answer> {
    let request: Request = serde_json::from_reader(io::stdin().lock()).context("read the request from stdin")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start tokio")?;
    let containers = runtime.block_on(async {
        let docker = docker_client_instance().await.context("speak to the engine")?;
        match request {
            Request::Start(request) => Ok(vec![start::start(&docker, &request).await?]),
            Request::Look { names } => inspect::look(&docker, &names).await,
            Request::Stop { names, seconds } => end::stop(&docker, &names, seconds).await,
            Request::Remove { names, volumes, lock } => end::remove(&docker, &names, &volumes, lock.as_deref()).await,
        }
    });
    Ok(Answer::Containers { containers: containers? })
}

/// Who waits for something hears of it so often.
pub(crate) const TICK: Duration = Duration::from_secs(10);

/// The one place that speaks to people.
#[expect(clippy::print_stderr, reason = "progress goes to stderr, as the protocol has it")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}
