//! What a reader takes otherwise than it stands, by its own limits and through no spelling of ours. Each is
//! proved by the reader's test, which fails where a limit has gone too.

use pg_connect::{ConnInfo, Host};
use serde_json::{Value, json};

use crate::case::DECOMPOSED;

/// Where a reader is known to differ.
pub(crate) struct Limit {
    pub(crate) reader: &'static str,
    /// `parsed.` or `session.` and the part; or `error`, where it gets nowhere.
    pub(crate) part: &'static str,
    /// Whether a connection runs into it.
    pub(crate) concerns: fn(&ConnInfo) -> bool,
    /// What the reader says instead.
    pub(crate) says: fn(&ConnInfo) -> Value,
    /// Why, and what it means to whoever uses the reader.
    pub(crate) why: &'static str,
}

pub(crate) const LIMITS: [Limit; 12] = [
    Limit {
        reader: "SQLAlchemy",
        part: "parsed.host",
        concerns: is_socket,
        says: encoded,
        why: "make_url does not decode the host; the parameter `host`, which we add, wins when it connects",
    },
    Limit {
        reader: "SQLAlchemy, psycopg2",
        part: "parsed.host",
        concerns: is_socket,
        says: encoded,
        why: "as with psycopg",
    },
    Limit {
        reader: "rust-postgres",
        part: "parsed.host",
        concerns: is_socket,
        says: |connection| json!(format!("{0} {0}", connection.host)),
        why: "a parameter `host` is one more host to it: a socket where nobody listens is tried twice",
    },
    Limit {
        reader: "sqlx",
        part: "parsed.host",
        concerns: |connection| connection.host == Host::parse("::1"),
        says: |connection| json!(format!("[{}]", connection.host)),
        why: "it keeps the brackets, and connects all the same",
    },
    Limit {
        reader: "sqlx",
        part: "parsed.host",
        concerns: |connection| matches!(connection.host, Host::At(..)),
        says: |_| json!("127.0.0.1"),
        why: "to it `hostaddr` is another name of `host`: a certificate is then compared with the address",
    },
    Limit {
        reader: "sqlx",
        part: "parsed.connect_timeout",
        concerns: |connection| connection.connect_timeout.is_some(),
        says: |_| Value::Null,
        why: "it has nothing of the kind, and logs that it ignores it: the pool's acquire_timeout is what it has",
    },
    Limit {
        reader: "sqlx",
        part: "parsed.database",
        concerns: |connection| connection.database == "..",
        says: |_| Value::Null,
        why: "the url crate resolves `/..`, encoded or not; nobody has such a database",
    },
    Limit {
        reader: "sqlx",
        part: "error",
        concerns: |connection| connection.password.as_ref().is_some_and(|password| password.reveal() == DECOMPOSED),
        says: |connection| {
            json!(format!(
                "error returned from database: password authentication failed for user \"{}\"",
                connection.user
            ))
        },
        why: "it normalises the role, not the password (RFC 5802 wants both): composed umlauts are the same either way",
    },
    Limit {
        reader: "Django",
        part: "parsed.application_name",
        concerns: |connection| is_named(connection, "007"),
        says: |_| json!(7),
        why: "dj-database-url makes numbers of digits in parameters (not in role, password and database)",
    },
    Limit {
        reader: "Django",
        part: "session.application_name",
        concerns: |connection| is_named(connection, "007"),
        says: |_| json!("7"),
        why: "and that is what it connects by",
    },
    Limit {
        reader: "Django",
        part: "parsed.application_name",
        concerns: |connection| is_named(connection, "true"),
        says: |_| json!(true),
        why: "dj-database-url makes truth values of `true` and `false` in parameters",
    },
    Limit {
        reader: "Django",
        part: "session.application_name",
        concerns: |connection| is_named(connection, "true"),
        says: |_| json!("True"),
        why: "and that is what it connects by",
    },
];

fn is_socket(connection: &ConnInfo) -> bool {
    matches!(connection.host, Host::Unix(_))
}

fn is_named(connection: &ConnInfo, name: &str) -> bool {
    connection.application_name.as_deref() == Some(name)
}

/// The host as it stands between `@` and the port.
fn encoded(connection: &ConnInfo) -> Value {
    let url = connection.url();
    let authority = url.split('@').nth(1).unwrap();
    json!(authority.split(':').next().unwrap())
}
