//! What one process knows of the server on which its test databases are: found once, shared by all its tests.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use anyhow::{Context as _, bail};
use pg_config::{Config, ConnectError, EnvFile, Environment, Identifier, Project, Session};
use pg_schema::{Administrator, Purpose, execute};
use pg_server::Mode;
use pg_workflow::{Context, Silence, Target};

use crate::{
    error::Error,
    mark::Mark,
    name::BaseName,
    prepared::prepare,
    proof,
    role::Role,
    session::{in_turn, texts},
    template::{Content, Template},
};

/// The server, and the sessions of the administrator on it.
pub(crate) struct TestServer {
    pub(crate) context: Context,
    pub(crate) target: Target,
    pub(crate) administrator: Administrator,
    /// The administrator's role, which owns the databases.
    owner: Identifier,
    pub(crate) base: BaseName,
    pub(crate) mark: Mark,
    /// How many databases may be leased at once, by all processes.
    pub(crate) cap: i32,
    /// Whether cloning by files is quicker.
    by_files: bool,
    /// Whether this process runs one test and ends.
    pub(crate) is_for_one_test: bool,
    /// Whether this process has begun to sweep.
    pub(crate) is_swept: AtomicBool,
    version: i32,
    /// The maintenance database, where all processes take their locks.
    maintenance: String,
    /// Whether anything can be proved on this server, by this administrator.
    pub(crate) is_proving: bool,
    /// The app's role as it was, for where a test changes it.
    role: Option<Role>,
    leases: Mutex<Leases>,
    /// For what takes long; opened when it is needed.
    other: Mutex<Option<Session>>,
    /// What became of each; migrations that fail are not run once more for every test.
    templates: [Mutex<Option<Made>>; 2],
}

/// A template, or why there is none.
type Made = Result<Arc<Template>, String>;

/// The session that holds the locks of every lease of this process.
pub(crate) struct Leases {
    pub(crate) session: Session,
    /// The places that it holds: a session may take its own lock twice.
    pub(crate) places: Vec<i32>,
    /// The clones that it holds, by their locks.
    pub(crate) clones: Vec<i32>,
}

/// The server of this process, or why there is none.
static SERVER: Mutex<Option<Result<Arc<TestServer>, Error>>> = Mutex::new(None);

