//! Why no connection came about: a sentence, and below it the cause and what to do.

use postgres::error::{DbError, SqlState};
use thiserror::Error;

use super::{
    watch::Fault,
    wire::{End, Reason, Stance},
};
use crate::{
    ConnInfo, Host, InvalidConnString, SslMode,
    sqlstate::{Effect, Meaning},
    tls::{Established, Handshaken},
};

/// Why no connection came about.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Nobody answered, or not in PostgreSQL's protocol.
    #[error("no server answers at {at}\n  cause: {cause}")]
    Unreachable {
        /// Host and port.
        at: String,
        /// The operating system's or the driver's words.
        cause: String,
    },
    /// The server is still starting or already stopping (SQLSTATE 57P01, 57P02, 57P03).
    #[error("the server at {at} is not ready\n  cause: {}", said(.error))]
    NotReady {
        /// Host and port.
        at: String,
        /// The server's words.
        error: Box<DbError>,
    },
    /// The server is none that `target_session_attrs` asks for.
    #[error("the server at {at} does not match target_session_attrs={wanted}\n  cause: {why}")]
    Unwanted {
        /// Host and port.
        at: String,
        /// libpq's word.
        wanted: String,
        /// What it is instead.
        why: &'static str,
    },
    /// None of several servers would do.
    #[error("none of the servers at {at} can be used{}", causes(.failures))]
    NoneWillDo {
        /// Hosts and ports.
        at: String,
        /// Of each, why.
        failures: Vec<ConnectError>,
    },
    /// The server answered and refused: password, role, database, `pg_hba.conf`.
    #[error("{user} may not connect to {database} at {at}\n  cause: {}", said(.error))]
    Refused {
        /// Host and port.
        at: String,
        /// The role, quoted.
        user: String,
        /// The database, quoted.
        database: String,
        /// The server's words.
        error: Box<DbError>,
    },
    /// The server answered, and can give no session now: that says nothing of the role, its password or `pg_hba.conf`.
    #[error("the server at {at} gives {user} no session in {database}\n  cause: {}\n  help: {}", said_in_detail(.error), .meaning.help)]
    Unable {
        /// Host and port.
        at: String,
        /// The role, quoted.
        user: String,
        /// The database, quoted.
        database: String,
        /// The server's words.
        error: Box<DbError>,
        /// What its SQLSTATE means.
        meaning: &'static Meaning,
    },
    /// The server wants a password, and none is known.
    #[error("the server at {at} asks for a password for {user}, and none was given")]
    NoPassword {
        /// Host and port.
        at: String,
        /// The role, quoted.
        user: String,
    },
    /// No encrypted connection came about as `sslmode` and its kin want it.
    #[error("no TLS with the server at {at} (sslmode={mode})\n  cause: {reason}")]
    Tls {
        /// Host and port.
        at: String,
        /// What was asked for.
        mode: SslMode,
        /// What is wrong with the certificate, the files or the server's offer.
        reason: String,
    },
    /// Server and driver know no common way to log in: Kerberos, no channel binding where it is required.
    #[error("cannot log in at {at} as {user}\n  cause: {reason}")]
    Login {
        /// Host and port.
        at: String,
        /// The role, quoted.
        user: String,
        /// The driver's words.
        reason: String,
    },
    /// What comes from there is too much, or no PostgreSQL: a server would not send it.
    #[error("the server at {at} {what}")]
    Excess {
        /// Host and port.
        at: String,
        /// What it did.
        what: String,
    },
    /// A pooler would hand the session to others, and it was wanted for what lasts: a lock, settings.
    #[error(
        "PgBouncer answers at {at}\n  cause: it hands its sessions to others, and locks and settings would not hold\n  note: the app and db-verify may go through PgBouncer\n  help: set up and migrate by connections that lead to the server itself"
    )]
    Shared {
        /// Host and port.
        at: String,
    },
    /// A parameter that has no meaning.
    #[error(transparent)]
    Parameter(#[from] InvalidConnString),
}

/// What the server said, with its SQLSTATE.
fn said(error: &DbError) -> String {
    further_lines_quoted(&format!("{} ({})", error.message(), error.code().code()))
}

/// The same with its detail.
fn said_in_detail(error: &DbError) -> String {
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    further_lines_quoted(&format!("{}{detail} ({})", error.message(), error.code().code()))
}

/// Of each server, why it cannot be used.
fn causes(failures: &[ConnectError]) -> String {
    failures.iter().map(|error| format!("\n  cause: {}", error.in_one_line())).collect()
}

impl ConnectError {
    /// The error without its help, for a place that has one line: a finding, a row of a table.
    pub fn in_one_line(&self) -> String {
        in_one_line(&self.to_string())
    }

    /// The server's SQLSTATE, where it was the server that refused.
    pub fn code(&self) -> Option<&SqlState> {
        match self {
            Self::NotReady { error, .. } | Self::Refused { error, .. } | Self::Unable { error, .. } => {
                Some(error.code())
            }
            _ => None,
        }
    }

