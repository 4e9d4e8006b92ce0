//! The last line of a terminal while something takes more than a second: how far the step that was said last is, and for
//! how long it has run. What is printed takes its place.

use std::{
    io::{self, Write},
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

/// What runs.
struct Live {
    /// How many values of [`Step`] there are.
    steps: usize,
    since: Option<Instant>,
    progress: String,
    is_drawn: bool,
}

static LIVE: Mutex<Live> = Mutex::new(Live { steps: 0, since: None, progress: String::new(), is_drawn: false });

/// How often the line is drawn again.
const TICK: Duration = Duration::from_millis(500);

/// How often progress is told where nothing can be drawn.
const PAUSE: Duration = Duration::from_secs(10);

/// For as long as it lives, the line may be drawn.
pub(crate) struct Step(Option<Sender<()>>);

fn live() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Step {
    pub(crate) fn begin() -> Self {
        let mut live = live();
        live.steps += 1;
        live.since.get_or_insert_with(Instant::now);
        let (ends, is_over) = mpsc::channel::<()>();
        thread::spawn(move || {
            while is_over.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                self::live().draw();
            }
        });
        Self(Some(ends))
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        drop(self.0.take());
        let mut live = live();
        live.steps -= 1;
        live.erase();
    }
}

/// Prints, in the place of the line.
pub(crate) fn above(print: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let mut live = live();
    live.erase();
    print()
}

/// A step begins.
pub(crate) fn restart() {
    let mut live = live();
    (live.since, live.progress) = (Some(Instant::now()), String::new());
}

/// How far it is.
pub(crate) fn progress(words: String) {
    let mut live = live();
    live.progress = words;
    live.draw();
}

/// Whether progress is told again, where nothing can be drawn.
pub(crate) fn is_due() -> bool {
    let mut live = live();
    let is_due = live.since.is_none_or(|since| since.elapsed() >= PAUSE);
    if is_due {
        live.since = Some(Instant::now());
    }
    is_due
}

impl Live {
    fn draw(&mut self) {
        let Some(elapsed) = self.since.map(|since| since.elapsed().as_secs()).filter(|elapsed| *elapsed > 0) else {
            return;
        };
        if self.steps > 0 {
            let progress = if self.progress.is_empty() { String::new() } else { format!("{}, ", self.progress) };
            // Short: a line that the terminal wraps could not be erased.
            let line: String = format!("  … {progress}{elapsed} s").chars().take(58).collect();
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "\r\u{1b}[K{line}").and_then(|()| stderr.flush());
            self.is_drawn = true;
        }
    }

    fn erase(&mut self) {
        if self.is_drawn {
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
            self.is_drawn = false;
        }
    }
}
