//! Several hosts in one connection string: the servers that it may mean, and the one that is taken.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    Address, ConnInfo, ConnectError, InvalidConnString, Parameters, Passfile, Session,
    connect::{open, pause_before_next},
    password::random_bytes,
    target_session_attrs::{TargetSessionAttrs, is_balanced},
};

/// The connections that a string may mean, in order; mostly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates(Vec<ConnInfo>);

impl Candidates {
    /// One connection for each server that the parameters name. Without a password each has its server's of
    /// the password file.
    pub fn new(
        parameters: &Parameters,
        passfile: &Passfile,
        default_certificates: Option<PathBuf>,
    ) -> Result<Self, InvalidConnString> {
        Self::at(&Address::all(parameters)?, parameters, passfile, default_certificates)
    }

    /// The same for these servers, whatever the parameters name.
    pub fn at(
        addresses: &[Address],
        parameters: &Parameters,
        passfile: &Passfile,
        default_certificates: Option<PathBuf>,
    ) -> Result<Self, InvalidConnString> {
        let infos = addresses.iter().map(|address| {
            let mut info = ConnInfo::new(address, parameters)?;
            info.default_certificates.clone_from(&default_certificates);
            if info.password.is_none() {
                info.password = passfile.password(address, &info.database, &info.user);
            }
            Ok::<_, InvalidConnString>(info)
        });
        Ok(Self(infos.collect::<Result<_, _>>()?))
    }

    /// These, in order; at least one.
    pub fn of(infos: Vec<ConnInfo>) -> Self {
        Self(infos)
    }

    /// Each of them.
    pub fn all(&self) -> &[ConnInfo] {
        &self.0
    }

    /// Opens a session with the first server that lets us in and is what `target_session_attrs` asks for, and
    /// says which it is. As in libpq, one that refuses the login ends the search. Where none will do, all are
    /// tried again until `wait` is over.
    pub fn connect(&self, wait: Duration) -> Result<(ConnInfo, Session), ConnectError> {
        if let [only] = self.0.as_slice() {
            return open(only, wait).map(|session| (only.clone(), session));
        }
        let deadline = Instant::now() + wait;
        let mut pause = Duration::ZERO;
        loop {
            match self.try_all() {
                Err(error) if error.may_pass() && pause_before_next(&mut pause, deadline) => {}
                outcome => return outcome,
            }
        }
    }

    fn try_all(&self) -> Result<(ConnInfo, Session), ConnectError> {
        let mut infos = self.0.clone();
        if infos.first().is_some_and(|info| is_balanced(&info.more).unwrap_or(false)) {
            shuffle(&mut infos);
        }
        let wanted = infos.first().map(|info| TargetSessionAttrs::of(&info.more)).transpose()?.unwrap_or_default();
        if wanted == TargetSessionAttrs::PreferStandby {
            let mut standbys = infos.clone();
            for info in &mut standbys {
                info.more.set("target_session_attrs", "standby")?;
            }
            match first(&standbys) {
                Ok((mut info, session)) => {
                    info.more.set("target_session_attrs", "prefer-standby")?;
                    return Ok((info, session));
                }
                Err(error) if error.is_no_server() => {}
                Err(error) => return Err(error),
            }
        }
        first(&infos)
    }
}

/// The first that lets us in.
fn first(infos: &[ConnInfo]) -> Result<(ConnInfo, Session), ConnectError> {
    let mut failures = Vec::new();
    for info in infos {
        match crate::connect(info) {
            Ok(session) => return Ok((info.clone(), session)),
            Err(error) if error.is_no_server() => failures.push(error),
            Err(error) => return Err(error),
        }
    }
    let at = infos.iter().map(|info| info.address().to_string()).collect::<Vec<_>>().join(", ");
    Err(ConnectError::NoneWillDo { at, failures })
}

fn shuffle<T>(items: &mut [T]) {
    for end in (1..items.len()).rev() {
        items.swap(end, random_below(end + 1));
    }
}

/// A number of chance from 0 up to, and without, `bound`; for choices, not for secrets.
fn random_below(bound: usize) -> usize {
    let [first, second, ..] = random_bytes();
    usize::from(u16::from_le_bytes([first, second])) % bound
}
