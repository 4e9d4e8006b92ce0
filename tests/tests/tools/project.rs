//! A project of `tests/tools` in a workspace of its own, set up by its tool's recipe.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tests::{Cluster, Run, Workspace, scrubbed, shows};

use crate::recipe;

/// Every table outside the system's schemas.
const TABLES: &str = "SELECT coalesce(pg_catalog.string_agg(relnamespace::regnamespace || '.' || relname, ' '
                          ORDER BY relnamespace::regnamespace::text, relname), '')
                      FROM pg_catalog.pg_class
                      WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'";

/// A tool's project, and the server on which it is set up.
pub(crate) struct Project {
    pub(crate) cluster: Cluster,
    pub(crate) workspace: Workspace,
    /// What finds the tool, for whoever runs it.
    surroundings: Vec<(&'static str, String)>,
    /// Its name in the README.
    tool: &'static str,
}

impl Project {
    /// The project of `tests/tools/<directory>` with the recipe in its `.env`.
    pub(crate) fn new(tool: &'static str, directory: &str, surroundings: &[(&'static str, String)]) -> Self {
        let cluster = Cluster::start();
        let workspace = Workspace::on(&cluster).without("MIGRATE_COMMAND").without("MIGRATE_INPUTS");
        // The workspace begins with Aura's own migrations.
        fs::remove_dir_all(workspace.root().join("migrations")).unwrap();
        copy(&source(directory), workspace.root());
        workspace.write(".env", recipe::lines(tool));
        let workspace = surroundings.iter().fold(workspace, |workspace, (key, value)| workspace.with(key, value));
        Self { cluster, workspace, surroundings: surroundings.to_vec(), tool }
    }

    /// The same with another environment variable, for `cargo xtask` and so for the tool.
    pub(crate) fn with(self, key: &str, value: &str) -> Self {
        Self { workspace: self.workspace.with(key, value), ..self }
    }

    /// The same with a variable that belongs to the tool, whoever runs it.
    pub(crate) fn surrounded_by(mut self, key: &'static str, value: &str) -> Self {
        self.surroundings.push((key, value.to_owned()));
        self.with(key, value)
    }

    /// Has another application live in `public`, where the app's role may create: as before PostgreSQL 15.
    pub(crate) fn open_public(&self) {
        self.make_the_database();
        let theirs = "CREATE ROLE shop; CREATE TABLE public.theirs (); ALTER TABLE public.theirs OWNER TO shop";
        self.cluster.sql("aura_db", &format!("{theirs}; GRANT CREATE ON SCHEMA public TO PUBLIC"));
    }

    /// Gives the app's role a schema of its own beside the app's.
    pub(crate) fn open_attic(&self) {
        self.make_the_database();
        self.cluster.sql("aura_db", "CREATE SCHEMA attic AUTHORIZATION aura_user");
    }

    fn make_the_database(&self) {
        self.cluster.sql("postgres", "CREATE ROLE aura_user LOGIN PASSWORD 'the-app''s'");
        self.cluster.sql("postgres", "CREATE DATABASE aura_db");
    }

    pub(crate) fn setup(&self) -> Run {
        self.workspace.run(&["db-setup"])
    }

    /// Sets up, which must be a success with these tables, and shows that doing so again changes nothing.
    #[track_caller]
    pub(crate) fn is_set_up(&self, tables: &[&str]) {
        self.setup().exits(0);
        assert_eq!(self.tables(), within("aura", tables));
        let before = self.cluster.dump("aura_db");
        shows("second-setup", &self.setup().exits(0).stderr);
        assert_eq!(self.cluster.dump("aura_db"), before);
    }

    /// Sets up, which must be a success and make this table.
    #[track_caller]
    pub(crate) fn makes(&self, table: &str) {
        self.setup().exits(0);
        assert!(self.tables().contains(&format!("aura.{table}")), "{:?}", self.tables());
    }

    /// Sets up, which must fail and make no table.
    #[track_caller]
    pub(crate) fn makes_nothing(&self) -> Run {
        let is_there = "SELECT count(*) FROM pg_catalog.pg_database WHERE datname = 'aura_db'";
        let before = if self.cluster.value("postgres", is_there) == "1" { self.tables() } else { Vec::new() };
        let run = self.setup().exits(1);
        assert_eq!(self.tables(), before);
        run
    }

    /// Sets up by migrations that put something elsewhere, which must be found: the checks that fail.
    #[track_caller]
    pub(crate) fn is_found_out(&self) -> Vec<String> {
        let failed = self.workspace.run(&["db-setup", "--format", "json"]).exits(3).with_status("fail");
        // Nor is it forgotten.
        self.workspace.run(&["db-verify"]).exits(3);
        failed
    }

    /// The tables, each with its schema.
    pub(crate) fn tables(&self) -> Vec<String> {
        self.tables_of("aura_db")
    }

    /// Those of another database.
    pub(crate) fn tables_of(&self, database: &str) -> Vec<String> {
        self.cluster.value(database, TABLES).split_whitespace().map(str::to_owned).collect()
    }

    /// Runs the recipe as the app's people do by themselves, which needs these variables and no others.
    #[track_caller]
    pub(crate) fn needs(&self, variables: &[(&str, String)]) {
        self.runs_by_itself(&recipe::command(self.tool), variables);
    }

    /// Runs a shell's command in the project, with these variables and no others: what it says.
    #[track_caller]
    pub(crate) fn runs_by_itself(&self, command: &str, variables: &[(&str, String)]) -> String {
        self.by_itself(command, variables).exits(0).line().to_owned()
    }

    /// The same, however it ends.
    pub(crate) fn by_itself(&self, command: &str, variables: &[(&str, String)]) -> Run {
        let mut shell = scrubbed("sh");
        shell.args(["-c", command]).current_dir(self.workspace.root()).envs(self.surroundings.iter().cloned());
        Run::of(command.to_owned(), shell.envs(variables.iter().cloned()).output().unwrap())
    }

    /// What `db-url` prints.
    pub(crate) fn url(&self) -> String {
        self.workspace.run(&["db-url"]).exits(0).line().to_owned()
    }

    /// Replaces a text of one of the project's files.
    #[track_caller]
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.workspace.root().join(path)).unwrap();
        assert!(text.contains(from), "{path}: {text}");
        self.workspace.write(path, text.replace(from, to));
    }

    /// Removes one of its files.
    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.workspace.root().join(path)).unwrap();
    }
}

/// The directory of a tool's project.
pub(crate) fn source(directory: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tools").join(directory)
}

/// Tables with their schema's name.
pub(crate) fn within(schema: &str, tables: &[&str]) -> Vec<String> {
    tables.iter().map(|table| format!("{schema}.{table}")).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &to),
            false => _ = fs::copy(&path, &to).unwrap(),
        }
    }
}
