//! What the parameters say of TLS without naming a file, but for `sslmode`.

use rustls::{
    SupportedProtocolVersion,
    version::{TLS12, TLS13},
};

use crate::{InvalidConnString, Parameters, SslMode};

/// Looks at the parameters of TLS that need no file.
pub(crate) fn check(parameters: &Parameters, mode: SslMode) -> Result<(), InvalidConnString> {
    versions(parameters)?;
    sends_name(parameters)?;
    match parameters.get("channel_binding") {
        None | Some("disable" | "prefer" | "require") => {}
        Some(_) => return Err(InvalidConnString::value("channel_binding", "is none of disable, prefer, require")),
    }
    match parameters.get("sslnegotiation") {
        None | Some("postgres") => {}
        Some("direct") if mode >= SslMode::Require => {}
        Some("direct") => {
            return Err(InvalidConnString::value(
                "sslnegotiation",
                format!("direct needs sslmode=require, verify-ca or verify-full, not {mode}"),
            ));
        }
        Some(_) => return Err(InvalidConnString::value("sslnegotiation", "is neither postgres nor direct")),
    }
    let is_nameless = parameters.says("hostaddr") && !parameters.says("host");
    if is_nameless && mode == SslMode::VerifyFull {
        return Err(InvalidConnString::value(
            "sslmode",
            "verify-full needs a host as well as hostaddr: its name is verified",
        ));
    }
    Ok(())
}

/// The protocol versions that may be spoken; older ones than 1.2 are spoken by nobody here.
pub(super) fn versions(parameters: &Parameters) -> Result<Vec<&'static SupportedProtocolVersion>, InvalidConnString> {
    let number = |name: &'static str, default: u8| match parameters.get(name).map(str::to_ascii_lowercase).as_deref() {
        None => Ok(default),
        Some("tlsv1") => Ok(0),
        Some("tlsv1.1") => Ok(1),
        Some("tlsv1.2") => Ok(2),
        Some("tlsv1.3") => Ok(3),
        Some(_) => Err(InvalidConnString::value(name, "is none of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3")),
    };
    let lowest = number("ssl_min_protocol_version", 2)?;
    let highest = number("ssl_max_protocol_version", 3)?;
    let all = [(2, &TLS12), (3, &TLS13)];
    let spoken: Vec<_> =
        all.into_iter().filter(|(n, _)| (lowest..=highest).contains(n)).map(|(_, version)| version).collect();
    if spoken.is_empty() {
        let reason = "leaves no version: TLSv1.2 and TLSv1.3 are spoken here";
        return Err(InvalidConnString::value("ssl_max_protocol_version", reason));
    }
    Ok(spoken)
}

/// Whether the server is told the name by which it was found.
pub(super) fn sends_name(parameters: &Parameters) -> Result<bool, InvalidConnString> {
    match parameters.get("sslsni") {
        None | Some("1") => Ok(true),
        Some("0") => Ok(false),
        Some(_) => Err(InvalidConnString::value("sslsni", "is neither 0 nor 1")),
    }
}
