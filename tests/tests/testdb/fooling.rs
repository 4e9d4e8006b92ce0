//! Everything that a test can do to a database, so that it is taken for untouched: each case ends in a database that
//! equals the template.

use tests::shows;

use crate::fixture::{Fixture, database, finished};

use Outcome::{Dropped, Proved};

/// What becomes of the database: it may be used again, or it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Proved,
    Dropped,
}

type Case = (&'static [&'static str], Outcome);

/// Nothing, and what leaves nothing.
#[rustfmt::skip]
const NOTHING_IS_WRITTEN: &[Case] = &[
    (&[], Proved),
    (&["SELECT count(*) FROM artworks_arttype"], Proved),
    (&["LISTEN x", "NOTIFY x, 'y'"], Proved),
    (&["SELECT pg_advisory_lock(1), pg_advisory_lock(2, 3)"], Proved),
    (&["PREPARE p AS SELECT 1", "DECLARE c CURSOR WITH HOLD FOR SELECT 1"], Proved),
    (&["SET search_path = public", "SET work_mem = '1MB'"], Proved),
    (&["LOCK TABLE taggit_tag", "SELECT 1/0"], Proved),
    (&["ANALYZE", "VACUUM"], Proved),
];

/// Rows in tables that had none.
#[rustfmt::skip]
const ROWS_IN_EMPTY_TABLES: &[Case] = &[
    (&["INSERT INTO taggit_tag (name, slug) VALUES ('a', 'a')"], Proved),
    (&["BEGIN", "INSERT INTO taggit_tag (name, slug) VALUES ('a', 'a')", "ROLLBACK"], Proved),
    (&["BEGIN", "INSERT INTO taggit_tag (name, slug) VALUES ('a', 'a')"], Proved),
    (&["BEGIN", "SAVEPOINT s", "INSERT INTO taggit_tag (name, slug) VALUES ('a', 'a')", "ROLLBACK TO s", "COMMIT"], Proved),
    (&["INSERT INTO taggit_tag (name, slug) VALUES ('a', 'a')", "UPDATE taggit_tag SET name = 'b'", "DELETE FROM taggit_tag"], Proved),
    (&["INSERT INTO taggit_tag (name, slug) VALUES (repeat('a', 90), 'a')", "INSERT INTO auth_group (name) VALUES ('g')",
       "INSERT INTO django_content_type (app_label, model) VALUES ('a', 'm')",
       "INSERT INTO auth_permission (name, content_type_id, codename) SELECT 'p', id, 'c' FROM django_content_type"], Proved),
    (&["BEGIN", "INSERT INTO auth_permission (name, content_type_id, codename) VALUES ('p', 77, 'c')", "COMMIT"], Proved),
    (&["SELECT pg_terminate_backend(pg_backend_pid()) FROM (SELECT 1) x", "SELECT 1"], Proved),
    (&["INSERT INTO taggit_tag (name, slug) SELECT 'tag ' || i, 'slug ' || i FROM generate_series(1, 30000) i"], Dropped),
];

/// Sequences: the server's statistics count no more than their reads.
#[rustfmt::skip]
const SEQUENCES: &[Case] = &[
    (&["BEGIN", "SELECT nextval(pg_get_serial_sequence('taggit_tag', 'id'))", "ROLLBACK"], Proved),
    (&["SELECT nextval(pg_get_serial_sequence('taggit_tag', 'id')), pg_terminate_backend(pg_backend_pid())"], Proved),
    (&["DO $$BEGIN PERFORM nextval(pg_get_serial_sequence('taggit_tag', 'id')); RAISE 'no'; END$$"], Proved),
    (&["SELECT nextval(pg_get_serial_sequence('taggit_tag', 'id')) FROM generate_series(1, 50)"], Proved),
    (&["SELECT setval(pg_get_serial_sequence('taggit_tag', 'id'), 500, false)"], Proved),
    (&["SELECT setval(pg_get_serial_sequence('artworks_arttype', 'id'), 1, true)"], Proved),
    (&["ALTER TABLE taggit_tag ALTER id RESTART WITH 900"], Dropped),
];

