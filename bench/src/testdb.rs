//! Databases for tests, beside `#[sqlx::test]`: one crate with the same 200 tests three times, on one server.

use std::{fmt::Write as _, fs, path::Path, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, bail};

use pg_config::{Parameters, Surroundings};

use crate::{Scratch, Stage, table::Row, terminal::Terminal, timed};

/// How many tests each of the three programs has.
const TESTS: usize = 200;

/// What a test may wait for its database beside a plain connection: in the median, and 95 times of 100.
const WAITING: Duration = Duration::from_millis(3);
const WAITING_MOSTLY: Duration = Duration::from_millis(15);

impl Stage {
    /// Nothing where the crate cannot be built: that is said.
    pub(crate) fn test_databases(&self, terminal: Terminal) -> anyhow::Result<Vec<Row>> {
        // Where the ladder's own server would have its data, and where nothing waits for a disk.
        let data_dir = &self.config.data_dir.value;
        fs::create_dir_all(data_dir.parent().unwrap_or(data_dir)).context("make room for a server")?;
        let on_disk = Scratch::new(&data_dir.with_extension("bench"), &self.program)?;
        let mut peer = Peer::write(self, on_disk.path.join("server"))?;
        if let Err(error) = timed(peer.cargo(self).args(["test", "--no-run"])) {
            terminal.say(&format!("skipped: the crate with #[sqlx::test] cannot be built: {error:#}"));
            return Ok(Vec::new());
        }
        let mut rows = peer.serve(self, |admin| {
            let mut rows = peer.suites(
                self,
                terminal,
                admin,
                [
                    ("200 tests' overhead, 4 threads", Runner::Threads, 0.10),
                    ("200 tests' overhead, 4 processes", Runner::Processes, 0.20),
                ],
            )?;
            rows.extend(peer.waiting(self, admin)?);
            Ok(rows)
        })?;
        peer.data_dir = self.directory.path.join("peer-server");
        rows.extend(peer.serve(self, |admin| {
            peer.suites(
                self,
                terminal,
                admin,
                [
                    ("threads, the server in memory", Runner::Threads, 0.15),
                    ("processes, the server in memory", Runner::Processes, 0.40),
                ],
            )
        })?);
        Ok(rows)
    }
}

/// The crate, and the server of its own.
struct Peer {
    root: PathBuf,
    data_dir: PathBuf,
}

