//! What people paste that is no connection string of libpq's, and what they should paste instead.

use super::InvalidConnString;

/// Refuses another tool's spelling by its beginning. No part of the text but a scheme is shown.
pub(super) fn refuse(text: &str) -> Result<(), InvalidConnString> {
    let paste = |reason| Err(InvalidConnString::Paste(reason));
    if text.starts_with('<') {
        return paste("it begins with `<`: leave the angle brackets out");
    }
    if text.starts_with(['"', '\'', '`']) {
        return paste("it begins with a quote: leave the quotes out, or let them be the file's or the shell's own");
    }
    if text.starts_with("psql ") || text.starts_with("export ") {
        return paste("it is a command: paste the connection string alone");
    }
    if text.split_once('=').is_some_and(|(key, value)| key.ends_with("_URL") && value.contains("://")) {
        return paste("it repeats the key: keep what follows the `=`");
    }
    // Npgsql's and other ADO.NET strings: `Host=h;Username=u;Password=p`.
    const BEGINNINGS: [&str; 5] = ["host", "server", "database", "username", "port"];
    if let Some((first, rest)) = text.split_once(';')
        && let Some((key, value)) = first.split_once('=')
        && BEGINNINGS.contains(&key.to_ascii_lowercase().as_str())
        && !value.contains(char::is_whitespace)
        && rest.contains('=')
    {
        return paste("it is an ADO.NET string: write postgresql://USER:PASSWORD@HOST:5432/DATABASE");
    }
    let Some((scheme, _)) = text.split_once("://") else { return Ok(()) };
    // Before a colon there may be a role, and after it a password.
    let words = scheme.strip_prefix("jdbc:").unwrap_or(scheme);
    let is_scheme = words.chars().all(|c| c.is_ascii_alphanumeric() || "+.-_".contains(c));
    if !is_scheme || ["postgres", "postgresql"].contains(&scheme) {
        return Ok(());
    }
    let lower = scheme.to_ascii_lowercase();
    if lower.starts_with("prisma") {
        return paste("it leads to Prisma's own proxy: take the database's URL");
    }
    let is_relative = ["postgres", "postgis", "pgsql", "psql", "ecto", "timescale"].iter().any(|n| lower.contains(n));
    Err(InvalidConnString::Scheme(
        scheme.to_owned(),
        if is_relative { "write postgresql:// instead" } else { "this program speaks to PostgreSQL alone" },
    ))
}

/// Why a name that is not one of libpq's is refused.
pub(super) fn refusal(name: &str) -> InvalidConnString {
    match PARAMETERS.iter().find(|(foreign, _)| *foreign == name) {
        Some((foreign, hint)) => InvalidConnString::Unsupported(foreign, hint),
        None => InvalidConnString::Unknown,
    }
}

const PATH: &str = "leave it out where the server gives the path, as it does after db-setup; else write options=-csearch_path%3DNAME in a URI";
const POOL: &str = "it is a connection pool's setting, not the server's: keep it in that program's own configuration";
const PREPARED: &str = "it is about another driver's prepared statements: keep it in that program's own configuration";
const ENCRYPT: &str = "write sslmode=require, or sslmode=verify-full with sslrootcert=FILE";

/// What other tools write into connection strings, and libpq's spelling for it.
const PARAMETERS: &[(&str, &str)] = &[
    ("application-name", "write application_name"),
    ("binary_parameters", PREPARED),
    ("charset", "this program speaks UTF-8 alone: take it out"),
    ("command_timeout", "write options=-cstatement_timeout%3DMILLISECONDS in a URI"),
    ("conn_max_age", POOL),
    ("connection_limit", POOL),
    ("connectTimeout", "write connect_timeout"),
    ("currentSchema", PATH),
    ("database", "write dbname"),
    ("db", "write dbname"),
    ("encoding", "this program speaks UTF-8 alone: take it out"),
    ("max_conns", POOL),
    ("passwd", "write password"),
    ("pgbouncer", POOL),
    ("pool", POOL),
    ("pool_max_conns", POOL),
    ("pool_timeout", POOL),
    ("poolSize", POOL),
    ("prepareThreshold", PREPARED),
    ("prepared_statements", PREPARED),
    ("reaping_frequency", POOL),
    ("schema", PATH),
    ("search_path", PATH),
    ("server", "write host"),
    ("socket", "write host=/DIRECTORY"),
    ("socket_timeout", "write tcp_user_timeout=MILLISECONDS"),
    ("socketTimeout", "write tcp_user_timeout=MILLISECONDS"),
    ("ssl", ENCRYPT),
    ("ssl-mode", "write sslmode"),
    ("ssl_mode", "write sslmode"),
    ("sslaccept", "accept_invalid_certs is sslmode=require, strict is sslmode=verify-full"),
    ("sslfactory", ENCRYPT),
    ("sslidentity", "write sslcert=FILE and sslkey=FILE, in PEM"),
    ("sslrootca", "write sslrootcert"),
    ("statement-cache-capacity", PREPARED),
    ("statement_cache_size", PREPARED),
    ("statement_timeout", "write options=-cstatement_timeout%3DMILLISECONDS in a URI"),
    ("tcpKeepAlive", "write keepalives=1"),
    ("timeout", "write connect_timeout"),
    ("TimeZone", "write options=-ctimezone%3DNAME in a URI"),
    ("timezone", "write options=-ctimezone%3DNAME in a URI"),
    ("uselibpqcompat", "libpq's meaning is the only one here: take it out"),
    ("username", "write user"),
];
