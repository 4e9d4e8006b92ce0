//! `--ephemeral`: a server that ends with the command that asked for it, however that ends.

use std::sync::Arc;

use anyhow::Context as _;
use clap::{CommandFactory as _, error::ErrorKind};
use pg_config::{ServerChoice, Source};
use pg_server::{Ephemeral, Mode};
use pg_workflow::Target;

use crate::{cli::Cli, invocation::Invocation, signals};

/// Starts a server, does what is to be done on it, and ends it: on success, on failure, and on a signal.
pub(crate) fn with<T>(
    context: &Invocation,
    mode: Mode,
    run: impl FnOnce(&Target) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let choice = &context.config.server;
    if choice.value == ServerChoice::Env && matches!(choice.source, Source::Flag(_)) {
        let words = "--ephemeral starts a server of its own: --server env names another";
        Cli::command().error(ErrorKind::ArgumentConflict, words).exit();
    }
    let place = Arc::new(Ephemeral::claim(&context.config.data_dir.value, context.wait)?);
    // Not the server's owner: where a panic unwinds the command, the server ends with it.
    let (interrupted, terminal) = (Arc::downgrade(&place), context.terminal);
    signals::ends_with(move || match interrupted.upgrade().map_or(Ok(()), |place| place.end()) {
        Ok(()) => terminal.say("interrupted: the throw-away server has ended, and its data are gone"),
        Err(error) => terminal.warn(&format!("interrupted, and the throw-away server is left: {error}")),
    });
    let outcome = Target::start(context, mode, &place).and_then(|target| run(&target));
    signals::yield_to_signal();
    let ended = place.end().context("cannot end the throw-away server");
    if ended.is_ok() {
        context.terminal.say("the throw-away server has ended, and its data are gone");
    }
    match (outcome, ended) {
        (Ok(value), Ok(())) => Ok(value),
        (Ok(_), Err(error)) => Err(error),
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(left)) => {
            context.terminal.warn(&format!("{left:#}"));
            Err(error)
        }
    }
}
