//! The application's data layer against real servers: its migrations, its queries, its program.

#![expect(clippy::unwrap_used, reason = "a helper of a test has nobody to tell but the test")]

mod adopt;
mod artworks;
mod history;
mod interrupted;
mod migrate;
mod notes;
mod place;
mod program;

use std::time::Duration;

use postgres::Client;
use tests::Cluster;

/// The app's role and its password on these servers.
const ROLE: &str = "aura_user";
const PASSWORD: &str = "only-the-app's";

/// Makes a database with the app's schema and path, as `db-setup` would, and gives its URL.
fn database(cluster: &Cluster, name: &str) -> String {
    let role = format!(
        "DO $$ BEGIN CREATE ROLE {ROLE} LOGIN PASSWORD 'only-the-app''s'; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    );
    cluster.sql("postgres", &role);
    cluster.sql("postgres", &format!("CREATE DATABASE {name}"));
    cluster.sql(
        name,
        &format!("CREATE SCHEMA aura AUTHORIZATION {ROLE}; ALTER ROLE {ROLE} IN DATABASE {name} SET search_path = aura, public"),
    );
    cluster.url(ROLE, PASSWORD, name)
}

/// A session whose migrations are applied.
fn migrated(cluster: &Cluster, name: &str) -> Client {
    let mut client = aura::connect(&database(cluster, name)).unwrap();
    migrate(&mut client).unwrap();
    client
}

/// Migrates, and gives what was told on the way.
fn migrate(client: &mut Client) -> aura::Result<Vec<aura::Progress>> {
    let mut told = Vec::new();
    aura::migrate(client, Duration::from_secs(60), &mut |progress| told.push(progress))?;
    Ok(told)
}

/// A person in the collection, by whom rows can be owned.
fn person(client: &mut Client, name: &str) -> i64 {
    let sql = "INSERT INTO core_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
               VALUES ('', false, $1, '', '', '', false, true, now()) RETURNING id";
    client.query_one(sql, &[&name]).unwrap().get(0)
}

/// One number.
fn count(client: &mut Client, query: &str) -> i64 {
    client.query_one(query, &[]).unwrap().get(0)
}