/// Rows that came with the migrations.
#[rustfmt::skip]
const ROWS_OF_THE_MIGRATIONS: &[Case] = &[
    (&["UPDATE artworks_arttype SET name = name"], Dropped),
    (&["DELETE FROM artworks_support"], Dropped),
    (&["INSERT INTO artworks_technique (name, created_at) VALUES ('t', now())"], Dropped),
    (&["BEGIN", "DELETE FROM artworks_technique", "ROLLBACK"], Dropped),
    (&["INSERT INTO artworks_artwork SELECT * FROM artworks_artwork", "DELETE FROM refinery_schema_history"], Dropped),
];

/// Tables: made, changed, emptied, dropped.
#[rustfmt::skip]
const TABLES: &[Case] = &[
    (&["TRUNCATE taggit_tag CASCADE"], Dropped),
    (&["BEGIN", "TRUNCATE taggit_tag CASCADE", "ROLLBACK"], Dropped),
    (&["BEGIN", "TRUNCATE notes_note", "COPY notes_note FROM STDIN", "COMMIT"], Dropped),
    (&["CREATE TABLE t ()"], Dropped),
    (&["CREATE TABLE t ()", "DROP TABLE t"], Dropped),
    (&["BEGIN", "CREATE TABLE t ()", "ROLLBACK"], Dropped),
    (&["CREATE UNLOGGED TABLE t AS SELECT 1"], Dropped),
    (&["CREATE TEMPORARY TABLE t AS SELECT 1"], Dropped),
    (&["ALTER TABLE taggit_tag ADD extra text"], Dropped),
    (&["ALTER TABLE taggit_tag ALTER name SET STATISTICS 5"], Dropped),
    (&["ALTER TABLE taggit_tag SET (fillfactor = 50)"], Dropped),
    (&["ALTER TABLE artworks_uuidtaggeditem SET UNLOGGED"], Dropped),
    (&["ALTER TABLE taggit_tag ENABLE ROW LEVEL SECURITY"], Dropped),
    (&["ALTER TABLE taggit_tag DISABLE TRIGGER USER"], Proved),
    (&["DROP TABLE notes_note"], Dropped),
];

/// Indexes, views, functions, types, large objects.
#[rustfmt::skip]
const OTHER_OBJECTS: &[Case] = &[
    (&["CREATE INDEX ON taggit_tag (name)"], Dropped),
    (&["REINDEX TABLE taggit_tag"], Dropped),
    (&["CLUSTER taggit_tag USING taggit_tag_pkey"], Dropped),
    (&["CREATE VIEW v AS SELECT 1"], Dropped),
    (&["CREATE MATERIALIZED VIEW v AS SELECT 1", "REFRESH MATERIALIZED VIEW v"], Dropped),
    (&["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"], Dropped),
    (&["CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
       "CREATE TRIGGER t BEFORE DELETE ON taggit_tag FOR EACH ROW EXECUTE FUNCTION f()",
       "INSERT INTO taggit_tag (name, slug) VALUES ('a', 'a')"], Dropped),
    (&["CREATE RULE r AS ON DELETE TO taggit_tag DO INSTEAD NOTHING", "INSERT INTO taggit_tag (name, slug) VALUES ('a', 'a')"], Dropped),
    (&["CREATE TYPE e AS ENUM ('a')"], Dropped),
    (&["CREATE DOMAIN d AS int"], Dropped),
    (&["CREATE SEQUENCE s"], Dropped),
    (&["CREATE SCHEMA s"], Dropped),
    (&["CREATE STATISTICS s ON name, slug FROM taggit_tag"], Dropped),
    (&["SELECT lo_create(4711)"], Dropped),
    (&["SELECT lo_from_bytea(0, 'x')", "BEGIN", "SELECT lo_unlink(oid) FROM pg_largeobject_metadata", "COMMIT"], Dropped),
];

/// Comments, privileges, whole schemas.
#[rustfmt::skip]
const RIGHTS_AND_COMMENTS: &[Case] = &[
    (&["COMMENT ON TABLE taggit_tag IS 'x'"], Dropped),
    (&["COMMENT ON SCHEMA aura IS 'x'"], Dropped),
    (&["GRANT SELECT ON taggit_tag TO PUBLIC"], Dropped),
    (&["REVOKE ALL ON taggit_tag FROM aura_user"], Dropped),
    (&["ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"], Dropped),
    (&["DROP SCHEMA aura CASCADE"], Dropped),
    (&["DO $$BEGIN EXECUTE 'CREATE TABLE t ()'; EXECUTE 'DROP TABLE t'; END$$"], Dropped),
];

