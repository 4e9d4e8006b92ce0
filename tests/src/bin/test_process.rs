//! A test process as there are many: it takes databases for tests in the workspace that it is run in, does to them
//! what it is told, and says what became of them.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "it stands for a test")]

use std::{
    io::{Write as _, stdin, stdout},
    thread,
    time::Instant,
};

use pg_testdb::{Finished, TestDb};
use postgres::Client;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["sql", statements @ ..] => {
            let db = TestDb::new().unwrap();
            let mut client = db.client().unwrap();
            run(&mut client, statements);
            drop(client);
            end(db);
        }
        // The connection is left open.
        ["leak", statements @ ..] => {
            let db = TestDb::new().unwrap();
            let mut client = db.client().unwrap();
            run(&mut client, statements);
            let url = db.url();
            end(db);
            println!("still connected: {}", client.batch_execute("SELECT 1").is_ok());
            #[expect(clippy::disallowed_methods, reason = "as a driver of the app's would")]
            let again = postgres::Client::connect(&url, postgres::NoTls);
            println!("its URL leads somewhere: {}", again.is_ok());
        }
        ["admin", statements @ ..] => {
            let mut db = TestDb::new().unwrap();
            let mut client = db.administrator().unwrap();
            run(&mut client, statements);
            drop(client);
            end(db);
        }
        ["empty", statements @ ..] => {
            let db = TestDb::empty().unwrap();
            run(&mut db.client().unwrap(), statements);
            end(db);
        }
        // Until a line comes.
        ["hold", statements @ ..] => {
            let db = TestDb::new().unwrap();
            println!("{}", db.url());
            stdout().flush().unwrap();
            run(&mut db.client().unwrap(), statements);
            stdin().read_line(&mut String::new()).unwrap();
            end(db);
        }
        ["panic"] => {
            let _db = TestDb::new().unwrap();
            panic!("as a test does that fails");
        }
        ["error"] => {
            let outcome = TestDb::new().unwrap().run(|db| db.client().unwrap().batch_execute("SELECT 1/0"));
            println!("{}", outcome.unwrap_err().as_db_error().unwrap().message());
        }
        ["drop"] => drop(TestDb::new().unwrap()),
        ["async"] => {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let db = TestDb::new().unwrap();
                println!("{}", db.name());
                end(db);
                drop(TestDb::new().unwrap());
            });
        }
        ["suite", threads, tests] => suite(threads.parse().unwrap(), tests.parse().unwrap()),
        other => panic!("unknown: {other:?}"),
    }
}

fn run(client: &mut Client, statements: &[&str]) {
    for statement in statements {
        if let Err(error) = client.batch_execute(statement) {
            let state = error.code().map(|state| state.code().to_owned());
            println!("refused: {}", state.unwrap_or_else(|| error.to_string()));
        }
    }
}

fn end(db: TestDb) {
    let name = db.name().to_owned();
    match db.finish().unwrap() {
        Finished::Reusable => println!("{name} proved"),
        Finished::Dropped(why) => println!("{name} dropped: {why}"),
        other => panic!("{other:?}"),
    }
}

/// As many tests on as many threads, each of which writes to three tables and sees nobody else's rows.
fn suite(threads: usize, tests: usize) {
    let started = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for test in (thread..tests).step_by(threads) {
                    one(test);
                }
            });
        }
    });
    println!("{:.1} ms", started.elapsed().as_secs_f64() * 1000.0);
}

/// Reads and writes three tables.
fn one(test: usize) {
    let db = TestDb::new().unwrap();
    let mut client = db.client().unwrap();
    for (table, columns, values) in TABLES {
        let statement = format!("INSERT INTO {table} ({columns}) VALUES ({})", values.replace('#', &test.to_string()));
        client.batch_execute(&statement).unwrap();
        let found: i64 = client.query_one(&format!("SELECT pg_catalog.count(*) FROM {table}"), &[]).unwrap().get(0);
        assert_eq!(found, 1, "another test's rows in {table}");
    }
    drop(client);
}

const TABLES: [(&str, &str, &str); 3] = [
    ("taggit_tag", "name, slug", "'tag #', 'tag-#'"),
    ("auth_group", "name", "'group #'"),
    ("django_content_type", "app_label, model", "'app', 'model #'"),
];
