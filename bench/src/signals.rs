//! Signals that end the bench: what it has started ends first.

use std::{
    io, process,
    sync::atomic::{AtomicI32, Ordering},
    thread,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};

use crate::{WAIT, terminal::Terminal};

/// The signal that ends this process; 0 before there was one.
static RECEIVED: AtomicI32 = AtomicI32::new(0);

/// Has a signal end the bench where the next measurement would begin, as an error does: the servers end there. One that
/// is ignored stays so: SIGHUP under `nohup`, SIGINT in the background of a shell.
pub(crate) fn listen(terminal: Terminal) -> io::Result<()> {
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGQUIT, SIGHUP].into_iter().filter(|signal| !pg_server::ignores(*signal)))?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            RECEIVED.store(signal, Ordering::SeqCst);
            pg_server::interrupt(|| {});
            terminal.say("interrupted: ending the servers of the bench");
            // A build that runs ends first.
            thread::sleep(WAIT);
            process::exit(128 + signal);
        }
    });
    Ok(())
}

/// The exit code of a process that a signal ends, once one has come.
pub(crate) fn exit_code() -> Option<u8> {
    let signal = RECEIVED.load(Ordering::SeqCst);
    (signal != 0).then(|| u8::try_from(128 + signal).unwrap_or(u8::MAX))
}
