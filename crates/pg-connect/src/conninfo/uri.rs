//! Connection URIs, written so that every reader takes them.

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Address, Host};

/// Writes the URI; `password` is what stands in the password's place.
pub(super) fn print(
    addresses: &[Address],
    user: &str,
    password: Option<&str>,
    database: &str,
    parameters: &[(&'static str, String)],
) -> String {
    let mut uri = format!("postgresql://{}", encode(user));
    if let Some(password) = password {
        // The mask must stay readable.
        let _ = write!(uri, ":{}", if password == "***" { password.to_owned() } else { encode(password) });
    }
    let hosts: Vec<_> = addresses
        .iter()
        .map(|Address { host, port }| match host {
            Host::Tcp(name) | Host::At(name, _) if name.contains(':') => format!("[{name}]:{port}"),
            host => format!("{}:{port}", encode(&host.to_string())),
        })
        .collect();
    let _ = write!(uri, "@{}/{}", hosts.join(","), encode(database));
    let [host, hostaddr, _] = Address::print(addresses);
    // A socket that stands alone is said twice: the url crate (sqlx) wants a host before the database, and
    // SQLAlchemy does not decode it there. Of several servers, rust-postgres would count two for each port.
    let again = matches!(addresses, [Address { host: Host::Unix(_), .. }]).then_some(host);
    let hostaddr = Some(hostaddr).filter(|(_, value)| !value.is_empty());
    for (at, (name, value)) in again.iter().chain(&hostaddr).chain(parameters).enumerate() {
        let _ = write!(uri, "{}{name}={}", if at == 0 { '?' } else { '&' }, encode(value));
    }
    uri
}

/// A text percent-encoded with upper-case digits, as we write it, and with lower-case ones.
pub(super) fn encodings(text: &str) -> [String; 2] {
    let lower = |part: &str| if part.starts_with('%') { part.to_ascii_lowercase() } else { part.to_owned() };
    [encode(text), utf8_percent_encode(text, &RESERVED).map(lower).collect()]
}

/// Percent-encodes all but RFC 3986's unreserved characters, so that no reader can trip.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
