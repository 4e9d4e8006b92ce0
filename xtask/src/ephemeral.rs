//! `--ephemeral`: a server that ends with the command that asked for it, however that ends.

use std::{
    fs, process,
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
use signal_hook::{
    consts::{SIGHUP, TERM_SIGNALS},
    iterator::Signals,
};

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
    let place = Arc::new(Ephemeral::claim(&context.config.data_dir.value, context.wait)?);
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

/// Has SIGINT, SIGTERM, SIGQUIT and SIGHUP end the server and then this process, as the signal would have.
fn end_on_signals(place: &Arc<Ephemeral>, terminal: Terminal) -> std::io::Result<Arc<AtomicBool>> {
    let hangup = (!ignores(SIGHUP)).then_some(SIGHUP);
    let mut signals = Signals::new(TERM_SIGNALS.iter().copied().chain(hangup))?;
    let interrupted = Arc::new(AtomicBool::new(false));
    // Not the server's owner: where a panic unwinds the command, the server ends with it.
    let (place, flag) = (Arc::downgrade(place), Arc::clone(&interrupted));
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            flag.store(true, Ordering::SeqCst);
            match place.upgrade().map_or(Ok(()), |place| place.end()) {
                Ok(()) => terminal.say("interrupted: the throw-away server has ended, and its data are gone"),
                Err(error) => terminal.warn(&format!("interrupted, and the throw-away server is left: {error}")),
            }
            process::exit(128 + signal);
        }
    });
    Ok(interrupted)
}

/// Whether a signal is ignored: under `nohup` SIGHUP is, and the command goes on.
fn ignores(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use signal_hook::consts::{SIGPIPE, SIGTERM};

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn which_signals_are_ignored() {
        // As every Rust program begins.
        assert!(ignores(SIGPIPE) && !ignores(SIGTERM));
    }
}
