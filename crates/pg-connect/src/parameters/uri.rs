//! Connection URIs, read: `postgresql://user:password@host:port,host:port/database?key=value&…`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{InvalidConnString, Parameters, keyword};

/// Reads what follows `postgresql://`.
pub(super) fn parse(rest: &str) -> Result<Parameters, InvalidConnString> {
    refuse_fragment(rest)?;
    let (before_query, query) = rest.split_once('?').map_or((rest, None), |(left, right)| (left, Some(right)));
    let (authority, path) = before_query.split_once('/').map_or((before_query, None), |(a, p)| (a, Some(p)));
    refuse_misread(authority, before_query, query)?;
    let (userinfo, hostspec) = match authority.rsplit_once('@') {
        Some((userinfo, _)) if userinfo.contains('@') => {
            return Err(escape("the part before the host", "a bare `@`", "%40"));
        }
        Some((userinfo, hostspec)) => (Some(userinfo), hostspec),
        None => (None, authority),
    };

    let mut found = Parameters::default();
    // What is empty here is not said, as in libpq; in the query it is.
    let mut say = |name: &str, place: &'static str, text: &str| match text {
        "" => Ok(()),
        text => found.set(name, decode(place, text)?),
    };
    if let Some(userinfo) = userinfo {
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        say("user", "the user", user)?;
        say("password", "the password", password)?;
    }
    let (hosts, ports) = hosts_and_ports(hostspec)?;
    say("host", "the host", &hosts)?;
    say("port", "the port", &ports)?;
    say("dbname", "the database", path.unwrap_or(""))?;
    // Where no password can have come apart, a parameter's name is no piece of one.
    let is_tellable = authority.contains('@') && !query.unwrap_or("").contains("password");
    for pair in query.unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(InvalidConnString::Unknown)?;
        if is_tellable && let Err(InvalidConnString::Unknown) = keyword::known(name) {
            let name: String = name.chars().filter(|c| !c.is_control()).collect();
            let hint = keyword::nearest(&name);
            return Err(InvalidConnString::Named(name, hint));
        }
        match (name, value) {
            ("ssl", "true") => found.set("sslmode", "require")?,
            _ => found.set(&decode("a parameter's name", name)?, decode("a parameter", value)?)?,
        }
    }
    Ok(found)
}

/// A `/` or `?` left bare in the password ends the authority before its `@`: then the password's beginning
/// would be taken for a port or a host, and the host would be looked for in the wrong place. So does what is
/// left bare in the database's name.
fn refuse_misread(authority: &str, before_query: &str, query: Option<&str>) -> Result<(), InvalidConnString> {
    const STAYS: &str = "%2F, and any `@` of it as %40; the last `@`, before the host, stays";
    let path = &before_query[authority.len()..];
    if path.contains('@') && (authority.contains(':') || authority.contains('@')) {
        return Err(escape("the password", "a bare `/`", STAYS));
    }
    if path.contains('@') {
        return Err(escape("the database's name", "a bare `@`", "%40"));
    }
    if path.get(1..).is_some_and(|name| name.contains('/')) {
        return Err(escape("the database's name", "a bare `/`", "%2F, or take it out"));
    }
    let is_parameter = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| keyword::known(name).is_ok());
    if path.split('&').skip(1).any(is_parameter) {
        return Err(escape("the database's name", "parameters after a `&`", "`?` before the first of them"));
    }
    if authority.contains('@') {
        return Ok(());
    }
    // A token for the database (`HOST:5432/?Action=…`) as the password.
    if query.is_some_and(|query| query.contains('@')) && authority.matches(':').count() > 1 && !authority.contains('[')
    {
        let token = "a bare `/` or `?` (it seems to be a token)";
        return Err(escape("the password", token, "%2F and %3F, and all else of a token percent-encoded too"));
    }
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_odd_port = authority.rsplit_once(':').is_some_and(|(_, port)| !is_port(port) && !port.ends_with(']'));
    let begins_with_at = |query: &str| query.split(['&', '=']).next().unwrap_or("").contains('@');
    match query {
        Some(query) if begins_with_at(query) || has_odd_port && query.contains('@') => {
            Err(escape("the password", "a bare `?`", "%3F"))
        }
        _ => Ok(()),
    }
}

/// A `#` starts a fragment in other URIs; libpq takes it as part of the name, silently.
fn refuse_fragment(rest: &str) -> Result<(), InvalidConnString> {
    if rest.contains('#') { Err(escape("the URI", "a bare `#`", "%23")) } else { Ok(()) }
}

/// `host:port,host:port` as two lists of the same length; each is empty where none is said.
fn hosts_and_ports(hostspec: &str) -> Result<(String, String), InvalidConnString> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for part in hostspec.split(',') {
        let (host, port) = split_host(part)?;
        hosts.push(host);
        ports.push(port);
    }
    Ok((hosts.join(","), if ports.iter().all(|port| port.is_empty()) { String::new() } else { ports.join(",") }))
}

fn split_host(hostspec: &str) -> Result<(&str, &str), InvalidConnString> {
    let invalid = |reason: &str| Err(InvalidConnString::value("host", reason));
    if let Some(bracketed) = hostspec.strip_prefix('[') {
        return match bracketed.split_once(']') {
            None => invalid("lacks the closing `]`"),
            Some(("", _)) => invalid("is empty between `[` and `]`"),
            Some((address, "")) => Ok((address, "")),
            Some((address, rest)) => match rest.strip_prefix(':') {
                Some(port) => Ok((address, port)),
                None => invalid("has text after `]`"),
            },
        };
    }
    match hostspec.split_once(':') {
        Some((_, port)) if port.contains(':') => invalid("is an IPv6 address: write it in brackets, as [::1]"),
        Some((host, port)) => Ok((host, port)),
        None => Ok((hostspec, "")),
    }
}

fn escape(place: &'static str, found: &'static str, instead: &'static str) -> InvalidConnString {
    InvalidConnString::Escape { place, found, instead }
}

/// Percent-decodes; `+` is no space, as in libpq.
fn decode(place: &'static str, text: &str) -> Result<String, InvalidConnString> {
    let is_digit = |byte: &u8| byte.is_ascii_hexdigit();
    let is_encoded = |at: usize| text.as_bytes().get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(is_digit));
    if text.match_indices('%').any(|(at, _)| !is_encoded(at)) {
        return Err(escape(place, "a bare `%`", "%25"));
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Cow::into_owned).map_err(|_| InvalidConnString::value(place, "is not UTF-8 after percent-decoding"))
}
