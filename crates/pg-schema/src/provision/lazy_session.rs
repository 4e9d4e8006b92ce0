//! An administrator's session that is opened where it is needed.

use pg_config::Session;

use super::{Access, ProvisionError};
use crate::{Administrator, Expected};

/// The administrator's session in the app's database, opened by the first who needs it.
pub(super) struct LazySession<'a> {
    administrator: &'a Administrator,
    access: &'a Access,
    session: Option<Session>,
}

impl<'a> LazySession<'a> {
    pub(super) fn new(administrator: &'a Administrator, access: &'a Access) -> Self {
        Self { administrator, access, session: None }
    }

    pub(super) fn session(&mut self, expected: &Expected) -> Result<&mut Session, ProvisionError> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self
                .administrator
                .connect(expected.database.as_str(), self.access.wait)
                .map_err(|error| ProvisionError::Administrator { how: self.administrator.how.clone(), error })?,
        };
        Ok(self.session.insert(session))
    }
}