    /// Whether files of the server are missing or damaged.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Unable { meaning, .. } if meaning.effect == Effect::Damage)
    }

    /// Whether somebody in between refuses what the session should start with: PgBouncer takes no `options`, from
    /// version 1.20 on some.
    pub fn is_refused_parameter(&self) -> bool {
        matches!(self, Self::Refused { error, .. } if error.message().starts_with("unsupported startup parameter"))
    }

    /// Whether the server answered, and lets this role or this password in nowhere.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::NoPassword { .. } | Self::Login { .. })
    }

    /// Whether it says that there is no such server, rather than that the server lets nobody in.
    pub fn is_no_server(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::NotReady { .. }
                | Self::Unwanted { .. }
                | Self::NoneWillDo { .. }
                | Self::Excess { .. }
        )
    }

    /// Whether waiting may help.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NotReady { .. } => true,
            Self::Unable { meaning, .. } => meaning.effect == Effect::Passing,
            Self::NoneWillDo { failures, .. } => failures.iter().any(Self::may_pass),
            _ => false,
        }
    }

    /// Whether the login may go better with TLS, or without.
    pub(super) fn may_be_for_encryption(&self, was_encrypted: bool, stance: Stance) -> bool {
        match self {
            // Where the handshake succeeded, it is our certificate that the server does not take.
            Self::Tls { .. } => !was_encrypted,
            Self::Refused { error, .. } => {
                // Class 28, invalid authorization: a line of pg_hba.conf may be for the other kind.
                error.code().code().starts_with("28") && (was_encrypted || stance == Stance::Clear)
            }
            _ => false,
        }
    }

    pub(crate) fn unreachable(info: &ConnInfo, cause: &str) -> Self {
        Self::Unreachable { at: info.address().to_string(), cause: cause.to_owned() }
    }

    /// The driver's error told apart; what became of the handshake is known better than it tells.
    /// So is why we ended it ourselves.
    pub(super) fn of(info: &ConnInfo, error: &postgres::Error, handshaken: Option<&Handshaken>, end: &End) -> Self {
        let at = info.address().to_string();
        let user = format!("role \"{}\"", info.user);
        match end.reason() {
            Some(Reason::Unreachable(cause)) => return Self::Unreachable { at, cause },
            Some(Reason::Silence) => {
                return Self::Unreachable { at, cause: "it did not answer in time".to_owned() };
            }
            Some(Reason::Fault(Fault::Login(reason))) => return Self::Login { at, user, reason },
            Some(Reason::Fault(Fault::Excess(what))) => return Self::Excess { at, what },
            None => {}
        }
        let words = chain(error);
        // The driver keeps what kind of error it is to itself, but for the first words.
        let after = |prefix| words.strip_prefix(prefix).map(|rest| rest.trim_start_matches(": ").to_owned());
        if let Some(server) = error.as_db_error() {
            let error = Box::new(server.clone());
            let database = format!("database \"{}\"", info.database);
            return match (server.code(), Meaning::of_login(server)) {
                (&SqlState::CANNOT_CONNECT_NOW | &SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN, _) => {
                    Self::NotReady { at, error }
                }
                (_, Some(meaning)) => Self::Unable { at, user, database, error, meaning },
                (_, None) => Self::Refused { at, user, database, error },
            };
        }
        let failure = handshaken.and_then(Handshaken::failure);
        if let Some(reason) = failure.or_else(|| after("error performing TLS handshake")) {
            return Self::Tls { at, mode: info.ssl_mode, reason };
        }
        if info.password.is_none() && words.contains("password missing") {
            return Self::NoPassword { at, user };
        }
        if let Some(reason) = after("authentication error") {
            let reason = match reason.as_str() {
                "server did not use channel binding" => {
                    format!("channel_binding=require, {}", unbound(info, handshaken.and_then(Handshaken::session)))
                }
                "unsupported authentication method" => {
                    "the server asks for a method that is not spoken here (GSSAPI, SSPI)".to_owned()
                }
                _ => reason,
            };
            return Self::Login { at, user, reason };
        }
        // The sentence around says so already.
        let cause = after("error connecting to server").unwrap_or(words.clone());
        Self::Unreachable { at, cause }
    }
}

/// An error's sentence and its cause, without its help.
pub fn in_one_line(error: &str) -> String {
    let mut lines = error.lines();
    let mut text = lines.next().unwrap_or_default().to_owned();
    for line in lines.filter_map(|line| line.strip_prefix("  ")) {
        if let Some(words) = line.strip_prefix("cause: ").or(line.strip_prefix("| ")) {
            text += &format!(": {words}");
        }
    }
    text
}

/// The words of a server, of which no line can be taken for one of ours: all but the first are marked.
pub fn further_lines_quoted(words: &str) -> String {
    words.replace("\r\n", "\n").replace('\n', "\n  | ")
}

/// Why a login was not bound to the connection.
fn unbound(info: &ConnInfo, session: Option<Established>) -> &'static str {
    match session {
        None if matches!(info.host, Host::Unix(_)) => "and on a socket there is no TLS: name a host",
        None => "and the connection is not encrypted: take sslmode=require too",
        Some(session) if !session.can_bind => {
            "and nothing can be bound to the server's certificate: give it one signed with RSA or ECDSA"
        }
        Some(_) => "and the server does not ask for SCRAM: its line of pg_hba.conf must say scram-sha-256",
    }
}

/// An error and its causes in one line: the driver's own words are seldom enough.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