/// What is the whole server's.
#[rustfmt::skip]
const SETTINGS_OF_THE_SERVER: &[Case] = &[
    (&["ALTER ROLE CURRENT_USER SET work_mem = '1MB'"], Dropped),
    (&["ALTER ROLE CURRENT_USER PASSWORD 'another'"], Dropped),
    (&["ALTER ROLE aura_user IN DATABASE \"$db\" SET work_mem = '1MB'"], Dropped),
    (&["ALTER ROLE aura_user IN DATABASE \"$db\" RESET ALL"], Dropped),
];

#[test]
fn nothing_is_written() {
    the_next_test_finds_the_template("nothing-is-written", NOTHING_IS_WRITTEN);
}

#[test]
fn rows_in_empty_tables() {
    the_next_test_finds_the_template("rows-in-empty-tables", ROWS_IN_EMPTY_TABLES);
}

#[test]
fn sequences() {
    the_next_test_finds_the_template("sequences", SEQUENCES);
}

#[test]
fn rows_of_the_migrations() {
    the_next_test_finds_the_template("rows-of-the-migrations", ROWS_OF_THE_MIGRATIONS);
}

#[test]
fn tables() {
    the_next_test_finds_the_template("tables", TABLES);
}

#[test]
fn other_objects() {
    the_next_test_finds_the_template("other-objects", OTHER_OBJECTS);
}

#[test]
fn rights_and_comments() {
    the_next_test_finds_the_template("rights-and-comments", RIGHTS_AND_COMMENTS);
}

#[test]
fn settings_of_the_server() {
    the_next_test_finds_the_template("settings-of-the-server", SETTINGS_OF_THE_SERVER);
}

#[track_caller]
fn the_next_test_finds_the_template(name: &str, cases: &[Case]) {
    let Some(fixture) = Fixture::provable() else { return };
    fixture.workspace.testdb(&["sql"]).exits(0);
    let template = fixture.dump(&fixture.ready());
    assert!(
        template.contains("COPY aura.artworks_arttype") && template.contains("SET search_path TO 'aura', 'public'")
    );
    let mut outcomes = String::new();
    for (statements, expected) in cases {
        let run = run(&fixture, "sql", statements);
        let outcome = if finished(&run) == "proved" { Proved } else { Dropped };
        assert_eq!(outcome, *expected, "{statements:?}\n{}", run.stdout);
        outcomes += &format!("{}\n    {}\n", statements.join("; "), finished(&run));
        if outcome == Dropped {
            assert!(fixture.clones().is_empty(), "{statements:?}: {:?}", fixture.clones());
            // The next is cloned anew.
            fixture.workspace.testdb(&["sql"]).exits(0);
        }
        assert_eq!(fixture.dump(&fixture.ready()), template, "{statements:?}");
    }
    shows(name, &outcomes);
}

#[test]
fn a_prepared_transaction_is_rolled_back() {
    if Fixture::provable().is_none() {
        return;
    }
    let cluster = tests::Cluster::start_with(&[("max_prepared_transactions", "5")]);
    let fixture = Fixture { workspace: tests::Workspace::on(&cluster), cluster };
    let statements = ["BEGIN", "INSERT INTO taggit_tag (name, slug) VALUES ('a', 'a')", "PREPARE TRANSACTION 'p'"];
    let run = run(&fixture, "sql", &statements);
    assert!(finished(&run).starts_with("dropped: "), "{}", run.stdout);
    shows("prepared-transaction", finished(&run));
    assert!(fixture.clones().is_empty());
    assert_eq!(fixture.cluster.value("postgres", "SELECT count(*)::text FROM pg_prepared_xacts"), "0");
}

#[test]
fn whatever_an_administrator_does_is_not_looked_at() {
    let Some(fixture) = Fixture::provable() else { return };
    fixture.workspace.testdb(&["sql"]).exits(0);
    let template = fixture.dump(&fixture.ready());
    let mut outcomes = String::new();
    for statements in [
        &["SET track_counts = off", "DELETE FROM artworks_arttype"][..],
        &["SET session_replication_role = replica", "DELETE FROM artworks_arttype", "SELECT pg_stat_reset()"],
        &["GRANT CREATE ON DATABASE \"$db\" TO PUBLIC", "COMMENT ON DATABASE \"$db\" IS 'x'"],
        &["UPDATE pg_class SET reltuples = 5 WHERE relname = 'taggit_tag'"],
        &[],
    ] {
        let run = run(&fixture, "admin", statements);
        assert!(finished(&run).starts_with("dropped: "), "{statements:?}\n{}", run.stdout);
        outcomes += &format!("{}\n    {}\n", statements.join("; "), finished(&run));
        fixture.workspace.testdb(&["sql"]).exits(0);
        assert_eq!(fixture.dump(&fixture.ready()), template, "{statements:?}");
    }
    shows("administrator", &outcomes);
}

