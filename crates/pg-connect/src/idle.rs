//! A session that has done what it was opened for.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::Session;

/// The session by which a server was seen to answer, for the first who wants one in its database: a login costs the
/// server a process.
#[derive(Clone, Default)]
pub struct Spare(Arc<Mutex<Option<Session>>>);

impl Spare {
    /// Keeps it.
    pub fn of(session: Session) -> Self {
        Self(Arc::new(Mutex::new(Some(session))))
    }

    /// Gives it, once; not one that has ended.
    pub fn take(&self) -> Option<Session> {
        let session = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        session.filter(|session| !session.client.is_closed())
    }
}

impl fmt::Debug for Spare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spare")
    }
}
