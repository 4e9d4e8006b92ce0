//! Signals that end this process: what it has started ends first.

use std::{
    mem, process,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI32, Ordering},
    },
    thread,
    time::Duration,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
    low_level::{emulate_default_handler, signal_name},
};

use crate::terminal;

/// How long the command may take to end by itself, once the program that it waited for was ended.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The signal that ends this process; 0 before there was one.
static RECEIVED: AtomicI32 = AtomicI32::new(0);

/// What is to be ended with this process, the oldest first.
static ENDINGS: Mutex<Vec<Ending>> = Mutex::new(Vec::new());

type Ending = Box<dyn FnOnce() + Send>;

/// Has SIGINT, SIGTERM, SIGQUIT and SIGHUP end what this process has started, and then this process. One that is ignored
/// stays so: SIGHUP under `nohup`, SIGINT in the background of a shell.
pub(crate) fn listen() -> std::io::Result<()> {
    let obeyed = [SIGINT, SIGTERM, SIGQUIT, SIGHUP].into_iter().filter(|signal| !pg_server::ignores(*signal));
    let mut signals = Signals::new(obeyed)?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            obey(signal);
        }
    });
    Ok(())
}

/// Has something ended by a signal, too.
pub(crate) fn ends_with(ending: impl FnOnce() + Send + 'static) {
    ENDINGS.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(ending));
}

/// The exit code of a process that a signal ends, once one has come.
pub(crate) fn exit_code() -> Option<u8> {
    let signal = RECEIVED.load(Ordering::SeqCst);
    (signal != 0).then(|| u8::try_from(128 + signal).unwrap_or(u8::MAX))
}

/// Waits for the end of this process, where a signal has begun it: what failed meanwhile did so because of that.
pub(crate) fn yield_to_signal() {
    while exit_code().is_some() {
        thread::park();
    }
}

fn obey(signal: i32) {
    RECEIVED.store(signal, Ordering::SeqCst);
    let name = signal_name(signal).unwrap_or("a signal");
    let is_any = pg_server::interrupt(|| {
        terminal::to_stderr(&format!("interrupted ({name}): ending what this command has started"));
    });
    let endings = mem::take(&mut *ENDINGS.lock().unwrap_or_else(PoisonError::into_inner));
    match (is_any, endings.is_empty()) {
        // As if nothing had listened.
        (false, true) => drop(emulate_default_handler(signal)),
        // The command says what became of it, and ends.
        (true, true) => thread::sleep(LAST_WORDS),
        (_, false) => endings.into_iter().for_each(|end| end()),
    }
    process::exit(128 + signal);
}
