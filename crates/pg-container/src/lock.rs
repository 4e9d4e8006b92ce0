//! Waiting for others: for the lock of another command, and for what the engine is doing.

use std::{
    fs::{File, TryLockError},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;

use crate::{TICK, say};

/// What the engine does without us, such as removing what somebody else asked it to, takes it a moment.
pub(crate) const LOOKS: u32 = 100;
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

/// Holds a file's lock until the value is dropped or the process ends, however it ends.
pub(crate) fn locked(path: &Path) -> anyhow::Result<File> {
    let file = File::options().create(true).append(true).open(path);
    let file = file.with_context(|| format!("open {}", path.display()))?;
    let start = Instant::now();
    let mut told = Duration::ZERO;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("lock {}", path.display())),
        }
        if start.elapsed() >= told + TICK {
            told = start.elapsed();
            say(&format!("waiting for another command, which works on this container ({})", path.display()));
        }
        thread::sleep(PAUSE);
    }
}
