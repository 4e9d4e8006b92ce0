//! A session that is idle, for its next user.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::Session;

/// The session by which a server was seen to answer, kept for the first user that needs one in its database: a login
/// costs the server a process.
#[derive(Clone, Default)]
pub struct IdleSession(Arc<Mutex<Option<Session>>>);

impl IdleSession {
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

impl fmt::Debug for IdleSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdleSession")
    }
}
