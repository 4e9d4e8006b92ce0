//! rust-postgres: its own parser of strings, and its own connection.

use std::str::FromStr;

use postgres::{
    Config, NoTls,
    config::{Host, SslMode},
};
use serde_json::{Value, json};

use crate::reader::Question;

#[expect(clippy::unnecessary_wraps, reason = "it is in this very program")]
pub(crate) fn ask(questions: &[Question]) -> Option<Vec<Value>> {
    Some(questions.iter().map(|question| answer(question).unwrap_or_else(|error| json!({ "error": error }))).collect())
}

fn answer(question: &Question) -> Result<Value, String> {
    let words = |error: postgres::Error| format!("{error:#}");
    let config = Config::from_str(&question.url).map_err(words)?;
    let Some(query) = question.query else { return Ok(json!({ "parsed": parsed(&config) })) };
    #[expect(clippy::disallowed_methods, reason = "it is what is compared with")]
    let mut client = config.connect(NoTls).map_err(words)?;
    let text: String = client.query_one(query, &[]).map_err(words)?.get(0);
    let session: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    Ok(json!({ "parsed": parsed(&config), "session": session }))
}

fn parsed(config: &Config) -> Value {
    let host = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(directory) => directory.display().to_string(),
    };
    let hosts: Vec<_> = config.get_hosts().iter().map(host).collect();
    let ssl_mode = match config.get_ssl_mode() {
        SslMode::Prefer => None,
        SslMode::Disable => Some("disable"),
        _ => Some("require"),
    };
    json!({
        "host": hosts.join(" "),
        "port": config.get_ports().first(),
        "user": config.get_user(),
        "password": config.get_password().map(String::from_utf8_lossy),
        "database": config.get_dbname(),
        "options": config.get_options(),
        "application_name": config.get_application_name(),
        "connect_timeout": config.get_connect_timeout().map(|timeout| timeout.as_secs()),
        "sslmode": ssl_mode,
    })
}
