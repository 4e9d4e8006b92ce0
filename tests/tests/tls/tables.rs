//! The tables, row by row: what each connection string must come to, with each `sslmode`.
//!
//! A row is: how the server is set up (`valid <17`: only where it is older); the connection string, in which `@`
//! is the directory of the papers and `HOME=` chooses one of their home directories; what comes of it with
//! `sslmode` disable, allow, prefer, require, verify-ca and verify-full; and words that stand in what we say of it.
//!
//! What comes of it is `clear`, `tls` (with whom is not verified), `issuer`, `host` (so far it is), or `refused`;
//! `refused(tls)`: libpq connects where we refuse on purpose; `tls(-)`: libpq is not asked, as before version 16
//! or 17 it does not know the parameter, or as its answer depends on its OpenSSL; `.`: nobody is asked, as it goes without saying.

use crate::{
    case::{Case, NOBODY, Outcome, outcome},
    papers::Papers,
    server::Server,
    table::rows,
};

const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

#[test]
fn certificates() {
    holds(include_str!("certificates.txt"));
}

#[test]
fn names() {
    holds(include_str!("names.txt"));
}

#[test]
fn revocation() {
    holds(include_str!("revocation.txt"));
}

#[test]
fn negotiation() {
    holds(include_str!("negotiation.txt"));
}

#[test]
fn clients() {
    holds(include_str!("clients.txt"));
}

#[test]
fn logins() {
    holds(include_str!("logins.txt"));
}

/// What people read: what is wrong, where, and what to do.
#[test]
fn sentences() {
    let Some(server) = server() else { return };
    let port = format!(":{} ", server.cluster.port());
    let mut wrong = Vec::new();
    for [set_up, string, sentence] in rows(include_str!("sentences.txt")) {
        if !server.fits(set_up, string) {
            continue;
        }
        server.set_up(set_up);
        let said = Case::new(&server, string).sentence().replace(&port, ":PORT ");
        if said != server.filled(sentence) {
            wrong.push(format!("{set_up} | {string}\n  {sentence}\n  {said}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// A server, where there is an openssl to make its certificates.
#[track_caller]
pub(crate) fn server() -> Option<Server> {
    if !Papers::can_be_made() {
        tests::skipped("openssl 3 is not installed (Debian's package openssl)");
        return None;
    }
    Some(Server::start())
}

/// Holds a table against psql and against us.
#[track_caller]
fn holds(table: &str) {
    let Some(server) = server() else { return };
    let wrong: Vec<_> = rows(table).flat_map(|row| differences(&server, row)).collect();
    assert!(wrong.is_empty(), "{} differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// What of a row does not hold.
fn differences(server: &Server, [set_up, string, outcomes, words]: [&str; 4]) -> Vec<String> {
    if !server.fits(set_up, string) {
        return Vec::new();
    }
    server.set_up(set_up);
    let expected: Vec<_> = outcomes.split_whitespace().collect();
    assert_eq!(expected.len(), MODES.len(), "{string}: {outcomes}");
    let words = server.filled(words);
    let words: Vec<_> = words.split(" / ").filter(|words| !words.is_empty()).collect();
    let asked: Vec<_> = MODES.into_iter().zip(expected).filter(|(_, expected)| *expected != ".").collect();
    let cases: Vec<_> = asked.iter().map(|(mode, _)| Case::new(server, &format!("{string} sslmode={mode}"))).collect();
    // Before version 15 libpq looked for no address among a certificate's names.
    let is_asked = |expected: &str| !expected.ends_with("(-)") && server.libpq() >= 15;
    // Their processes run while we take our own way.
    let theirs: Vec<_> =
        cases.iter().zip(&asked).map(|(case, (_, expected))| is_asked(expected).then(|| case.psql())).collect();
    let ours: Vec<_> = cases.iter().map(Case::ours).collect();
    let theirs: Vec<_> = theirs.into_iter().map(|psql| psql.map(outcome)).collect();
    let mut wrong = Vec::new();
    for ((mode, expected), (ours, theirs)) in asked.iter().zip(ours.iter().zip(theirs)) {
        let faults = faults(mode, expected, &words, ours, theirs.as_ref());
        if !faults.is_empty() {
            let theirs = theirs.map_or_else(String::new, |theirs| format!("\n  psql: {theirs}"));
            let faults = faults.join("\n  ! ");
            wrong.push(format!("{set_up} | {string} | {mode}: {expected}\n  ours: {ours}{theirs}\n  ! {faults}"));
        }
    }
    for words in words {
        if !ours.iter().any(|ours| ours.why().is_some_and(|why| why.contains(words))) {
            wrong.push(format!("{set_up} | {string}: nowhere do we say {words:?}"));
        }
    }
    wrong
}

/// What is not as the table has it.
fn faults(mode: &str, expected: &str, words: &[&str], ours: &Outcome, theirs: Option<&Outcome>) -> Vec<String> {
    let mut faults = Vec::new();
    let (for_us, for_them) = match expected.strip_suffix(')').and_then(|both| both.split_once('(')) {
        Some(both) => both,
        None => (expected, if ["issuer", "host"].contains(&expected) { "tls" } else { expected }),
    };
    if ours.word() != for_us {
        faults.push(format!("ours is {}", ours.word()));
    }
    if let Some(theirs) = theirs {
        if theirs.word() != for_them {
            faults.push(format!("psql's is {}", theirs.word()));
        }
        if let (Outcome::Tls(ours, _), Outcome::Tls(theirs, _)) = (ours, theirs)
            && ours != theirs
        {
            faults.push("the versions differ".to_owned());
        }
    }
    if let Some(why) = ours.why() {
        let is_told = words.iter().any(|words| why.contains(words));
        let is_plain = matches!(ours, Outcome::Clear(_)) && why == format!("sslmode={mode}");
        if !is_told && !is_plain {
            faults.push("none of the row's words".to_owned());
        }
        if why.starts_with(NOBODY) {
            faults.push("it takes the server for one that is not there".to_owned());
        }
        if why.contains("s3cret") {
            faults.push("it tells a secret".to_owned());
        }
    }
    faults
}