/// A template is made once; who may switch the counting off is asked for each test.
#[test]
fn a_role_that_was_promoted_proves_nothing() {
    let Some(fixture) = Fixture::provable() else { return };
    fixture.workspace.testdb(&["sql"]).exits(0);
    let template = fixture.dump(&fixture.ready());
    let mut outcomes = String::new();
    for (promote, back) in [
        ("ALTER ROLE aura_user SUPERUSER", "ALTER ROLE aura_user NOSUPERUSER"),
        ("GRANT SET ON PARAMETER track_counts TO aura_user", "REVOKE SET ON PARAMETER track_counts FROM aura_user"),
    ] {
        fixture.cluster.sql("postgres", promote);
        let run = run(&fixture, "sql", &["SET track_counts = off", "DELETE FROM artworks_arttype"]);
        assert!(finished(&run).starts_with("dropped: "), "{promote}\n{}", run.stdout);
        outcomes += &format!("{promote}\n    {}\n", finished(&run));
        fixture.cluster.sql("postgres", back);
        fixture.workspace.testdb(&["sql"]).exits(0);
        assert_eq!(fixture.dump(&fixture.ready()), template, "{promote}");
    }
    shows("promoted-role", &outcomes);
}

/// What is done from elsewhere to the database of a test, while the test holds it.
#[test]
fn what_others_do_to_the_database_is_seen() {
    let Some(fixture) = Fixture::provable() else { return };
    fixture.workspace.testdb(&["sql"]).exits(0);
    let template = fixture.dump(&fixture.ready());
    let mut outcomes = String::new();
    for (statement, back) in [
        ("GRANT CREATE ON DATABASE \"$db\" TO PUBLIC", ""),
        ("COMMENT ON DATABASE \"$db\" IS 'x'", ""),
        ("ALTER DATABASE \"$db\" SET work_mem = '1MB'", ""),
        ("ALTER DATABASE \"$db\" CONNECTION LIMIT 7", ""),
        ("ALTER DATABASE \"$db\" OWNER TO aura_user", ""),
        ("ALTER ROLE aura_user SET work_mem = '1MB'", ""),
        ("ALTER ROLE aura_user CONNECTION LIMIT 50", "ALTER ROLE aura_user CONNECTION LIMIT -1"),
        ("CREATE ROLE other; GRANT other TO aura_user", "DROP ROLE other"),
    ] {
        let held = Held::new(&fixture);
        fixture.cluster.sql("postgres", &statement.replace("$db", held.database()));
        let finished = held.end();
        assert!(finished.starts_with("dropped: "), "{statement}: {finished}");
        outcomes += &format!("{statement}\n    {finished}\n");
        if !back.is_empty() {
            fixture.cluster.sql("postgres", back);
        }
        fixture.workspace.testdb(&["sql"]).exits(0);
        assert_eq!(fixture.dump(&fixture.ready()), template, "{statement}");
    }
    shows("changes-by-others", &outcomes);
}

#[test]
fn a_crash_of_the_server_proves_nothing() {
    let Some(fixture) = Fixture::provable() else { return };
    fixture.workspace.testdb(&["sql"]).exits(0);
    let template = fixture.dump(&fixture.ready());
    let held = Held::new(&fixture);
    let url = held.url.clone();
    let backend = tests::psql(&url, &[], "DELETE FROM artworks_arttype; SELECT pg_backend_pid()").line().to_owned();
    assert!(!backend.is_empty());
    // One backend that is killed ends all of them, and all statistics are nothing.
    let mut sleeper =
        tests::scrubbed(std::ffi::OsStr::new("psql")).args(["-d", &url, "-c", "SELECT pg_sleep(60)"]).spawn().unwrap();
    let pid = loop {
        let sql = "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'";
        match fixture.cluster.value("postgres", sql).parse::<u32>().unwrap() {
            0 => std::thread::sleep(std::time::Duration::from_millis(20)),
            pid => break pid,
        }
    };
    std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    sleeper.wait().unwrap();
    let outcome = held.end();
    assert!(!outcome.contains("proved"), "{outcome}");
    // The server starts again; the next process drops the database that this one left.
    fixture.workspace.testdb(&["sql"]).exits(0);
    let ready = fixture.clones().into_iter().find(|name| name.starts_with("aura_db_ready_")).unwrap();
    assert_eq!(fixture.dump(&ready), template);
}

