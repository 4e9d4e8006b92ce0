//! libpq's parameters by name (the manual's section 34.1.2), and what becomes of each here.

use super::{InvalidConnString, foreign};

/// One of libpq's parameters.
pub(crate) struct Keyword {
    /// Its name in connection strings.
    pub(crate) name: &'static str,
    /// The environment variable that fills it (the manual's section 34.15).
    pub(crate) variable: Option<&'static str>,
    /// Whether it is done as libpq does it.
    pub(crate) support: Support,
}

/// What becomes of a parameter.
pub(crate) enum Support {
    /// It has its effect.
    Full,
    /// These values ask for what is done anyway; any other is refused for this reason.
    Only(&'static [&'static str], &'static str),
    /// It is refused for this reason.
    None(&'static str),
}

/// The parameter of this name.
pub(crate) fn known(name: &str) -> Result<&'static Keyword, InvalidConnString> {
    if let Some(keyword) = KEYWORDS.iter().find(|known| known.name == name) {
        return Ok(keyword);
    }
    Err(foreign::refusal(name))
}

use Support::{Full, None as Refused, Only};

const GSSAPI: &str = "GSSAPI is not spoken here: let the role log in by password or certificate";
const OAUTH: &str = "logins by OAuth are not done here: let the role log in by password or certificate";
const SCRAM_KEYS: &str = "logins by SCRAM keys are not done here: give the password";

/// Every parameter of libpq 13 to 18, and `servicefile` of 19.
pub(crate) const KEYWORDS: &[Keyword] = &[
    keyword("host", Some("PGHOST"), Full),
    keyword("hostaddr", Some("PGHOSTADDR"), Full),
    keyword("port", Some("PGPORT"), Full),
    keyword("dbname", Some("PGDATABASE"), Full),
    keyword("user", Some("PGUSER"), Full),
    keyword("password", Some("PGPASSWORD"), Full),
    keyword("passfile", Some("PGPASSFILE"), Full),
    keyword("service", Some("PGSERVICE"), Full),
    keyword("servicefile", Some("PGSERVICEFILE"), Full),
    keyword("options", Some("PGOPTIONS"), Full),
    keyword("application_name", Some("PGAPPNAME"), Full),
    keyword("fallback_application_name", None, Full),
    keyword("connect_timeout", Some("PGCONNECT_TIMEOUT"), Full),
    keyword("keepalives", None, Full),
    keyword("keepalives_idle", None, Full),
    keyword("keepalives_interval", None, Full),
    keyword("keepalives_count", None, Full),
    keyword("tcp_user_timeout", None, Full),
    keyword("target_session_attrs", Some("PGTARGETSESSIONATTRS"), Full),
    keyword("load_balance_hosts", Some("PGLOADBALANCEHOSTS"), Full),
    keyword("channel_binding", Some("PGCHANNELBINDING"), Full),
    keyword("require_auth", Some("PGREQUIREAUTH"), Full),
    keyword("sslmode", Some("PGSSLMODE"), Full),
    keyword("sslnegotiation", Some("PGSSLNEGOTIATION"), Full),
    keyword("sslrootcert", Some("PGSSLROOTCERT"), Full),
    keyword("sslcert", Some("PGSSLCERT"), Full),
    keyword("sslkey", Some("PGSSLKEY"), Full),
    keyword("sslcrl", Some("PGSSLCRL"), Full),
    keyword("sslcrldir", Some("PGSSLCRLDIR"), Full),
    keyword("sslsni", Some("PGSSLSNI"), Full),
    keyword("ssl_min_protocol_version", Some("PGSSLMINPROTOCOLVERSION"), Full),
    keyword("ssl_max_protocol_version", Some("PGSSLMAXPROTOCOLVERSION"), Full),
    keyword("sslcertmode", Some("PGSSLCERTMODE"), Only(&["allow", "disable"], "require cannot be held here")),
    keyword("requiressl", None, Full),
    keyword(
        "client_encoding",
        Some("PGCLIENTENCODING"),
        Only(&["auto", "utf8", "UTF8", "utf-8", "UTF-8", "unicode", "UNICODE"], "this program speaks UTF-8 alone"),
    ),
    keyword("gssencmode", Some("PGGSSENCMODE"), Only(&["prefer", "disable"], GSSAPI)),
    keyword("gssdelegation", Some("PGGSSDELEGATION"), Only(&["0"], GSSAPI)),
    keyword("gsslib", Some("PGGSSLIB"), Refused(GSSAPI)),
    keyword("krbsrvname", Some("PGKRBSRVNAME"), Only(&["postgres"], GSSAPI)),
    keyword(
        "sslcompression",
        Some("PGSSLCOMPRESSION"),
        Only(&["0"], "TLS compression is not done, here or by OpenSSL"),
    ),
    keyword(
        "replication",
        None,
        Only(&["0", "false", "off", "no"], "a replication connection runs no queries: take it out"),
    ),
    keyword("min_protocol_version", Some("PGMINPROTOCOLVERSION"), Only(&["3.0"], "protocol 3.0 is spoken here")),
    keyword(
        "max_protocol_version",
        Some("PGMAXPROTOCOLVERSION"),
        Only(&["3.0", "3.2", "latest"], "3.0 is spoken here"),
    ),
    keyword(
        "requirepeer",
        Some("PGREQUIREPEER"),
        Refused("who owns the server's process cannot be asked here: keep the socket in a directory of its own"),
    ),
    keyword("sslkeylogfile", None, Refused("the session's keys are written nowhere: take it out")),
    keyword(
        "sslpassword",
        None,
        Refused("encrypted keys are not read here: `openssl pkey -in KEY -out NEW` writes one without a passphrase"),
    ),
    keyword("scram_client_key", None, Refused(SCRAM_KEYS)),
    keyword("scram_server_key", None, Refused(SCRAM_KEYS)),
    keyword("oauth_issuer", None, Refused(OAUTH)),
    keyword("oauth_client_id", None, Refused(OAUTH)),
    keyword("oauth_client_secret", None, Refused(OAUTH)),
    keyword("oauth_scope", None, Refused(OAUTH)),
];