impl Peer {
    fn write(stage: &Stage, data_dir: PathBuf) -> anyhow::Result<Self> {
        let root = stage.directory.path.join("peer");
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/pg-testdb").display().to_string();
        let tests = |head: &str| {
            (0..TESTS).fold(head.to_owned(), |mut text, test| {
                let _ = writeln!(text, "one!(t{test});");
                text
            })
        };
        let mut files = vec![
            ("Cargo.toml".to_owned(), include_str!("peer/Cargo.toml.in").replace("@pg-testdb@", &own)),
            ("work.rs".to_owned(), include_str!("peer/work.rs").to_owned()),
            ("tests/ours.rs".to_owned(), tests(include_str!("peer/ours.rs"))),
            ("tests/theirs.rs".to_owned(), tests(include_str!("peer/theirs.rs"))),
            ("tests/plain.rs".to_owned(), tests(include_str!("peer/plain.rs"))),
            ("tests/waiting.rs".to_owned(), include_str!("peer/waiting.rs").to_owned()),
        ];
        for migration in 1..=10 {
            let tables = (0..3).map(|table| {
                let name = format!("t{migration}_{table}");
                format!(
                    "CREATE TABLE {name} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE, \
                     note text);\nCREATE INDEX {name}_note ON {name} (note);\n"
                )
            });
            files.push((format!("migrations/{migration:04}_tables.sql"), tables.collect()));
        }
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&root)).context("make room for the crate")?;
            fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        }
        Ok(Self { root, data_dir })
    }

    /// Cargo in the crate, whose build is kept for the next bench.
    fn cargo(&self, stage: &Stage) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", stage.project.root.join("target/bench-peer"));
        for key in &stage.outer {
            command.env_remove(key);
        }
        self.on_its_server(&mut command).env("PG_BIN_DIR", &stage.binaries.directory);
        command
    }

    /// Has a command use the crate's own server, whatever else is named.
    fn on_its_server<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for key in ["DATABASE_URL", "ADMIN_DATABASE_URL", "MIGRATE_COMMAND", "MIGRATE_INPUTS", "DB_SCHEMA"] {
            command.env_remove(key);
        }
        for key in ["DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST", "DB_PORT"] {
            command.env_remove(key);
        }
        command.env("DB_SERVER", "local").env("DB_DATA_DIR", &self.data_dir)
    }

    /// Measures on its server, by the superuser's URL, and ends that.
    fn serve<T>(&self, stage: &Stage, measure: impl FnOnce(&str) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let outcome = self.prepare(stage).and_then(|admin| measure(&admin));
        timed(self.on_its_server(&mut stage.program(&["db-stop", "--purge", "--yes", "--quiet"])))?;
        outcome
    }

    /// Its server, with the template and a database for the tests without isolation; gives the superuser's URL.
    fn prepare(&self, stage: &Stage) -> anyhow::Result<String> {
        // The first test starts the server and makes the template: as a first run does, once.
        timed(self.cargo(stage).args(["test", "--test", "ours", "t0"]))?;
        let admin = self.on_its_server(&mut stage.program(&["db-url", "--admin"])).output().context("ask db-url")?;
        let admin = String::from_utf8_lossy(&admin.stdout).trim().to_owned();
        // By the environment: all users see a program's arguments.
        let around = Surroundings { variable: &|_| None, home: None };
        let (named, _) = around.complete(Parameters::parse(&admin).context("read the superuser's URL")?)?;
        let superuser = named.all().first().context("db-url printed no server")?;
        let psql = |database: &str, arguments: &[&str]| -> anyhow::Result<()> {
            timed(stage.psql(&superuser.with_database(database)).args(arguments).current_dir(&self.root)).map(drop)
        };
        psql("postgres", &["--command", "CREATE DATABASE plain"])?;
        for migration in 1..=10 {
            psql("plain", &["--file", &format!("migrations/{migration:04}_tables.sql")])?;
        }
        Ok(admin)
    }

    /// What whole suites take beyond what the tests themselves do.
    fn suites(
        &self,
        stage: &Stage,
        terminal: Terminal,
        admin: &str,
        suites: [(&'static str, Runner, f64); 2],
    ) -> anyhow::Result<Vec<Row>> {
        let run = |test: &str, by: Runner| self.suite(stage, test, by, admin);
        let mut rows = Vec::new();
        for (name, runner, allowed) in suites {
            if runner == Runner::Processes && timed(Command::new("cargo").args(["nextest", "--version"])).is_err() {
                terminal.say("skipped: no cargo nextest");
                continue;
            }
            let mut row = Row::new(name, "that of #[sqlx::test]", allowed);
            let plain = run("plain", runner)?;
            row.add(
                || Ok(run("ours", runner)?.saturating_sub(plain)),
                || Ok(run("theirs", runner)?.saturating_sub(plain)),
            )?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// The time of a whole suite, by its runner's own word.
    fn suite(&self, stage: &Stage, test: &str, runner: Runner, admin: &str) -> anyhow::Result<Duration> {
        let mut cargo = self.cargo(stage);
        match runner {
            Runner::Threads => cargo.args(["test", "--test", test, "--", "--test-threads", "4"]),
            Runner::Processes => cargo.args(["nextest", "run", "--test", test, "--test-threads", "4"]),
        };
        match test {
            "theirs" => cargo.env("DATABASE_URL", admin),
            "plain" => cargo.env("PLAIN_URL", with_database(admin, "plain")),
            _ => &mut cargo,
        };
        let output = cargo.output().context("run cargo")?;
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if !output.status.success() {
            bail!("the suite {test} failed: {text}");
        }
        let (before, after) = match runner {
            Runner::Threads => ("finished in ", "s"),
            Runner::Processes => ("Summary [", "s]"),
        };
        let seconds = text.rsplit_once(before).and_then(|(_, rest)| rest.split_once(after)?.0.trim().parse().ok());
        seconds.map(Duration::from_secs_f64).with_context(|| format!("no time in: {text}"))
    }

    /// How long one test waits.
    fn waiting(&self, stage: &Stage, admin: &str) -> anyhow::Result<Vec<Row>> {
        let mut cargo = self.cargo(stage);
        cargo.args(["test", "--test", "waiting", "--", "--nocapture"]).env("ADMIN_DATABASE_URL", admin);
        // As the cloning does it.
        let by_files = stage.binaries.version.major >= 15;
        cargo.env("STRATEGY", if by_files { "STRATEGY file_copy" } else { "" });
        let output = cargo.output().context("run cargo")?;
        if !output.status.success() {
            bail!("the waiting failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let times = |name: &str| {
            let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
            let mut times: Vec<_> = lines.map(Duration::from_micros).collect();
            times.sort();
            times
        };
        let (connect, ready) = (times("connect"), times("ready"));
        let (bare, made) = (times("bare"), times("made"));
        let plain = *connect.get(connect.len() / 2).context("no time was told")?;
        let late = *ready.get(ready.len() * 95 / 100).context("no time was told")?;
        let mut waits = Row::new("waiting for a test database", "a plain connection, + 3 ms", 1.0);
        let mut mostly = Row::new("the same, 95 times of 100", "a plain connection, + 15 ms", 1.0);
        let mut none = Row::new("the same, none being ready", "CREATE DATABASE and connect", 1.2);
        for (ready, connect) in ready.iter().zip(&connect) {
            waits.add(|| Ok(*ready), || Ok(*connect + WAITING))?;
        }
        mostly.add(|| Ok(late), || Ok(plain + WAITING_MOSTLY))?;
        for (made, bare) in made.iter().zip(&bare) {
            none.add(|| Ok(*made), || Ok(*bare))?;
        }
        Ok(vec![waits, mostly, none])
    }
}

/// The superuser's URL with another database than `postgres`; the role is called so as well.
fn with_database(admin: &str, database: &str) -> String {
    let (before, after) = admin.rsplit_once("/postgres").unwrap_or((admin, ""));
    format!("{before}/{database}{after}")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Runner {
    /// `cargo test`.
    Threads,
    /// `cargo nextest`.
    Processes,
}