#[test]
fn a_connection_that_is_left_open_is_ended_and_its_url_leads_nowhere() {
    let Some(fixture) = Fixture::provable() else { return };
    for statements in [&["BEGIN", "INSERT INTO taggit_tag (name, slug) VALUES ('a', 'a')"][..], &[]] {
        let run = fixture.workspace.testdb(&[&["leak"], statements].concat()).exits(0);
        assert_eq!(finished(&run), "proved");
        assert!(run.stdout.contains("still connected: false\nits URL leads somewhere: false"), "{}", run.stdout);
    }
    fixture.ready();
}

/// A pool comes back as often as it can, and never to the next test.
#[test]
fn a_pool_that_reconnects_never_comes_back_in() {
    let Some(fixture) = Fixture::provable() else { return };
    fixture.workspace.testdb(&["sql"]).exits(0);
    let template = fixture.dump(&fixture.ready());
    for _ in 0..5 {
        let held = Held::new(&fixture);
        let url = held.url.clone();
        let (came_in, is_in) = std::sync::mpsc::channel();
        let pool = std::thread::spawn(move || {
            for _ in 0..200 {
                let statement = "INSERT INTO taggit_tag (name, slug) VALUES (random()::text, random()::text)";
                #[expect(clippy::disallowed_methods, reason = "as a pool of the app's would")]
                let connected = postgres::Client::connect(&url, postgres::NoTls);
                match connected {
                    Ok(mut client) => client.batch_execute(statement).is_ok().then(|| came_in.send(())),
                    Err(_) => {
                        std::thread::sleep(std::time::Duration::from_millis(1));
                        None
                    }
                };
            }
        });
        // It came in before the database is given back.
        is_in.recv().unwrap();
        held.end();
        pool.join().unwrap();
        if fixture.clones().is_empty() {
            fixture.workspace.testdb(&["sql"]).exits(0);
        }
        assert_eq!(fixture.dump(&fixture.ready()), template);
    }
}

/// A process that holds a database until it is told.
struct Held {
    process: std::process::Child,
    stdout: std::io::BufReader<std::process::ChildStdout>,
    url: String,
    database: String,
}

impl Held {
    fn new(fixture: &Fixture) -> Self {
        use std::io::BufRead as _;
        let mut command = fixture.workspace.testdb_command(&["hold"]);
        let piped = std::process::Stdio::piped;
        let mut process = command.stdin(piped()).stdout(piped()).spawn().unwrap();
        let mut stdout = std::io::BufReader::new(process.stdout.take().unwrap());
        let mut url = String::new();
        stdout.read_line(&mut url).unwrap();
        Self { process, stdout, database: database(&url), url: url.trim().to_owned() }
    }

    fn database(&self) -> &str {
        &self.database
    }

    /// What became of it, in words.
    fn end(mut self) -> String {
        use std::io::{Read as _, Write as _};
        self.process.stdin.take().unwrap().write_all(b"\n").unwrap();
        let mut text = String::new();
        self.stdout.read_to_string(&mut text).unwrap();
        self.process.wait().unwrap();
        text.split_once(' ').map(|(_, finished)| finished.trim().to_owned()).unwrap_or_default()
    }
}

fn run(fixture: &Fixture, command: &str, statements: &[&str]) -> tests::Run {
    // The name is not known beforehand, but the statement can ask for it.
    let statements: Vec<_> = statements
        .iter()
        .map(|statement| match statement.contains("\"$db\"") {
            true => {
                format!("DO $do$BEGIN EXECUTE replace($q${}$q$, '$' || 'db', current_database()); END$do$", statement)
            }
            false => (*statement).to_owned(),
        })
        .collect();
    let statements: Vec<_> = statements.iter().map(String::as_str).collect();
    fixture.workspace.testdb(&[&[command], statements.as_slice()].concat()).exits(0)
}
