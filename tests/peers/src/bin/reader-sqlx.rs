//! Is asked by lines of JSON, and answers by lines of JSON: what sqlx takes a URL for, and whom it meets there.

use serde_json::{Value, json};
use sqlx::{
    Connection, Error, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::runtime::Builder;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    for line in std::io::stdin().lines() {
        let question: Value = serde_json::from_str(&line?)?;
        let answer = match question["url"].as_str().unwrap_or_default().parse() {
            Err(error) => json!({ "error": Error::to_string(&error) }),
            Ok(options) => match question["query"].as_str().map(|query| runtime.block_on(ask(&options, query))) {
                None => json!({ "parsed": parsed(&options) }),
                Some(Ok(session)) => json!({ "parsed": parsed(&options), "session": session }),
                Some(Err(error)) => json!({ "parsed": parsed(&options), "error": error.to_string() }),
            },
        };
        println!("{answer}");
    }
    Ok(())
}

/// All that sqlx tells of what it has read; the password is not among it.
fn parsed(options: &PgConnectOptions) -> Value {
    let host = options.get_socket().map_or(options.get_host().into(), |socket| socket.display().to_string());
    let mode = options.get_ssl_mode();
    json!({
        "host": host,
        "port": options.get_port(),
        "user": options.get_username(),
        "database": options.get_database(),
        "options": options.get_options(),
        "application_name": options.get_application_name(),
        "connect_timeout": format!("{options:?}").contains("connect_timeout").then_some("it has a word for it"),
        "sslmode": (!matches!(mode, PgSslMode::Prefer)).then(|| format!("{mode:?}").to_lowercase()),
    })
}

async fn ask(options: &PgConnectOptions, query: &str) -> Result<Value, Error> {
    let mut connection = PgConnection::connect_with(options).await?;
    let text: String = sqlx::query_scalar(query).fetch_one(&mut connection).await?;
    serde_json::from_str(&text).map_err(|error| Error::Decode(error.into()))
}
