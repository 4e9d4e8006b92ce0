//! A `.env` that names a server which is there already, in each spelling, with each part there or missing.

use tests::{Cluster, Workspace};

use crate::state;

const ROLE: &str = "CREATE ROLE aura_user LOGIN PASSWORD 'your-password'";
const DATABASE: &str = "CREATE DATABASE aura_db";

#[test]
fn by_the_url_of_the_seed_document() {
    each_start("DATABASE_URL=postgres://aura_user:your-password@localhost:5432/aura_db?options=-csearch_path=aura\n");
}

#[test]
fn by_the_whole_block_of_the_seed_document() {
    each_start(
        "# Basic configuration\nDEBUG=True\nSECRET_KEY=your-secret-key-here\n\n\
         # PostgreSQL Database with aura schema\n\
         DATABASE_URL=postgres://aura_user:your-password@localhost:5432/aura_db?options=-csearch_path=aura\n\n\
         # Ou utilisez les variables séparées :\n\
         DB_NAME=aura_db\nDB_USER=aura_user\nDB_PASSWORD=your-password\nDB_HOST=localhost\nDB_PORT=5432\n",
    );
}

#[test]
fn by_the_parts() {
    each_start("DB_NAME=aura_db\nDB_USER=aura_user\nDB_PASSWORD=your-password\nDB_HOST=localhost\nDB_PORT=5432\n");
}

/// Sets up with this `.env`, moved to the server's port, on servers where more and more is there.
fn each_start(env: &str) {
    for (situation, statements) in [
        ("nothing there", vec![]),
        ("database missing", vec![ROLE]),
        ("role missing", vec![DATABASE]),
        ("schema missing", vec![ROLE, DATABASE]),
    ] {
        let cluster = Cluster::start();
        for statement in statements {
            cluster.sql("postgres", statement);
        }
        let workspace = Workspace::new().with("ADMIN_DATABASE_URL", &cluster.admin_url());
        workspace.write(".env", env.replace("5432", &cluster.port().to_string()));
        workspace.run(&["db-setup"]).exits(0);
        state::assert_complete(&workspace, situation);
        assert_eq!(cluster.inventory(), "database aura_db, role aura_user", "{situation}");
        // Everything there.
        let before = cluster.globals() + &cluster.dump("aura_db");
        workspace.run(&["db-setup"]).exits(0);
        assert_eq!(cluster.globals() + &cluster.dump("aura_db"), before, "{situation}");
    }
}

#[test]
fn what_lies_in_template1_does_not_come_along() {
    let cluster = Cluster::start();
    cluster.sql("template1", "CREATE TABLE public.junk (id int); CREATE SCHEMA aura");
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "a template1 with junk");
}

#[test]
fn a_database_without_public_is_served_too() {
    let cluster = Cluster::start();
    for statement in [ROLE, DATABASE] {
        cluster.sql("postgres", statement);
    }
    cluster.sql("aura_db", "DROP SCHEMA public");
    let workspace = Workspace::on(&cluster).with("DATABASE_URL", &cluster.url("aura_user", "your-password", "aura_db"));
    workspace.run(&["db-setup"]).exits(0);
    workspace.run(&["db-verify"]).exits(0);
    let script = workspace.run(&["db-setup", "--dry-run"]).exits(0);
    tests::psql(&cluster.admin_url(), &["-f", "-"], &script.stdout).exits(0);
}

#[test]
fn a_file_from_another_system_is_read_too() {
    let cluster = Cluster::start();
    let workspace = Workspace::new().with("ADMIN_DATABASE_URL", &cluster.admin_url());
    let env = format!(
        "\u{feff}# Windows\r\nexport DB_NAME=aura_db\r\nDB_USER=\"aura_user\"\r\nDB_PASSWORD='p@ss #w$rd'  # a comment\r\n\
         DB_HOST=localhost\r\nDB_PORT={}\r\n\r\n",
        cluster.port()
    );
    workspace.write(".env", env);
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "CRLF");
    let app = cluster.url("aura_user", "p@ss #w$rd", "aura_db");
    assert_eq!(tests::psql(&app, &["-c", "SELECT 1"], "").exits(0).line(), "1");
}

#[test]
fn everything_there_by_hand_is_taken_over() {
    let cluster = Cluster::start();
    for statement in [ROLE, DATABASE] {
        cluster.sql("postgres", statement);
    }
    // The seed document's option C, and its remedies, on the right database.
    cluster.sql(
        "aura_db",
        "CREATE SCHEMA IF NOT EXISTS aura; GRANT USAGE, CREATE ON SCHEMA aura TO aura_user;
         ALTER DATABASE aura_db SET search_path TO aura, public;
         ALTER DEFAULT PRIVILEGES IN SCHEMA aura GRANT ALL ON TABLES TO aura_user;",
    );
    let workspace = Workspace::new()
        .with("DATABASE_URL", &cluster.url("aura_user", "your-password", "aura_db"))
        .with("ADMIN_DATABASE_URL", &cluster.admin_url());
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "option C");
}

#[test]
fn the_administrators_url_may_stand_in_the_file_too() {
    let cluster = Cluster::start();
    let workspace = Workspace::new();
    let app = cluster.url("aura_user", "your-password", "aura_db");
    workspace.write(".env", format!("DATABASE_URL='{app}'\nADMIN_DATABASE_URL=\"{}\"\n", cluster.admin_url()));
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "both in .env");
}

/// A cluster made with `--locale=de_DE.ISO-8859-1`: no such locale need be on this machine, its name in the catalog is
/// what the server looks at.
#[test]
fn a_locale_that_cannot_hold_utf_8() {
    for (encoding, locale) in [("LATIN1", "de_DE"), ("EUC_JP", "ja_JP.eucjp"), ("LATIN9", "fr_FR@euro")] {
        let cluster = Cluster::start();
        cluster.sql(
            "postgres",
            &format!(
                "UPDATE pg_database SET encoding = pg_char_to_encoding('{encoding}'), datcollate = '{locale}', datctype = '{locale}' \
                 WHERE datname = 'template0'"
            ),
        );
        let workspace = Workspace::on(&cluster);
        let setup = workspace.run(&["db-setup"]).exits(0);
        assert!(setup.stderr.contains("-- the server's own locale cannot hold UTF-8"), "{}", setup.stderr);
        state::assert_complete(&workspace, encoding);
        let database =
            "SELECT pg_encoding_to_char(encoding) || ' ' || datcollate FROM pg_database WHERE datname = 'aura_db'";
        assert_eq!(cluster.value("postgres", database), "UTF8 C");
        workspace.run(&["db-reset", "--yes", "--host", "127.0.0.1"]).exits(0);
        assert_eq!(cluster.value("postgres", database), "UTF8 C");
    }
}
