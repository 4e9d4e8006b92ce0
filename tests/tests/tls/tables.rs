//! The tables, row by row: what each connection string must come to, with each `sslmode`.
//!
//! A row is: how the server is set up (`valid <17`: only where it is older); the connection string, in which `@`
//! is the directory of the papers and `HOME=` chooses one of their home directories; and what comes of it with
//! `sslmode` disable, allow, prefer, require, verify-ca and verify-full. What we say of it is in a screen.
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
fn issuers() {
    holds("issuers", include_str!("issuers.txt"));
}

#[test]
fn chains() {
    holds("chains", include_str!("chains.txt"));
}

#[test]
fn versions() {
    holds("versions", include_str!("versions.txt"));
}

#[test]
fn uses() {
    holds("uses", include_str!("uses.txt"));
}

#[test]
fn names() {
    holds("names", include_str!("names.txt"));
}

#[test]
fn revocation() {
    holds("revocation", include_str!("revocation.txt"));
}

#[test]
fn negotiation() {
    holds("negotiation", include_str!("negotiation.txt"));
}

#[test]
fn clients() {
    holds("clients", include_str!("clients.txt"));
}

#[test]
fn logins() {
    holds("logins", include_str!("logins.txt"));
}

/// What people read: what is wrong, where, and what to do.
#[test]
fn sentences() {
    let Some(server) = server() else { return };
    let mut said = String::new();
    for [set_up, string] in rows(include_str!("sentences.txt")) {
        if server.fits(set_up, string) {
            server.set_up(set_up);
            said += &format!("{set_up} | {string}\n    {}\n", server.unfilled(&Case::new(&server, string).sentence()));
        }
    }
    tests::shows("sentences", &said);
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

/// Holds a table against psql and against us; what we say of its rows is the screen of this name.
#[track_caller]
fn holds(name: &str, table: &str) {
    let Some(server) = server() else { return };
    let (mut wrong, mut said) = (Vec::new(), String::new());
    for row in rows(table).filter(|[set_up, string, _]| server.fits(set_up, string)) {
        wrong.extend(differences(&server, row, &mut said));
    }
    assert!(wrong.is_empty(), "{} differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
    tests::shows(name, &said);
}

/// What of a row does not hold. What we say of it is added to a text.
fn differences(server: &Server, [set_up, string, outcomes]: [&str; 3], said: &mut String) -> Vec<String> {
    server.set_up(set_up);
    let expected: Vec<_> = outcomes.split_whitespace().collect();
    assert_eq!(expected.len(), MODES.len(), "{string}: {outcomes}");
    let asked: Vec<_> = MODES.into_iter().zip(expected).filter(|(_, expected)| *expected != ".").collect();
    let cases: Vec<_> = asked.iter().map(|(mode, _)| Case::new(server, &format!("{string} sslmode={mode}"))).collect();
    // Before version 15 libpq looked for no address among a certificate's names.
    let is_asked = |expected: &str| !expected.ends_with("(-)") && server.libpq() >= 15;
    // Their processes run while we take our own way.
    let theirs: Vec<_> =
        cases.iter().zip(&asked).map(|(case, (_, expected))| is_asked(expected).then(|| case.psql())).collect();
    let ours: Vec<_> = cases.iter().map(ours).collect();
    let theirs: Vec<_> = theirs.into_iter().map(|psql| psql.map(outcome)).collect();
    let mut wrong = Vec::new();
    *said += &format!("{set_up} | {string}\n");
    // Modes that follow each other often have the same reason.
    let reasons = asked.iter().zip(&ours).filter_map(|((mode, _), ours)| Some((*mode, reason(mode, ours)?)));
    for same in reasons.collect::<Vec<_>>().chunk_by(|one, other| one.1 == other.1) {
        let modes: Vec<_> = same.iter().map(|(mode, _)| *mode).collect();
        *said += &format!("    {}: {}\n", modes.join(", "), server.unfilled(&same[0].1));
    }
    for ((mode, expected), (ours, theirs)) in asked.iter().zip(ours.iter().zip(theirs)) {
        let faults = faults(expected, ours, theirs.as_ref());
        if !faults.is_empty() {
            let theirs = theirs.map_or_else(String::new, |theirs| format!("\n  psql: {theirs}"));
            let faults = faults.join("\n  ! ");
            wrong.push(format!("{set_up} | {string} | {mode}: {expected}\n  ours: {ours}{theirs}\n  ! {faults}"));
        }
    }
    wrong
}

/// What comes of our own way. A server that refuses a certificate says why, and closes the connection: a client that
/// writes just then may get the system's error (EPIPE, ECONNRESET) and not the reason. Then it is asked again.
fn ours(case: &Case<'_>) -> Outcome {
    let is_late = |ours: &Outcome| {
        ours.why().is_some_and(|why| ["(os error 32)", "(os error 104)"].iter().any(|error| why.contains(error)))
    };
    let mut ours = case.ours();
    for _ in 0..100 {
        if !is_late(&ours) {
            break;
        }
        ours = case.ours();
    }
    ours
}

/// Why it is not encrypted, or not at all, where that is not simply the mode.
fn reason(mode: &str, ours: &Outcome) -> Option<String> {
    let why = ours.why().filter(|why| *why != format!("sslmode={mode}"))?;
    Some(why.replace(&format!("(sslmode={mode})"), "(sslmode=…)"))
}

/// What is not as the table has it.
fn faults(expected: &str, ours: &Outcome, theirs: Option<&Outcome>) -> Vec<String> {
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
        if why.starts_with(NOBODY) {
            faults.push("it takes the server for one that is not there".to_owned());
        }
        if why.contains("s3cret") {
            faults.push("it tells a secret".to_owned());
        }
    }
    faults
}
