//! `--ephemeral`: a server that ends with the command that asked for it, however that ends.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::Context as _;
use clap::{CommandFactory as _, error::ErrorKind};
use pg_config::{ServerChoice, Source};
use pg_server::{Ephemeral, Mode};
use pg_setup::Target;
use signal_hook::{consts::TERM_SIGNALS, iterator::Signals};

use crate::{cli::Cli, context::Context, terminal::Terminal};

/// Starts a server, does what is to be done on it, and ends it: on success, on failure, and on a signal.
pub(crate) fn with<T>(
    context: &Context,
    mode: Mode,
    run: impl FnOnce(&Target) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let choice = &context.config.server;
    if choice.value == ServerChoice::Env && matches!(choice.source, Source::Flag(_)) {
        let words = "--ephemeral starts a server of its own: --server env names another";
        Cli::command().error(ErrorKind::ArgumentConflict, words).exit();
    }
    let place = Ephemeral::claim(&context.config.data_dir.value, context.wait).context("make room for a server")?;
    let place = Arc::new(place);
    let interrupted = end_on_signals(&place, context.terminal).context("listen to signals")?;
    let outcome = Target::start(context, mode, &place).and_then(|target| run(&target));
    if interrupted.load(Ordering::SeqCst) {
        // What went wrong did so because the server was ended; whoever ends it ends the process too.
        loop {
            thread::park();
        }
    }
    let ended = place.end().context("end the throw-away server");
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

/// Has SIGINT, SIGTERM and SIGQUIT end the server and then this process, as the signal would have.
fn end_on_signals(place: &Arc<Ephemeral>, terminal: Terminal) -> std::io::Result<Arc<AtomicBool>> {
    let mut signals = Signals::new(TERM_SIGNALS)?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let (place, flag) = (Arc::clone(place), Arc::clone(&interrupted));
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            flag.store(true, Ordering::SeqCst);
            match place.end() {
                Ok(()) => terminal.say("interrupted: the throw-away server has ended, and its data are gone"),
                Err(error) => terminal.warn(&format!("interrupted, and the throw-away server is left: {error}")),
            }
            process::exit(128 + signal);
        }
    });
    Ok(interrupted)
}
