//! TCP's keepalives: noticing a server, a machine or a tunnel that is gone.

use std::time::Duration;

use crate::{InvalidConnString, Parameters};

/// After so long without a word the peer is asked whether it still lives, and again after each interval: a
/// query may take hours, but a machine or a tunnel that is gone must be noticed. libpq leaves it to the
/// system, which waits for two hours.
const IDLE: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_secs(5);
const RETRIES: u32 = 3;

/// How long what was sent may stay unacknowledged (Linux): while there is such, no keepalive is sent.
const UNACKNOWLEDGED_LIMIT: Duration = Duration::from_secs(30);

/// What a system takes where nothing is said (Linux, tcp(7)).
const SYSTEMS_IDLE: Duration = Duration::from_secs(7200);

/// `keepalives` and its kin; `None` leaves it to the system, as 0 and below do in libpq.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Keepalives {
    on: bool,
    idle: Option<Duration>,
    interval: Option<Duration>,
    retries: Option<u32>,
    unacknowledged: Option<Duration>,
}

impl Keepalives {
    pub(crate) fn of(more: &Parameters) -> Result<Self, InvalidConnString> {
        let positive = |name, default: u32| {
            Ok::<_, InvalidConnString>(match more.number(name)? {
                None => Some(default),
                Some(said) => u32::try_from(said).ok().filter(|said| *said > 0),
            })
        };
        let seconds = |name, default: Duration| {
            let default = u32::try_from(default.as_secs()).unwrap_or(u32::MAX);
            Ok::<_, InvalidConnString>(positive(name, default)?.map(|said| Duration::from_secs(said.into())))
        };
        let limit = u32::try_from(UNACKNOWLEDGED_LIMIT.as_millis()).unwrap_or(u32::MAX);
        Ok(Self {
            on: more.number("keepalives")?.is_none_or(|said| said != 0),
            idle: seconds("keepalives_idle", IDLE)?,
            interval: seconds("keepalives_interval", INTERVAL)?,
            retries: positive("keepalives_count", RETRIES)?,
            unacknowledged: positive("tcp_user_timeout", limit)?.map(|said| Duration::from_millis(said.into())),
        })
    }

    pub(crate) fn apply(&self, config: &mut postgres::Config) {
        config.keepalives(self.on).keepalives_idle(self.idle.unwrap_or(SYSTEMS_IDLE));
        if let Some(interval) = self.interval {
            config.keepalives_interval(interval);
        }
        if let Some(retries) = self.retries {
            config.keepalives_retries(retries);
        }
        if let Some(limit) = self.unacknowledged {
            config.tcp_user_timeout(limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> postgres::Config {
        let mut config = postgres::Config::new();
        Keepalives::of(&Parameters::parse(text).unwrap()).unwrap().apply(&mut config);
        config
    }

    #[test]
    fn a_peer_that_is_gone_is_noticed() {
        let config = config("host=h");
        assert!(config.get_keepalives());
        let asked = config.get_keepalives_interval().zip(config.get_keepalives_retries());
        let noticed = asked.map(|(interval, retries)| config.get_keepalives_idle() + interval * retries);
        assert_eq!(noticed, Some(Duration::from_secs(45)));
        assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_secs(30)));
    }

    #[test]
    fn what_is_said_counts() {
        assert!(!config("keepalives=0").get_keepalives());
        let slow = config("keepalives_idle=600 keepalives_count=0 tcp_user_timeout=1500");
        assert_eq!(slow.get_keepalives_idle(), Duration::from_secs(600));
        assert_eq!(slow.get_keepalives_retries(), None);
        assert_eq!(slow.get_tcp_user_timeout(), Some(&Duration::from_millis(1500)));
    }
}
