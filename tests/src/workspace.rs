//! A workspace of a test's own: a directory with migrations and, where the test writes one, a `.env`.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use pg_connect::ConnInfo;
use pg_server::ContainerSettings;

use crate::{
    Cluster, Run,
    apart::{path_with, programs, twin},
    binaries::{is_found, programs as postgresql, search_path},
    client::connection,
    cluster::{url, value},
    directory::unique,
    engine::docker,
    peers::container_helper,
    rung::{self, Rung},
};

/// A directory in which the program runs as in a clean clone; servers that it started end with the value.
pub struct Workspace {
    root: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Workspace {
    /// A workspace whose configuration names no server.
    pub fn new() -> Self {
        let root = unique("workspace");
        fs::create_dir_all(root.join("migrations")).unwrap();
        // Whatever the umask is: no report is written where others can write.
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/aura/migrations");
        for entry in fs::read_dir(sources).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, root.join("migrations").join(path.file_name().unwrap())).unwrap();
        }
        let servers = root.join("servers").display().to_string();
        let migrate = format!("{} migrate", twin("twin-aura").display());
        let workspace = Self { root, environment: BTreeMap::new() }
            .with("DB_DATA_DIR", &servers)
            .with("MIGRATE_COMMAND", &migrate)
            .with("MIGRATE_INPUTS", "migrations/**")
            // No container is started where no test means it.
            .with("DOCKER_HOST", "unix:///nowhere/docker.sock");
        match Rung::named() {
            // The newest is what the program finds by itself, unless a still newer one is installed.
            Rung::Local(None) if is_found() => workspace,
            Rung::Local(_) => workspace.with("PG_BIN_DIR", &postgresql().directory.display().to_string()),
            Rung::Container(major) => workspace.beside_engine(major).unwrap_or_else(|| panic!("no image of {major}")),
        }
    }

    /// The same where a server can only be started in a container of this version, if there is its image.
    pub fn in_container(self, major: u32) -> Option<Self> {
        Some(self.beside_engine(major)?.with("DB_SERVER", "container"))
    }

    /// The same where an engine answers that has the image of this version.
    fn beside_engine(self, major: u32) -> Option<Self> {
        let image = rung::image(major)?;
        container_helper();
        let workspace = self.without("DOCKER_HOST").with("POSTGRES_IMAGE", &image);
        Some(match rung::engine().docker_host {
            Some(host) => workspace.with("DOCKER_HOST", &host),
            None => workspace,
        })
    }

    /// A workspace that names a database `aura_db` of `aura_user` on a server, and its administrator.
    pub fn on(cluster: &Cluster) -> Self {
        Self::by(cluster.superuser())
    }

    /// The same on the server of a superuser.
    pub(crate) fn by(superuser: ConnInfo) -> Self {
        let admin = superuser.url();
        Self::new()
            .with("DATABASE_URL", &url(superuser, "aura_user", "the-app's", "aura_db"))
            .with("ADMIN_DATABASE_URL", &admin)
    }

    /// The same with an environment variable.
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.environment.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The same without an environment variable.
    pub fn without(mut self, key: &str) -> Self {
        self.environment.remove(key);
        self
    }

    /// An environment variable that it runs with.
    pub fn setting(&self, key: &str) -> &str {
        &self.environment[key]
    }

    /// The `PATH` that it runs with.
    pub fn path(&self) -> std::ffi::OsString {
        search_path()
    }

    /// Its directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a file of the workspace.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Runs `cargo xtask` with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().unwrap();
        Run::of(format!("cargo xtask {}", arguments.join(" ")), output)
    }

    /// The command that [`Self::run`] runs, with nothing of this process's environment but `PATH`.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(&twin("twin-xtask"), arguments)
    }

    /// `cargo xtask bench`.
    pub fn bench(&self) -> Command {
        self.name_project();
        self.command_of(&twin("twin-bench"), &[])
    }

    /// Runs a process that takes databases for tests here (`src/bin/test_process.rs`).
    pub fn testdb(&self, arguments: &[&str]) -> Run {
        let output = self.testdb_command(arguments).output().unwrap();
        Run::of(format!("testdb {}", arguments.join(" ")), output)
    }

    /// The command that [`Self::testdb`] runs.
    pub fn testdb_command(&self, arguments: &[&str]) -> Command {
        self.name_project();
        self.command_of(&twin("test-process"), arguments)
    }

    /// Writes what a program finds its project by.
    fn name_project(&self) {
        // Once: another process may be reading it.
        if !self.root.join("Cargo.toml").exists() {
            self.write("Cargo.toml", include_str!("project.toml"));
        }
    }

    /// The same of a copy of the program.
    pub fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.root)
            .env_clear()
            .env("HOME", &self.root)
            .env("PATH", search_path())
            .envs(&self.environment)
            .stdin(Stdio::null());
        command
    }

    /// Runs commands that were printed for people to paste: the lines that stand deeper than their heading, up to the
    /// next one. `cargo xtask` is the program here too.
    #[track_caller]
    pub fn run_printed(&self, text: &str, heading: &str) -> Run {
        let mut lines = text.lines().skip_while(|line| !line.contains(heading));
        let depth = |line: &str| line.len() - line.trim_start().len();
        let above = depth(lines.next().unwrap_or_else(|| panic!("no {heading:?} in\n{text}")));
        let commands: Vec<_> = lines.take_while(|line| depth(line) > above).map(str::trim).collect();
        let cargo = format!("#!/bin/sh\nshift\nexec {} \"$@\"\n", twin("twin-xtask").display());
        self.write("pasted/cargo", cargo);
        let program = self.root.join("pasted/cargo");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut shell = self.command_of(Path::new("sh"), &["-e", "-c", &commands.join("\n")]);
        let output = shell.env("PATH", path_with(&self.root.join("pasted"))).output().unwrap();
        Run::of(commands.join("\n"), output)
    }

    /// What docker says of each of its containers, those that are thrown away left out: `{{.Names}}`.
    #[track_caller]
    pub fn containers(&self, format: &str) -> Vec<String> {
        let name = format!("name=^/{}-", self.container());
        listed(&docker(&["ps", "--all", "--no-trunc", "--filter", &name, "--format", format]))
    }

    /// Its volumes.
    #[track_caller]
    pub fn volumes(&self) -> Vec<String> {
        listed(&docker(&["volume", "ls", "--quiet", "--filter", &format!("name={}-", self.container())]))
    }

    /// What the names of its containers and volumes begin with.
    fn container(&self) -> String {
        format!("aura-{}", self.root.file_name().unwrap().to_str().unwrap())
    }

    /// Verifies as JSON.
    pub fn verify(&self) -> Run {
        self.run(&["db-verify", "--format", "json"])
    }

    /// One value, as text, that the app's own connection (as `db-url` prints it) reads.
    pub fn value(&self, query: &str) -> String {
        let url = self.run(&["db-url"]).exits(0);
        value(&connection(url.line()), query)
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let helper = programs().join("pg-container");
        let engine = rung::engine();
        let containers = ContainerSettings {
            project: "aura",
            workspace: &self.root,
            image: "",
            image_is_default: false,
            engine: &engine,
            helper: &|_| Ok(helper.clone()),
        };
        let _ = pg_server::purge(&self.root.join("servers"), &containers, Duration::from_secs(10), &mut |_| {});
        // A failed test's directory stays, to look at.
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

fn listed(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
