//! Connection strings in every spelling, misspelt ones, and what is never shown of them.

use super::*;

fn info(text: &str) -> ConnInfo {
    let found = ConnString::parse(text).unwrap();
    ConnInfo {
        host: found.host.unwrap_or(Host::Tcp("localhost".to_owned())),
        port: found.port.unwrap_or(5432),
        user: found.user.unwrap(),
        password: found.password,
        database: found.database.unwrap(),
        options: found.options.unwrap_or_default(),
        ssl_mode: found.ssl_mode.unwrap_or_default(),
        application_name: found.application_name,
        connect_timeout: found.connect_timeout,
    }
}

#[test]
fn reads_the_seed_document_url_as_it_stands() {
    let found = info("postgres://aura_user:your-password@localhost:5432/aura_db?options=-csearch_path=aura");
    assert_eq!(found.options.get("search_path"), Some("aura"));
    assert_eq!(
        found.url(),
        "postgresql://aura_user:your-password@localhost:5432/aura_db?options=-c%20search_path%3Daura"
    );
}

#[test]
fn both_forms_say_the_same() {
    assert_eq!(
        ConnString::parse("postgresql://u:p%40%25@[::1]:5433/d%20b?sslmode=require&connect_timeout=3"),
        ConnString::parse(r"host=::1 port = 5433 user=u password='p@%' dbname='d b' sslmode=require connect_timeout=3"),
    );
    assert_eq!(
        ConnString::parse(r"user=u password='it\'s \\ mine' dbname=d").unwrap().password,
        Some(Password::new(r"it's \ mine")),
    );
}

#[test]
fn every_printable_password_survives_the_round_trip() {
    let password: String = (' '..='~').chain("äöü€œ".chars()).collect();
    let mut before = info("postgresql://u@localhost/d");
    before.password = Some(Password::new(password.clone()));
    before.user = password.clone();
    before.database = password;
    assert_eq!(info(&before.url()), before);
}

#[test]
fn sockets_in_every_spelling() {
    let socket = Some(Host::Unix("/var/run/postgresql".into()));
    for text in [
        "postgresql://%2Fvar%2Frun%2Fpostgresql/d",
        "postgresql:///d?host=/var/run/postgresql",
        "host=/var/run/postgresql dbname=d",
    ] {
        assert_eq!(ConnString::parse(text).unwrap().host, socket, "{text}");
    }
    assert_eq!(info("postgresql://u@%2Ftmp:5433/d").url(), "postgresql://u@%2Ftmp:5433/d");
}

#[test]
fn misreadings_are_errors_without_the_password() {
    for (text, hint) in [
        ("postgres://u:s3cr@et@localhost/d", "%40"),
        ("postgres://u:s3cr/et@localhost/d", "%2F"),
        ("postgres://u:s3cr?et@localhost/d", "%3F"),
        ("postgres://u:a?s3cr=b&et@localhost/d", "%3F"),
        ("postgres://u:s3cr#et@localhost/d", "%23"),
        ("postgres://u:s3cr%et@localhost/d", "%25"),
        ("postgres://u:s3cret@localhost:0/d", "65535"),
        ("postgres://u:s3cret@localhost,other/d", "several hosts"),
        ("postgresql+psycopg2://u:s3cret@localhost/d", "postgresql://"),
        ("jdbc:postgresql://u:s3cret@localhost/d", "postgresql://"),
        ("postgres://u:s3cret@localhost/d?sslmode=verify-full", "not supported yet"),
        ("postgres://u:s3cret@localhost/d?schema=aura", "`schema`"),
        ("postgres://u:s3cret@localhost/d?options=-d5", "-c name=value"),
        ("host=localhost password='s3cret", "closing quote"),
        ("just some text s3cret", "neither"),
        ("postgres://u@h/d?password=ab&s3cret=x", "percent-encoded"),
        ("postgres://u@h/d?password=ab&s3cret", "percent-encoded"),
        ("postgres://u@h/d?password=ab&s3cret=x%0A", "percent-encoded"),
        ("host=h password=ab s3cret=pw", "quotes"),
        ("host=h password=ab s3cret='pw", "quotes"),
        ("host=h password=ab s3cret", "neither"),
        ("postgres://h/d?pool_timeout=3", "`pool_timeout`"),
        ("postgres://h/d?sslrootcert=x", "`sslrootcert`"),
    ] {
        let error = ConnString::parse(text).unwrap_err().to_string();
        assert!(error.contains(hint), "{text}: {error}");
        assert!(!error.contains("s3cr"), "{text}: {error}");
    }
}

#[test]
fn options_keep_what_is_not_the_path() {
    let options = Options::parse(r"-c search_path=aura,\ public --statement-timeout=5s -cwork_mem=1MB").unwrap();
    assert_eq!(options.get("search_path"), Some("aura, public"));
    assert_eq!(options.without("search_path").to_string(), "-c statement_timeout=5s -c work_mem=1MB");
    assert_eq!(Options::parse(&options.to_string()).unwrap(), options);
}

#[test]
fn passwords_in_other_peoples_text_are_masked() {
    let app = info("postgres://u:p%2Fw%3D%40@h/d");
    for text in ["as p/w=@ it is", "as p%2Fw%3D%40 in URLs", "as p%2fw%3d%40 in other tools'"] {
        let masked = app.mask(text);
        assert!(masked.contains("***") && !masked.contains("p/w") && !masked.contains("p%2"), "{masked}");
    }
    let short = info("postgres://u:dog@h/d");
    assert_eq!(short.mask("dogma"), "dogma");
}
