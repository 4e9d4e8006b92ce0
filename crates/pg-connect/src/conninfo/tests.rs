//! Connection strings in every spelling, misspelt ones, and what is never shown of them.

use super::*;

fn info(text: &str) -> ConnInfo {
    let parameters = Parameters::parse(text).unwrap();
    ConnInfo::new(&Address::all(&parameters).unwrap()[0], &parameters).unwrap()
}

fn refused(text: &str) -> String {
    let complete = |parameters: Parameters| ConnInfo::new(&Address::all(&parameters)?[0], &parameters);
    Parameters::parse(text).and_then(complete).map(|info| panic!("{text} was read: {info:?}")).unwrap_err().to_string()
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
        info("postgresql://u:p%40%25@[::1]:5433/d%20b?sslmode=require&connect_timeout=3"),
        info(r"host=::1 port = 5433 user=u password='p@%' dbname='d b' sslmode=require connect_timeout=3"),
    );
    assert_eq!(info(r"user=u password='it\'s \\ mine' dbname=d").password, Some(Password::new(r"it's \ mine")),);
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
    let socket = Host::Unix("/var/run/postgresql".into());
    for text in [
        "postgresql://%2Fvar%2Frun%2Fpostgresql/d",
        "postgresql:///d?host=/var/run/postgresql",
        "host=/var/run/postgresql dbname=d",
    ] {
        assert_eq!(info(text).host, socket, "{text}");
    }
    // tests/tests/readers shows who needs which of the two.
    assert_eq!(info("postgresql://u@%2Ftmp:5433/d").url(), "postgresql://u@%2Ftmp:5433/d?host=%2Ftmp");
    let two = [Address { host: socket.clone(), port: 1 }, Address { host: Host::Tcp("h".to_owned()), port: 2 }];
    assert_eq!(info("user=u dbname=d").url_of(&two), "postgresql://u@%2Fvar%2Frun%2Fpostgresql:1,h:2/d");
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
        ("postgres://u:s3cret@localhost:1,other:2/d?port=1,2,3", "3 ports for 2 hosts"),
        ("postgresql+psycopg2://u:s3cret@localhost/d", "postgresql://"),
        ("jdbc:postgresql://u:s3cret@localhost/d", "postgresql://"),
        ("postgres://u:s3cret@localhost/d?sslmode=no-verify", "write require"),
        ("postgres://u:s3cret@localhost/d?schema=aura", "`schema`"),
        ("postgres://u:s3cret@localhost/d?options=-c", "lone -c"),
        ("host=localhost password='s3cret", "closing quote"),
        ("just some text s3cret", "neither"),
        ("postgres://u@h/d?password=ab&s3cret=x", "as %26"),
        ("postgres://u@h/d?password=ab&s3cret", "as %26"),
        ("postgres://u@h/d?password=ab&s3cret=x%0A", "as %26"),
        ("host=h password=ab s3cret=pw", "quotes"),
        ("host=h password=ab s3cret='pw", "quotes"),
        ("host=h password=ab s3cret", "neither"),
        ("postgres://h/d?pool_timeout=3", "`pool_timeout`"),
        ("postgres://h/d?requirepeer=x", "`requirepeer`"),
    ] {
        let error = refused(text);
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

/// Looking through the whole text for each part of it would take hours.
#[test]
fn long_strings_are_read_in_one_go() {
    let parameters = "application_name=x&".repeat(200_000);
    assert_eq!(info(&format!("postgres://u:p@h/d?{parameters}")).application_name.as_deref(), Some("x"));
    let pairs = "application_name='x' ".repeat(200_000);
    assert_eq!(info(&format!("host=h user=u {pairs}")).application_name.as_deref(), Some("x"));
    let hosts = "a-host-of-very-many.example,".repeat(60_000);
    let many = Parameters::parse(&format!("postgres://u:p@{hosts}h/d")).unwrap();
    let candidates = crate::Candidates::new(&many, &crate::Passfile::default(), None).unwrap();
    assert_eq!(candidates.all().len(), 60_001);
}

#[test]
fn what_is_printed_is_never_weaker() {
    let url = info("postgres://u@h/d?sslrootcert=system").url();
    assert!(url.contains("sslmode=verify-full"), "{url}: before version 16 libpq would verify nothing");
}

#[test]
fn a_password_is_not_taken_for_a_scheme_or_a_host() {
    for (text, hint) in [
        ("u:s3cr://et@h/d", "neither"),
        ("postgres://u:pa@s3cr/word@h/d", "%40"),
        ("postgres://h/d@s3cr", "%40"),
        ("host=h user=u dbname=postgres://u:s3cret@h/x", "connection string"),
        ("host=fe80::1%eth0 user=u", "zone"),
        ("host=localhost:5432 user=u", "a port goes into port"),
        ("postgres://u:s3cret@h/d&sslmode=require", "`?` before the first"),
        ("postgres://u:s3cret@h/d/", "%2F, or take it out"),
        ("postgres://u:s3cret@h/d?sslMode=require", "`sslMode`: write sslmode"),
        ("postgres://u:s3cret@h/d?tls=true", "knows no parameter `tls`"),
        ("<postgres://u:s3cret@h/d>", "angle brackets"),
        ("prisma+postgres://localhost:51213/?api_key=s3cret", "Prisma's own proxy"),
        ("postgres://h/d?sslmode=", "is empty"),
        ("postgres://h/d?require_auth=", "is empty"),
    ] {
        let error = refused(text);
        assert!(error.contains(hint) && !error.contains("s3cr"), "{text}: {error}");
    }
    assert_eq!(info("host=h user=u password=p;cret dbname=d").password, Some(Password::new("p;cret")));
}
