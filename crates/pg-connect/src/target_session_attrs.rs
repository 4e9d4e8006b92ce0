//! `target_session_attrs` and `load_balance_hosts`: which of several servers will do.

use postgres::Client;

use crate::{InvalidConnString, Parameters};

/// What a session must be allowed to do (the manual's section 34.1.2, `target_session_attrs`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TargetSessionAttrs {
    /// Anything will do.
    #[default]
    Any,
    /// Transactions may write by default.
    ReadWrite,
    /// Transactions may not write by default.
    ReadOnly,
    /// The server is not a standby.
    Primary,
    /// The server is a standby.
    Standby,
    /// A standby where one of the servers is one, else any.
    PreferStandby,
}

impl TargetSessionAttrs {
    /// What the parameters ask for.
    pub(crate) fn of(parameters: &Parameters) -> Result<Self, InvalidConnString> {
        Ok(match parameters.get("target_session_attrs") {
            None | Some("any") => Self::Any,
            Some("read-write") => Self::ReadWrite,
            Some("read-only") => Self::ReadOnly,
            Some("primary") => Self::Primary,
            Some("standby") => Self::Standby,
            Some("prefer-standby") => Self::PreferStandby,
            Some(_) => {
                let known = "is none of any, read-write, read-only, primary, standby, prefer-standby";
                return Err(InvalidConnString::value("target_session_attrs", known));
            }
        })
    }

    /// What the session is instead of what is wanted; `None` where it will do. One round trip, none for `Any`.
    pub(crate) fn missed_by(self, client: &mut Client) -> Result<Option<&'static str>, postgres::Error> {
        if matches!(self, Self::Any | Self::PreferStandby) {
            return Ok(None);
        }
        let sql = "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only') = 'on'";
        let row = client.query_one(sql, &[])?;
        let (is_standby, is_read_only): (bool, bool) = (row.get(0), row.get(1));
        Ok(match self {
            Self::ReadWrite if is_read_only => Some("its sessions are read-only"),
            Self::ReadOnly if !is_read_only => Some("its sessions may write"),
            Self::Primary if is_standby => Some("it is a standby"),
            Self::Standby if !is_standby => Some("it is not a standby"),
            _ => None,
        })
    }
}

/// Whether several hosts are tried in an order of chance.
pub(crate) fn is_balanced(parameters: &Parameters) -> Result<bool, InvalidConnString> {
    match parameters.get("load_balance_hosts") {
        None | Some("disable") => Ok(false),
        Some("random") => Ok(true),
        Some(_) => Err(InvalidConnString::value("load_balance_hosts", "is neither disable nor random")),
    }
}
