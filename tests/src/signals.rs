//! Signals that a test sends to a process that it has started.

use std::sync::{Arc, atomic::AtomicBool};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag::register_conditional_default,
};

/// Has the processes that this test starts begin with these signals' default actions. A process inherits that a signal
/// is ignored: SIGHUP under `nohup`, SIGINT in the background of a shell. It does not inherit a handler.
pub fn default_signals() {
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        // This process itself ends by the signal as before.
        register_conditional_default(signal, Arc::new(AtomicBool::new(true))).unwrap();
    }
}
