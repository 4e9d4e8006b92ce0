//! Whom a command waits for, while it waits for a lock.

use std::{
    any::Any,
    collections::HashSet,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use pg_config::{Session, connect};
use pg_schema::Access;

use crate::{Context, Target};

/// Most commands have ended by then.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Says who holds a lock that the command or its migrations wait for, should it take long, for as long as the value
/// lives. It is asked by a session of its own.
pub fn report_lock_waits(context: &Context, target: &Target) -> Box<dyn Any> {
    let (done, is_done) = mpsc::channel::<()>();
    let (voice, access, expected) = (context.voice.clone(), target.access.clone(), target.expected.clone());
    thread::spawn(move || {
        let goes_on = |pause| is_done.recv_timeout(pause) == Err(RecvTimeoutError::Timeout);
        if !goes_on(PATIENCE) {
            return;
        }
        let Some(mut session) = session(&access) else { return };
        let mut said = HashSet::new();
        while let Ok(blockers) = pg_schema::lock_waits(&mut session, &expected) {
            for (pid, blocker) in blockers {
                if said.insert(pid) {
                    voice.say(&format!("waiting for a lock of {blocker}"));
                }
            }
            if !goes_on(PAUSE) {
                return;
            }
        }
    });
    Box::new(done)
}

/// The administrator's where one is known, who sees what all others do; else the app's.
fn session(access: &Access) -> Option<Session> {
    match &access.administrator {
        Some(administrator) => administrator.connect(&administrator.connection.database, Duration::ZERO).ok(),
        None => connect(&access.app).ok(),
    }
}