impl TestServer {
    /// The server of this process; opened by the first test that asks. One whose server has gone is opened anew.
    pub(crate) fn of_process() -> Result<Arc<Self>, Error> {
        let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Ok(open)) = &*server
            && open.leases().session.client.is_closed()
        {
            *server = None;
        }
        server.get_or_insert_with(|| Self::find().map_err(Error::from)).clone()
    }

    /// By the project of the workspace in which the test runs, and by the configuration of that.
    fn find() -> anyhow::Result<Arc<Self>> {
        let directory = std::env::current_dir().context("see where the test runs")?;
        let project = Project::find(&directory)?;
        let wait = Duration::from_secs(30);
        let environment = Environment::read(&project, &EnvFile::Default(wait))?;
        let config = Config::resolve(&project, &environment, None).context("the configuration is wrong")?;
        let context = Context { environment, config, voice: Arc::new(Silence), wait };
        let target = Target::find(&context, Mode::Start)?;
        Self::open(context, target)
    }

    /// On a server that is there.
    pub(crate) fn open(context: Context, mut target: Target) -> anyhow::Result<Arc<Self>> {
        let named = target.access.administrator.clone();
        let of_ours = if named.is_none() { target.superuser_of_ours(&context) } else { None };
        let mark = Mark::of(&context.config.project.name, target.is_ours() || of_ours.is_some());
        let administrator = match named.or(of_ours) {
            Some(administrator) => administrator,
            None => pg_schema::open(&target.access, &target.expected, Purpose::Provision)
                .map_err(|error| target.explain(error))?
                .into_administrator(),
        };
        // The template is made by the same.
        target.access.administrator = Some(administrator.clone());
        let (maintenance, mut session) =
            maintenance_session(&administrator, context.wait).map_err(|error| target.explain(error))?;
        let Settings { version, version_text, max_connections, is_durable, is_superuser } =
            Settings::read(&mut session)?;
        if version < 130_000 {
            bail!("PostgreSQL {version_text}: 13 is the oldest that works");
        }
        let is_proving = version >= 150_000 && is_superuser;
        let proving = is_proving.then_some(&target.expected.role);
        prepare(&mut session, proving)?;
        let role = proving.map(|role| Role::read(&mut session, role.as_str())).transpose()?.flatten();
        let is_for_one_test = context.environment.process("NEXTEST_EXECUTION_MODE") == Some("process-per-test");
        Ok(Arc::new(Self {
            owner: Identifier::from_catalog(administrator.connection.user.as_str()),
            base: BaseName::of(&target.expected.database),
            mark,
            cap: (max_connections / 4).max(1),
            by_files: version >= 150_000 && !is_durable,
            is_for_one_test,
            is_swept: AtomicBool::new(false),
            version,
            maintenance,
            is_proving,
            role,
            leases: Mutex::new(Leases { session, places: Vec::new(), clones: Vec::new() }),
            other: Mutex::default(),
            templates: Default::default(),
            context,
            target,
            administrator,
        }))
    }

    /// The session of the leases; statements on it are short.
    pub(crate) fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Statements on it, and every text that they give.
    pub(crate) fn texts(&self, sql: &str) -> anyhow::Result<Vec<Option<String>>> {
        texts(&mut self.leases().session, sql)
    }

    /// A session of the administrator's in a database.
    pub(crate) fn connect(&self, database: &str) -> Result<Session, ConnectError> {
        let wait = self.context.wait;
        in_turn(wait, || self.administrator.connect(database, wait))
    }

    /// The same, as a proof needs it.
    pub(crate) fn connect_to_prove(&self, database: &Identifier) -> Result<Session, ConnectError> {
        let wait = self.context.wait;
        in_turn(wait, || self.administrator.connect_with(database.as_str(), &proof::SETTINGS, wait))
    }

    /// Makes the app's role what it was, if it is not: it is the whole server's.
    pub(crate) fn restore_role(&self) -> anyhow::Result<()> {
        let Some(role) = &self.role else { return Ok(()) };
        role.restore(&mut self.leases().session, self.target.expected.role.as_str())
    }

    /// Does something that may take long by a session in the maintenance database.
    pub(crate) fn with_session<T>(&self, run: impl FnOnce(&mut Session) -> anyhow::Result<T>) -> anyhow::Result<T> {
        if self.is_for_one_test {
            // Nobody else waits for it.
            return run(&mut self.leases().session);
        }
        let mut other = self.other.lock().unwrap_or_else(PoisonError::into_inner);
        let session = match &mut *other {
            Some(session) if !session.client.is_closed() => session,
            none => {
                let mut session = self.connect(&self.maintenance)?;
                prepare(&mut session, self.is_proving.then_some(&self.target.expected.role))?;
                none.insert(session)
            }
        };
        run(session)
    }

    /// Creates a clone of a template, marked as what it is.
    pub(crate) fn create(
        &self,
        session: &mut Session,
        template: &Template,
        (clone, what): (&Identifier, &str),
    ) -> anyhow::Result<()> {
        // Where nothing is synced to disk, copying files costs less than writing all of it to the log.
        let strategy = if self.by_files { " STRATEGY file_copy" } else { "" };
        let limit = self.mark.limit(what);
        Ok(execute(session, &format!("CREATE DATABASE {clone} TEMPLATE {}{strategy}{limit}", template.name))?)
    }

    /// Marks it, gives it what it lacks, and asks what is then to be known of it, in one transaction.
    pub(crate) fn complete(
        &self,
        session: &mut Session,
        template: &Template,
        (clone, what): (&Identifier, &str),
        query: &str,
    ) -> anyhow::Result<Vec<Option<String>>> {
        // With its limit always: a clone is made with another one.
        let properties = template.properties(session)?.statements(clone, &self.owner).join("; ");
        texts(session, &format!("{}; {properties}; {query}", self.mark.statement(clone, what)))
    }

    /// The template of a content; made where there is none.
    pub(crate) fn template(&self, content: Content) -> anyhow::Result<Arc<Template>> {
        let place = &self.templates[usize::from(content == Content::Empty)];
        let mut known = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = &*known {
            return outcome.clone().map_err(anyhow::Error::msg);
        }
        let digest = Template::digest(&self.context, &self.target, content, self.version);
        let session = &mut self.leases().session;
        let names = (&self.base, &self.mark);
        let outcome = match Template::find(session, names, &digest)? {
            Some(template) => Ok(template),
            None => {
                let (context, target) = (&self.context, &self.target);
                Template::make(context, target, &self.administrator, session, names, (content, &digest))
                    .map_err(|error| format!("make the template: {error:#}"))
            }
        };
        known.insert(outcome.map(Arc::new)).clone().map_err(anyhow::Error::msg)
    }

    /// Forgets a template that is not there any more.
    pub(crate) fn forget(&self, content: Content) {
        *self.templates[usize::from(content == Content::Empty)].lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What is to be known of the server, and of the administrator on it.
struct Settings {
    version: i32,
    version_text: String,
    max_connections: i32,
    is_durable: bool,
    is_superuser: bool,
}

impl Settings {
    fn read(session: &mut Session) -> anyhow::Result<Self> {
        let ask = "SHOW server_version_num; SHOW server_version; SHOW max_connections; SHOW fsync; SHOW is_superuser";
        let answers: Vec<_> = texts(session, ask)?.into_iter().flatten().collect();
        let [version, version_text, max_connections, fsync, is_superuser] = answers.as_slice() else {
            bail!("{ask}: {} answers", answers.len());
        };
        Ok(Self {
            version: version.parse().context("server_version_num")?,
            version_text: version_text.clone(),
            max_connections: max_connections.parse().context("max_connections")?,
            is_durable: fsync == "on",
            is_superuser: is_superuser == "on",
        })
    }
}

/// The maintenance database, where all processes take their locks, as those belong to a database: `postgres`, or the one that the
/// administrator's connection names where there is none or it keeps us out; and a session in it.
fn maintenance_session(administrator: &Administrator, wait: Duration) -> Result<(String, Session), ConnectError> {
    let named = &administrator.connection.database;
    match in_turn(wait, || administrator.connect(MAINTENANCE_DATABASE, wait)) {
        Err(error) if error.code().is_some_and(|code| ["3D000", "28000", "42501"].contains(&code.code())) => {
            administrator.connect(named, wait).map(|session| (named.clone(), session))
        }
        outcome => outcome.map(|session| (MAINTENANCE_DATABASE.to_owned(), session)),
    }
}

const MAINTENANCE_DATABASE: &str = "postgres";
