//! What a reader should have answered, and where its answer differs.

use pg_connect::{ConnInfo, Host};
use serde_json::{Value, json};

use crate::{
    case::Case,
    limits::{LIMITS, Limit},
    reader::Reader,
};

/// Every difference between a reader's answers and the connections that their URLs were made of, and every
/// limit of the reader that has gone.
pub(crate) fn differences(reader: &Reader, cases: &[Case], answers: &[Value]) -> Vec<String> {
    let limits: Vec<_> = LIMITS.iter().filter(|limit| limit.reader == reader.name).collect();
    let mut found = Vec::new();
    for (case, answer) in cases.iter().zip(answers) {
        if answer.is_null() {
            assert!(!case.connects, "{} was not asked of {}", case.name, reader.name);
            continue;
        }
        let mut compare = |part: &str, said: &Value, stands: &Value| {
            let limit = limits.iter().find(|limit| limit.part == part && (limit.concerns)(&case.connection));
            found.extend(difference(&format!("{}: {part}", case.name), said, stands, limit.copied(), case));
        };
        let expected = expected(&case.connection);
        compare("error", &answer["error"], &Value::Null);
        let session = if case.connects && answer["error"].is_null() { reader.asks } else { &[] };
        for (kind, part) in [("parsed", reader.tells), ("session", session)]
            .into_iter()
            .flat_map(|(kind, parts)| parts.iter().map(move |part| (kind, *part)))
        {
            let (said, stands) = (&answer[kind][part], &expected[kind][part]);
            // An application that is not named in the URL names itself.
            if kind == "parsed" || part != "application_name" || !stands.is_null() {
                compare(&format!("{kind}.{part}"), said, stands);
            }
        }
    }
    found
}

fn difference(place: &str, said: &Value, stands: &Value, limit: Option<&Limit>, case: &Case) -> Option<String> {
    match limit {
        None if said == stands => None,
        None => Some(format!("{place} is {said}, not {stands}")),
        Some(limit) if said == stands => Some(format!("{place} is {said}: this limit has gone: {}", limit.why)),
        Some(limit) if *said == (limit.says)(&case.connection) => None,
        Some(limit) => Some(format!("{place} is {said}, neither {stands} nor as known: {}", limit.why)),
    }
}

/// What a connection is, in the readers' words; null is what it does not say.
pub(crate) fn expected(connection: &ConnInfo) -> Value {
    let ssl_mode = connection.ssl_mode.as_str();
    let options = (!connection.options.is_empty()).then(|| connection.options.to_string());
    // A socket has none.
    let port = (!matches!(connection.host, Host::Unix(_))).then_some(connection.port);
    json!({
        "parsed": {
            "host": connection.host.to_string(),
            "port": connection.port,
            "user": connection.user,
            "password": connection.password.as_ref().map(|password| password.reveal()),
            "database": connection.database,
            "options": options,
            "application_name": connection.application_name,
            "connect_timeout": connection.connect_timeout.map(|timeout| timeout.as_secs()),
            "sslmode": (ssl_mode != "prefer").then_some(ssl_mode),
        },
        "session": {
            "user": connection.user,
            "database": connection.database,
            "port": port,
            "search_path": connection.options.get("search_path").unwrap_or(r#""$user", public"#),
            "application_name": connection.application_name,
        },
    })
}
