//! How long a test waits until it is connected to a database of its own; each number in microseconds, as `name number`.

use std::time::Instant;

use postgres::{Client, NoTls};

#[test]
fn waiting() {
    let mut superuser = Client::connect(&std::env::var("ADMIN_DATABASE_URL").unwrap(), NoTls).unwrap();
    let warm = pg_testdb::TestDb::new().unwrap();
    let url = warm.url();
    let told = |name: &str, started: Instant| println!("{name} {}", started.elapsed().as_micros());
    for _ in 0..100 {
        let started = Instant::now();
        let client = Client::connect(&url, NoTls).unwrap();
        told("connect", started);
        drop(client);
        // One is given back in each round.
        let started = Instant::now();
        let db = pg_testdb::TestDb::new().unwrap();
        let client = Client::connect(&db.url(), NoTls).unwrap();
        told("ready", started);
        drop(client);
    }
    let template = "SELECT datname FROM pg_database WHERE datname ~ '^peer_db_template_'";
    let template: String = superuser.query_one(template, &[]).unwrap().get(0);
    let strategy = std::env::var("STRATEGY").unwrap();
    let mut held = Vec::new();
    for round in 0..16 {
        let started = Instant::now();
        superuser.batch_execute(&format!("CREATE DATABASE bare_{round} TEMPLATE {template} {strategy}")).unwrap();
        let bare = url.replace(warm.name(), &format!("bare_{round}"));
        let client = Client::connect(&bare, NoTls).unwrap();
        told("bare", started);
        drop(client);
        let started = Instant::now();
        let db = pg_testdb::TestDb::new().unwrap();
        let client = Client::connect(&db.url(), NoTls).unwrap();
        // The first few may have been given back before.
        told(if db.name().ends_with("_1") { "made" } else { "found" }, started);
        held.push((db, client));
    }
    for (db, client) in held {
        drop(client);
        drop(db);
    }
}
