//! Waiting with a bound: the one place of this crate where a thread sleeps.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Looks again and again until there is an answer or the deadline is over; looks once at least.
///
/// A server is ready within 30 ms, so the first looks are 1 ms apart; who has waited long waits
/// coarser, up to 20 ms, and leaves the processor to the server.
pub(crate) fn until<T>(deadline: Instant, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = look() {
            return Some(answer);
        }
        let now = Instant::now();
        if now >= deadline {
            return None;
        }
        let pause = ((now - start) / 50).clamp(Duration::from_millis(1), Duration::from_millis(20));
        thread::sleep(pause.min(deadline - now));
    }
}
