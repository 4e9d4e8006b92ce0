//! Thousands of URLs that nobody would think of, each read by libpq itself.

use proptest::{strategy::Strategy, strategy::ValueTree, test_runner::TestRunner};
use tests::any_connection;

use crate::{answer::expected, python, reader::Question};

#[test]
fn libpq_reads_whatever_we_print() {
    let mut runner = TestRunner::deterministic();
    let connections: Vec<_> = (0..4000).map(|_| any_connection().new_tree(&mut runner).unwrap().current()).collect();
    let questions: Vec<_> =
        connections.iter().map(|connection| Question { url: connection.url(), query: None }).collect();
    // psycopg gives what libpq's PQconninfoParse gives.
    let Some(answers) = python::ask("by_psycopg.py", &[], &questions) else { return };
    let differ = connections
        .iter()
        .zip(&answers)
        .filter(|(connection, answer)| answer["parsed"] != expected(connection)["parsed"]);
    let differ: Vec<_> = differ.map(|(connection, answer)| format!("{}\n  {answer}", connection.url())).collect();
    assert!(differ.is_empty(), "{} of {}:\n{}", differ.len(), answers.len(), differ[..differ.len().min(5)].join("\n"));
}
