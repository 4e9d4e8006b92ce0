//! Why the URL of a Unix socket says its directory twice: no other spelling is taken by every reader.

use pg_connect::{ConnInfo, Password};
use serde_json::Value;

use crate::{
    answer::expected,
    case::World,
    reader::{Question, READERS, Reader, SESSION},
};

/// A way to write a socket's URL, and who does not take it so.
struct Spelling {
    /// The URL: `{user}`, `{password}`, `{database}`, `{directory}` stand percent-encoded.
    template: &'static str,
    refused_by: &'static [&'static str],
}

const SPELLINGS: [Spelling; 5] = [
    // SQLAlchemy looks up a host named `%2Ftmp`.
    Spelling {
        template: "postgresql://{user}:{password}@{directory}:{port}/{database}",
        refused_by: &["SQLAlchemy", "SQLAlchemy, psycopg2"],
    },
    // The url crate wants a host after a `@`: EmptyHost.
    Spelling {
        template: "postgresql://{user}:{password}@/{database}?host={directory}&port={port}",
        refused_by: &["sqlx"],
    },
    // SQLAlchemy sees no role and no password, and would print this password in its logs; to dj-database-url
    // the password 007 is the number 7.
    Spelling {
        template: "postgresql:///{database}?host={directory}&port={port}&user={user}&password={password}",
        refused_by: &["SQLAlchemy", "SQLAlchemy, psycopg2", "Django"],
    },
    // To Django HOST wins; rust-postgres tries localhost first. Both connect, by TCP.
    Spelling {
        template: "postgresql://{user}:{password}@localhost:{port}/{database}?host={directory}",
        refused_by: &["Django", "rust-postgres"],
    },
    Spelling {
        template: "postgresql://{user}:{password}@{directory}:{port}/{database}?host={directory}",
        refused_by: &[],
    },
];

#[test]
fn no_other_spelling_of_a_socket_is_taken_by_all() {
    let world = World::new();
    let is_it = |name: &str| name.starts_with("socket: role \"007\"");
    let connection = &world.cases.iter().find(|case| is_it(&case.name)).unwrap().connection;
    let connection = &ConnInfo { password: Some(Password::new("007")), ..connection.clone() };
    world.change_password(connection);
    let urls = SPELLINGS.map(|spelling| spelled(spelling.template, connection));
    assert_eq!(urls.last().unwrap(), &connection.url(), "it is ours");
    let questions = urls.map(|url| Question { url, query: Some(SESSION) });
    let mut refused_by = SPELLINGS.map(|_| Vec::new());
    for reader in &READERS {
        let Some(answers) = (reader.read)(&questions) else { return };
        assert_eq!(answers.len(), questions.len());
        for (answer, refused_by) in answers.iter().zip(&mut refused_by) {
            if !is_taken(reader, answer, connection) {
                refused_by.push(reader.name);
            }
        }
    }
    for (spelling, refused_by) in SPELLINGS.iter().zip(refused_by) {
        assert_eq!(refused_by, spelling.refused_by, "{}", spelling.template);
    }
}

/// Whether a reader has come to the right session by the socket, and tells role, password and database apart.
fn is_taken(reader: &Reader, answer: &Value, connection: &ConnInfo) -> bool {
    let expected = expected(connection);
    let same = |kind: &str, part: &str| answer[kind][part] == expected[kind][part];
    let is_told = |part: &&&str| ["user", "password", "database"].contains(*part);
    let is_seen = |part: &&&str| **part != "application_name";
    reader.tells.iter().filter(is_told).all(|part| same("parsed", part))
        && reader.asks.iter().filter(is_seen).all(|part| same("session", part))
}

fn spelled(template: &str, connection: &ConnInfo) -> String {
    // By way of a URL of ours, whose encoding this is not about.
    let encoded = |text: &str| {
        let url = connection.with_database(text).url();
        url.split(['/', '?']).nth(3).unwrap().to_owned()
    };
    let words = [
        ("{user}", encoded(&connection.user)),
        ("{password}", encoded(connection.password.as_ref().unwrap().reveal())),
        ("{database}", encoded(&connection.database)),
        ("{directory}", encoded(&connection.host.to_string())),
        ("{port}", connection.port.to_string()),
    ];
    words.iter().fold(template.to_owned(), |url, (word, value)| url.replace(word, value))
}
