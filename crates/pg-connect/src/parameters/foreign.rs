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
