//! Connection URIs: `postgresql://user:password@host:port/database?key=value&…`.

use std::fmt::Write;

use super::{ConnInfo, ConnString, Host, InvalidConnString, SslMode};

/// Reads what follows `postgresql://`.
pub(super) fn parse(rest: &str) -> Result<ConnString, InvalidConnString> {
    refuse_fragment(rest)?;
    let (before_query, query) = rest.split_once('?').map_or((rest, None), |(left, right)| (left, Some(right)));
    let (authority, path) = before_query.split_once('/').map_or((before_query, None), |(a, p)| (a, Some(p)));
    // A `/` or `?` left bare in the password ends the authority before its `@`: then the password's
    // beginning would be taken for a port, and the host would be looked for in the wrong place.
    if !authority.contains('@') && before_query.contains('@') && authority.contains(':') {
        return Err(escape("the password", "a bare `/`", "%2F"));
    }
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_odd_port = authority.rsplit_once(':').is_some_and(|(_, port)| !is_port(port) && !port.ends_with(']'));
    let begins_with_at = |query: &str| query.split(['&', '=']).next().unwrap_or("").contains('@');
    if !authority.contains('@')
        && query.is_some_and(|query| begins_with_at(query) || has_odd_port && query.contains('@'))
    {
        return Err(escape("the password", "a bare `?`", "%3F"));
    }
    let (userinfo, hostspec) = match authority.rsplit_once('@') {
        Some((userinfo, _)) if userinfo.contains('@') => {
            return Err(escape("the part before the host", "a bare `@`", "%40"));
        }
        Some((userinfo, hostspec)) => (Some(userinfo), hostspec),
        None => (None, authority),
    };

    let mut found = ConnString::default();
    if let Some(userinfo) = userinfo {
        let (user, password) = userinfo.split_once(':').map_or((userinfo, None), |(u, p)| (u, Some(p)));
        found.set("user", decode("the user", user)?)?;
        found.set("password", decode("the password", password.unwrap_or(""))?)?;
    }
    let (host, port) = split_host(hostspec)?;
    found.set("host", decode("the host", host)?)?;
    found.set("port", decode("the port", port)?)?;
    found.set("dbname", decode("the database", path.unwrap_or(""))?)?;
    for pair in query.unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or(InvalidConnString::Unknown)?;
        match (key, value) {
            ("ssl", "true") => found.set("sslmode", "require".to_owned())?,
            _ => found.set(&decode("a parameter", key)?, decode("a parameter", value)?)?,
        }
    }
    Ok(found)
}

/// A `#` starts a fragment in other URIs; libpq takes it as part of the name, silently.
fn refuse_fragment(rest: &str) -> Result<(), InvalidConnString> {
    if rest.contains('#') { Err(escape("the URI", "a bare `#`", "%23")) } else { Ok(()) }
}

fn split_host(hostspec: &str) -> Result<(&str, &str), InvalidConnString> {
    let invalid = |reason: &str| InvalidConnString::Value { key: "host", reason: reason.to_owned() };
    if let Some(bracketed) = hostspec.strip_prefix('[') {
        let (address, rest) = bracketed.split_once(']').ok_or_else(|| invalid("lacks the closing `]`"))?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((address, port)),
            None if rest.is_empty() => Ok((address, "")),
            None => Err(invalid("has text after `]`")),
        };
    }
    if hostspec.contains(',') {
        return Err(invalid("names several hosts: give one"));
    }
    match hostspec.split_once(':') {
        Some((_, port)) if port.contains(':') => Err(invalid("is an IPv6 address: write it in brackets, as [::1]")),
        Some((host, port)) => Ok((host, port)),
        None => Ok((hostspec, "")),
    }
}

fn escape(place: &'static str, found: &'static str, instead: &'static str) -> InvalidConnString {
    InvalidConnString::Escape { place, found, instead }
}

/// Percent-decodes; `+` is no space, as in libpq.
fn decode(place: &'static str, text: &str) -> Result<String, InvalidConnString> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|digit| digit.and_then(|d| char::from(d).to_digit(16)));
        let [Some(high), Some(low)] = digits else {
            return Err(escape(place, "a bare `%`", "%25"));
        };
        bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
    }
    String::from_utf8(bytes)
        .map_err(|_| InvalidConnString::Value { key: place, reason: "is not UTF-8 after percent-decoding".to_owned() })
}

/// Writes the URI; `password` is what stands in the password's place.
pub(super) fn print(info: &ConnInfo, password: Option<&str>) -> String {
    let mut uri = format!("postgresql://{}", encode(&info.user));
    if let Some(password) = password {
        // The mask must stay readable.
        let _ = write!(uri, ":{}", if password == "***" { password.to_owned() } else { encode(password) });
    }
    let host = match &info.host {
        Host::Tcp(name) if name.contains(':') => format!("[{name}]"),
        Host::Tcp(name) => encode(name),
        Host::Unix(directory) => encode(&directory.to_string_lossy()),
    };
    let _ = write!(uri, "@{host}:{}/{}", info.port, encode(&info.database));
    let mut separator = '?';
    let mut parameter = |key: &str, value: &str| {
        let _ = write!(uri, "{separator}{key}={}", encode(value));
        separator = '&';
    };
    if info.ssl_mode != SslMode::default() {
        parameter("sslmode", info.ssl_mode.as_str());
    }
    if let Some(name) = &info.application_name {
        parameter("application_name", name);
    }
    if let Some(timeout) = info.connect_timeout {
        parameter("connect_timeout", &timeout.as_secs().to_string());
    }
    if !info.options.is_empty() {
        parameter("options", &info.options.to_string());
    }
    uri
}

/// A text percent-encoded with upper-case digits, as we write it, and with lower-case ones.
pub(super) fn encodings(text: &str) -> [String; 2] {
    let upper = encode(text);
    let mut digits = 0;
    let lower = upper
        .chars()
        .map(|c| {
            let is_digit = digits > 0;
            digits = if c == '%' { 2 } else { u8::saturating_sub(digits, 1) };
            if is_digit { c.to_ascii_lowercase() } else { c }
        })
        .collect();
    [upper, lower]
}

/// Percent-encodes all but RFC 3986's unreserved characters, so that no reader can trip.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
