//! A server with a workspace whose tests take databases on it.

use tests::{Cluster, Run, Workspace};

/// A database that is named as one of the project's is, and in which state.
pub(crate) const CLONES: &str = "SELECT coalesce(pg_catalog.string_agg(datname::text, ' ' ORDER BY datname), '') \
     FROM pg_catalog.pg_database WHERE datname ~ '^aura_db_(ready|test|used)_'";

pub(crate) struct Fixture {
    pub(crate) workspace: Workspace,
    pub(crate) cluster: Cluster,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let cluster = Cluster::start();
        Self { workspace: Workspace::on(&cluster), cluster }
    }

    /// The same, whose migrations are the files as they are: the program that usually runs them holds them in itself.
    pub(crate) fn migrated_by_psql(self) -> Self {
        let command = "cat migrations/*.sql | psql -X -q -v ON_ERROR_STOP=1";
        Self { workspace: self.workspace.with("MIGRATE_COMMAND", command), ..self }
    }

    /// One whose server can prove something: before PostgreSQL 15 none can, and every database is cloned anew.
    pub(crate) fn provable() -> Option<Self> {
        let fixture = Self::new();
        let version: i32 = fixture.cluster.value("postgres", "SHOW server_version_num").parse().unwrap();
        (version >= 150_000).then_some(fixture)
    }

    /// Every clone that is there.
    pub(crate) fn clones(&self) -> Vec<String> {
        self.cluster.value("postgres", CLONES).split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// The dump of a clone, its name apart.
    pub(crate) fn dump(&self, database: &str) -> String {
        let dump = self.unmarked_dump(database).replace(database, "THE_DATABASE");
        // A database with somebody in it is handed to nobody.
        let sessions = format!("SELECT count(*)::text FROM pg_catalog.pg_stat_activity WHERE datname = '{database}'");
        while self.cluster.value("postgres", &sessions) != "0" {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        dump
    }

    /// The dump of a database without the mark that it is ours.
    pub(crate) fn unmarked_dump(&self, database: &str) -> String {
        let dump = self.cluster.dump(database);
        let is_mark = |line: &&str| line.starts_with("COMMENT ON DATABASE ") && line.contains("'pg-testdb, project ");
        dump.lines().filter(|line| !is_mark(line)).map(|line| format!("{line}\n")).collect()
    }

    /// The only clone, which waits for a test.
    #[track_caller]
    pub(crate) fn ready(&self) -> String {
        let clones = self.clones();
        assert_eq!(clones.len(), 1, "{clones:?}");
        assert!(clones[0].starts_with("aura_db_ready_"), "{clones:?}");
        clones[0].clone()
    }
}

/// The database that a URL leads to.
pub(crate) fn database(url: &str) -> String {
    tests::connection(url.trim()).database
}

/// What became of the database of a run.
pub(crate) fn finished(run: &Run) -> &str {
    run.stdout
        .lines()
        .find_map(|line| line.strip_prefix("aura_db_test_"))
        .unwrap_or_default()
        .split_once(' ')
        .unwrap()
        .1
}
