//! The readers, what each can tell of a URL, and the test of each of them.

use serde_json::Value;

use crate::{
    answer::differences,
    case::{Case, World},
    libpq, python, rust_postgres, sqlx,
};

/// What a reader is asked.
pub(crate) struct Question {
    pub(crate) url: String,
    /// What to ask the server; nothing where the URL is only read.
    pub(crate) query: Option<&'static str>,
}

/// A program or a library that takes URLs.
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    /// The parts of the URL of which it says what it has read.
    pub(crate) tells: &'static [&'static str],
    /// What it says of the session that it has opened.
    pub(crate) asks: &'static [&'static str],
    /// An answer for each question, null for one that it cannot be asked; none where it is not to be had.
    pub(crate) read: fn(&[Question]) -> Option<Vec<Value>>,
}

/// The session as whoever is in it sees it: one text, which is JSON.
pub(crate) const SESSION: &str = "SELECT pg_catalog.json_build_object(
    'user', current_user, 'database', pg_catalog.current_database(), 'port', pg_catalog.inet_server_port(),
    'search_path', pg_catalog.current_setting('search_path'),
    'application_name', pg_catalog.current_setting('application_name'))::text";

const EVERY_PART: &[&str] =
    &["host", "port", "user", "password", "database", "options", "application_name", "connect_timeout", "sslmode"];
const SESSION_WHOLE: &[&str] = &["user", "database", "port", "search_path", "application_name"];

pub(crate) const READERS: [Reader; 8] = [
    Reader { name: "psql", tells: &["host", "port", "user", "database"], asks: SESSION_WHOLE, read: libpq::psql },
    Reader { name: "pg_dump", tells: &[], asks: &["database"], read: libpq::pg_dump },
    Reader {
        name: "psycopg",
        tells: EVERY_PART,
        asks: SESSION_WHOLE,
        read: |questions| python::ask("by_psycopg.py", &[], questions),
    },
    // As the URL stands: SQLAlchemy 2.1 takes psycopg 3 for it, as 2.0 took psycopg2.
    Reader {
        name: "SQLAlchemy",
        tells: EVERY_PART,
        asks: SESSION_WHOLE,
        read: |questions| python::ask("by_sqlalchemy.py", &["postgresql"], questions),
    },
    Reader {
        name: "SQLAlchemy, psycopg2",
        tells: EVERY_PART,
        asks: SESSION_WHOLE,
        read: |questions| python::ask("by_sqlalchemy.py", &["postgresql+psycopg2"], questions),
    },
    Reader {
        name: "Django",
        tells: EVERY_PART,
        asks: SESSION_WHOLE,
        read: |questions| python::ask("by_django.py", &[], questions),
    },
    Reader {
        name: "sqlx",
        // Whether it has the password shows when it connects.
        tells: &["host", "port", "user", "database", "options", "application_name", "connect_timeout", "sslmode"],
        asks: SESSION_WHOLE,
        read: sqlx::ask,
    },
    Reader { name: "rust-postgres", tells: EVERY_PART, asks: SESSION_WHOLE, read: rust_postgres::ask },
];

#[track_caller]
fn takes_every_url(name: &str) {
    let reader = READERS.iter().find(|reader| reader.name == name).unwrap();
    let world = World::new();
    let question = |case: &Case| Question { url: case.connection.url(), query: case.connects.then_some(SESSION) };
    let questions: Vec<_> = world.cases.iter().map(question).collect();
    let Some(answers) = (reader.read)(&questions) else { return };
    assert_eq!(answers.len(), questions.len());
    let found = differences(reader, &world.cases, &answers);
    assert!(found.is_empty(), "{name}: {} differences in {} URLs:\n{}", found.len(), answers.len(), found.join("\n"));
}

#[test]
fn psql_takes_every_url() {
    takes_every_url("psql");
}

#[test]
fn pg_dump_takes_every_url() {
    takes_every_url("pg_dump");
}

#[test]
fn psycopg_takes_every_url() {
    takes_every_url("psycopg");
}

#[test]
fn sqlalchemy_takes_every_url() {
    takes_every_url("SQLAlchemy");
}

#[test]
fn sqlalchemy_with_psycopg2_takes_every_url() {
    takes_every_url("SQLAlchemy, psycopg2");
}

#[test]
fn django_takes_every_url() {
    takes_every_url("Django");
}

#[test]
fn sqlx_takes_every_url() {
    takes_every_url("sqlx");
}

#[test]
fn rust_postgres_takes_every_url() {
    takes_every_url("rust-postgres");
}