const fn keyword(name: &'static str, variable: Option<&'static str>, support: Support) -> Keyword {
    Keyword { name, variable, support }
}

/// What may be meant by a name that nobody knows, as the end of a sentence.
pub(super) fn nearest(name: &str) -> String {
    let is_it = |keyword: &&Keyword| keyword.name.eq_ignore_ascii_case(name);
    match KEYWORDS.iter().find(is_it) {
        Some(keyword) => format!(": write {}", keyword.name),
        None => ": take it out, or correct it".to_owned(),
    }
}

impl Keyword {
    /// Why a value is refused, if it is.
    pub(super) fn refusal(&self, value: &str) -> Option<&'static str> {
        match &self.support {
            _ if value.is_empty() => None,
            Support::Full => None,
            Support::Only(values, _) if values.contains(&value) => None,
            Support::Only(_, reason) | Support::None(reason) => Some(reason),
        }
    }
}

/// Whether libpq refuses an empty value, which elsewhere leaves the default.
pub(super) fn wants_a_value(name: &str) -> bool {
    [
        "sslmode",
        "sslnegotiation",
        "sslcertmode",
        "channel_binding",
        "require_auth",
        "gssencmode",
        "target_session_attrs",
        "load_balance_hosts",
        "connect_timeout",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
    ]
    .contains(&name)
}

/// Whether the environment's word for a parameter may be passed by: it is about how things look, or about a
/// way of logging in that is not taken.
pub(super) fn is_harmless(name: &str) -> bool {
    ["client_encoding", "krbsrvname", "gsslib", "gssdelegation"].contains(&name)
}

/// Whether a parameter's value is nobody's to see.
pub(super) fn is_secret(name: &str) -> bool {
    ["password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret"].contains(&name)
}
