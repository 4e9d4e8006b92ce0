//! A server that is none of ours: somebody's PostgreSQL that was there before.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use pg_config::{ConnInfo, Durability, Password, ServerChoice};
use pg_server::{
    Binaries, ClusterTemplate, ContainerSettings, Dump, Ephemeral, Local, Mode, Request, Throwaway, template, throwaway,
};

use crate::{
    Postmaster,
    binaries::{programs, programs_of},
    directory::{scratch, unique},
    peers::container_helper,
    rung::{self, Rung},
};

/// A running server of a test's own; it ends with the value.
pub struct Cluster {
    server: Running,
}

enum Running {
    Local(Throwaway),
    Container(Container),
}

/// A container, which ends with the value.
struct Container {
    place: Ephemeral,
    superuser: ConnInfo,
    major: u32,
    directory: PathBuf,
}

/// How long a server may take to start on a busy machine.
pub(crate) const WAIT: Duration = Duration::from_secs(60);

impl Cluster {
    /// Starts a fresh server: of the newest PostgreSQL that is there, or on the rung that `TESTS_SERVER` names.
    pub fn start() -> Self {
        match Rung::named() {
            Rung::Local(_) => Self::run(programs(), &[]),
            Rung::Container(major) => Self::in_container(major),
        }
    }

    /// Starts one with settings of its own: `&[("log_statement", "all")]`. Its files are on this machine, whatever
    /// the rung.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::run(programs(), settings)
    }

    /// Starts a fresh server of another major version: 13, 15, 17 or 18. One that is not there is skipped.
    pub fn of(major: u32) -> Option<Self> {
        programs_of(major).map(|binaries| Self::run(&binaries, &[]))
    }

    /// Where the programs of a major version are. One that is not there is skipped.
    pub fn programs_of(major: u32) -> Option<PathBuf> {
        programs_of(major).map(|binaries| binaries.directory)
    }

    fn run(binaries: &Binaries, settings: &[(&str, &str)]) -> Self {
        let template = template(&scratch("templates"), binaries, WAIT, &mut |_| {}).unwrap();
        Self::copy(&template, binaries, settings)
    }

    /// Starts a server on a copy of a template.
    pub(crate) fn copy(template: &ClusterTemplate, binaries: &Binaries, settings: &[(&str, &str)]) -> Self {
        Self::copy_to(&unique("cluster"), template, binaries, settings)
    }

    /// The same in a directory that is not there yet.
    pub(crate) fn copy_to(
        directory: &Path,
        template: &ClusterTemplate,
        binaries: &Binaries,
        settings: &[(&str, &str)],
    ) -> Self {
        Self { server: Running::Local(throwaway(template, binaries, directory, settings, WAIT, &mut |_| {}).unwrap()) }
    }

    /// Stops the server and keeps its data. Its files are on this machine.
    pub(crate) fn into_template(self) -> ClusterTemplate {
        match self.server {
            Running::Local(server) => server.into_template(WAIT).unwrap(),
            Running::Container(_) => panic!("the data of a container are not on this machine"),
        }
    }

    /// By the container rung itself, as `--ephemeral` has it.
    fn in_container(major: u32) -> Self {
        let wait = Duration::from_secs(120);
        let data_dir = scratch("containers");
        let image = rung::image(major).unwrap_or_else(|| panic!("no image of PostgreSQL {major}"));
        let helper = container_helper();
        let engine = rung::engine();
        let request = Request {
            choice: ServerChoice::Container,
            mode: Mode::Start,
            named: None,
            data_dir: &data_dir,
            bin_dir: None,
            path: None,
            durability: Durability::Development,
            containers: ContainerSettings {
                project: "aura-tests",
                workspace: Path::new("/nowhere"),
                image: &image,
                image_is_default: false,
                engine: &engine,
                helper: &|_| Ok(helper.clone()),
            },
            dump: Dump { database: "", arguments: "", clear: "" },
            wait,
        };
        let place = Ephemeral::claim(&data_dir, wait).unwrap();
        let server = place.start(&request, &mut |_| {}).unwrap();
        let superuser = server.superuser.unwrap();
        Self { server: Running::Container(Container { place, superuser, major, directory: unique("container") }) }
    }

    /// The superuser's connection to the database `postgres`.
    pub fn superuser(&self) -> ConnInfo {
        match &self.server {
            Running::Local(server) => server.superuser.clone(),
            Running::Container(container) => container.superuser.clone(),
        }
    }

    /// The superuser's URL, for `ADMIN_DATABASE_URL`.
    pub fn admin_url(&self) -> String {
        self.superuser().url()
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.superuser().port
    }

    /// Where the programs of its version are on this machine; `psql` as it is, without what a distribution puts
    /// around it.
    pub fn binaries(&self) -> PathBuf {
        match &self.server {
            Running::Local(server) => server.local.bin_dir.clone(),
            Running::Container(container) => programs_of(container.major).unwrap().directory,
        }
    }

    /// A directory of the test's own, which goes with the server.
    pub fn directory(&self, name: &str) -> PathBuf {
        let path = match &self.server {
            Running::Local(server) => server.local.data.parent().unwrap().join(name),
            Running::Container(container) => container.directory.join(name),
        };
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// The process id of the postmaster of a server whose files are on this machine.
    pub fn pid(&self) -> u32 {
        self.here().pid
    }

    /// Its postmaster, where its files are on this machine.
    pub fn postmaster(&self) -> Postmaster {
        Postmaster::of(self.pid(), self.here().data.clone())
    }

    /// The log, as text, of a server whose files are on this machine.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.here().log).unwrap()
    }

    fn here(&self) -> &Local {
        match &self.server {
            Running::Local(server) => &server.local,
            Running::Container(_) => panic!("a test that looks at files starts its server by `start_with`"),
        }
    }

    /// A role's URL on this server.
    pub fn url(&self, role: &str, password: &str, database: &str) -> String {
        url(self.superuser(), role, password, database)
    }

    /// Runs statements as the superuser.
    pub fn sql(&self, database: &str, statements: &str) {
        let mut session = pg_config::connect(&self.superuser().with_database(database)).unwrap();
        session.client.batch_execute(statements).unwrap_or_else(|error| panic!("{statements}: {error:#}"));
    }

    /// One value, as text, that the superuser reads.
    pub fn value(&self, database: &str, query: &str) -> String {
        value(&self.superuser().with_database(database), query)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
        self.place.end().unwrap();
    }
}

/// A role's URL on the server of a superuser.
pub(crate) fn url(superuser: ConnInfo, role: &str, password: &str, database: &str) -> String {
    let password = Some(Password::new(password));
    ConnInfo { user: role.to_owned(), password, database: database.to_owned(), ..superuser }.url()
}

/// One value, as text, that a connection reads.
pub(crate) fn value(connection: &ConnInfo, query: &str) -> String {
    let mut session = pg_config::connect(connection).unwrap();
    let messages = session.client.simple_query(query).unwrap_or_else(|error| panic!("{query}: {error:#}"));
    messages
        .iter()
        .find_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        })
        .unwrap_or_default()
}
