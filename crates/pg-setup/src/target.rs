//! From the configuration to a running server, and to what the database on it is expected to be.

use std::{any::Any, cell::LazyCell, fmt, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use pg_config::{Address, Candidates, Config, ConnInfo, ConnectError, Identifier, Password, ServerChoice, Sourced};
use pg_schema::{Access, Administrator, Expected, LockError, ProvisionError, SqlError, VerifyError};
use pg_server::{Dump, Ephemeral, Mode, NoServer, Recorded, Request, Rung, Say, Server, Source};

use crate::{Context, helper};

/// A running server, and how the app reaches its database there.
#[derive(Clone)]
pub struct Target {
    /// The server.
    pub server: Server,
    /// The two connections to it.
    pub access: Access,
    /// What its database is expected to be.
    pub expected: Expected,
    /// Why this server.
    pub reason: String,
}

impl Target {
    /// Climbs the ladder, and says which rung was taken and why.
    pub fn find(context: &Context, mode: Mode) -> anyhow::Result<Self> {
        let named = settle(context)?;
        Self::climb(context, mode, named, &|request, say| pg_server::find(request, say))
    }

    /// Starts a server that ends with this command, whatever is named.
    pub fn start(context: &Context, mode: Mode, place: &Ephemeral) -> anyhow::Result<Self> {
        Self::climb(context, mode, None, &|request, say| place.start(request, say))
    }

    /// The superuser of a named server that is the one which we have started: its address is what `db-url` prints, and
    /// its rights are what only we know of.
    pub fn superuser_of_ours(&self, context: &Context) -> Option<Administrator> {
        let ours = Self::climb(context, Mode::Find, None, &|request, say| {
            let request = Request { choice: ServerChoice::Auto, wait: Duration::ZERO, ..request.clone() };
            pg_server::find(&request, say)
        });
        let Self { server, access, .. } = ours.ok()?;
        let is_the_same = server.host == self.server.host && server.port == self.server.port;
        access.administrator.filter(|_| is_the_same)
    }

    fn climb(context: &Context, mode: Mode, named: Option<Address>, climb: Climb<'_>) -> anyhow::Result<Self> {
        let voice = &context.voice;
        let config = &context.config;
        let engine = helper::engine(&context.environment);
        let build = |say: Say<'_>| helper::build(context, say);
        let [database, arguments, clear] = dump(config);
        let request = Request {
            choice: config.server.value,
            mode,
            named,
            data_dir: &config.data_dir.value,
            bin_dir: config.bin_dir.as_ref().map(|found| found.value.as_path()),
            path: context.environment.process_os("PATH"),
            durability: config.durability.value,
            containers: helper::containers(context, &engine, &build),
            dump: Dump { database: &database, arguments: &arguments, clear: &clear },
            wait: context.wait,
        };
        let server = climb(&request, &mut |line| voice.say(line)).or_else(|error| {
            let could_install = error.skipped.iter().find(|skipped| skipped.rung == Rung::Install);
            let question = could_install.map(|skipped| format!("{skipped}\ninstall PostgreSQL now?"));
            if mode == Mode::Start && question.is_some_and(|question| voice.confirm(&question)) {
                let request = Request { mode: Mode::Install, ..request.clone() };
                return climb(&request, &mut |line| voice.say(line));
            }
            Err(error)
        })?;
        for skipped in &server.skipped {
            let line = format!("skipped: {skipped}");
            // Of a server that is found again the first run has said it.
            if server.started_now { voice.say(&line) } else { voice.detail(&line) }
        }
        let role = &config.role.value;
        if server.superuser.as_ref().is_some_and(|superuser| superuser.user == role.as_str()) {
            bail!(
                "role {role} is the superuser of the server that this tool started: a setup would change its password, \
                 and lock this tool out; nothing was changed\n  help: name another role in DB_USER or in DATABASE_URL"
            );
        }
        let access = access(context, &server)?;
        let expected = expected(context, &access)?;
        let reason = match (&config.named, server.source) {
            (Some(named), Source::Env) => format!("named by {}", named.source),
            _ => server.reason.clone(),
        };
        Ok(Self { server, access, expected, reason })
    }

    /// An error of a command on this server. Where a named server does not answer, it says who named it:
    /// no other is tried in its place. Of a server that we started it names the log.
    pub fn explain(&self, error: impl Into<anyhow::Error>) -> anyhow::Error {
        self.explain_after(error.into(), None)
    }

    /// The same, of a command that had run these statements; where its connection was lost, that is said.
    pub(crate) fn explain_after(&self, error: anyhow::Error, done: Option<&[String]>) -> anyhow::Error {
        if error.is::<SilentServer>() {
            return error;
        }
        let administrator = self.access.administrator.as_ref().filter(|administrator| {
            let address = administrator.connection.address();
            address != self.access.app.address() && error.to_string().contains(&format!("at {address}"))
        });
        if let Some(administrator) = administrator.filter(|_| is_no_server(&error)) {
            let help = "correct its host, or leave the host out: then it is the app's own server";
            let how = &administrator.how;
            return SilentServer(format!("the administrator's connection ({how}): {error}\n  help: {help}")).into();
        }
        if self.server.source == Source::Env && is_no_server(&error) {
            let help = "start it, correct the name, or unset it and let db-setup start a server of its own";
            return SilentServer(format!("{error}; it is {}, and no other is tried\n  help: {help}", self.reason))
                .into();
        }
        let log = self.log().map(|log| format!("its log: {log}"));
        let (done, hint) = if is_lost(&error) {
            (done.map(|done| format!("\n  {}", done_before(done))), log)
        } else if connect_error(&error).is_some_and(ConnectError::is_damage) {
            let database = &self.expected.database;
            let reset =
                format!("`cargo xtask db-reset` drops database {database} and makes it again, without its data");
            (None, log.map(|log| format!("{log}; {reset}")))
        } else {
            return error;
        };
        let hint = hint.map(|hint| format!("\n  [{hint}]")).unwrap_or_default();
        anyhow!("{error:#}{}{hint}", done.unwrap_or_default())
    }

    /// Where the log of a server that we started is: its file, or the command that shows it.
    fn log(&self) -> Option<String> {
        let file = self.server.local.as_ref().map(|local| local.log.display().to_string());
        file.or_else(|| self.server.container.as_ref().map(|container| format!("`docker logs {}`", container.name)))
    }

    /// Says that a server which does not answer is being waited for, for as long as the value lives.
    pub fn patience(&self, context: &Context) -> Box<dyn Any> {
        let Server { host, port, .. } = &self.server;
        context.voice.patience(format!("waiting up to {} s for the server at {host}:{port}", context.wait.as_secs()))
    }

    /// The same server, role and schema, and another database.
    pub fn of(&self, database: Identifier) -> Self {
        let app = self.access.app.with_database(database.as_str());
        Self {
            access: Access { app, ..self.access.clone() },
            expected: Expected { database, ..self.expected.clone() },
            ..self.clone()
        }
    }

    /// Whether the server is one that we started, and so may be treated as ours.
    pub fn is_ours(&self) -> bool {
        self.server.source != Source::Env
    }

    /// Every server that may serve the database to others, and the connection with which they reach it: those that
    /// are named, or the one that we started. A password that is for some of them alone goes to none.
    pub fn for_others(&self, context: &Context, app: ConnInfo) -> (Vec<Address>, ConnInfo) {
        let config = &context.config;
        match &config.named {
            Some(named) if self.server.source == Source::Env => {
                let is_alike = named.value.iter().all(|address| config.app(address).password == app.password);
                let password = app.password.clone().filter(|_| is_alike);
                (named.value.clone(), ConnInfo { password, ..app })
            }
            _ => (vec![app.address()], app),
        }
    }

    /// In words: where the server is, and why that one.
    pub fn describe(&self) -> String {
        format!("{}:{} ({})", self.server.host, self.server.port, self.reason)
    }
}

/// How the app's data are dumped and restored, as words of a shell: the database, the arguments of `pg_dump`, and the
/// statement that makes room in a new database.
fn dump(config: &Config) -> [String; 3] {
    let (database, schema) = (config.database.value.as_str(), &config.schema.value);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let word = |text: &str| if text.chars().all(is_plain) { text.to_owned() } else { quoted(text) };
    // pg_dump reads a pattern, in which a quoted name is the name itself.
    let pattern = format!("--schema={}", word(&schema.to_string()));
    [word(database), pattern, quoted(&format!("DROP SCHEMA {schema} CASCADE;"))]
}

/// A way up the ladder.
type Climb<'a> = &'a dyn Fn(&Request<'_>, Say<'_>) -> Result<Server, NoServer>;

/// The server that is named. Of several the one that libpq would take, for the whole command: what is made on
/// one must not be looked for on another.
fn settle(context: &Context) -> anyhow::Result<Option<Address>> {
    let config = &context.config;
    let (Some(named), Some(candidates)) = (&config.named, config.candidates()) else { return Ok(None) };
    if let [only] = named.value.as_slice() {
        return Ok(Some(only.clone()));
    }
    if config.server.value.is_started() {
        return Ok(named.value.first().cloned());
    }
    let ours = Recorded::read(&config.data_dir.value);
    let candidates = Candidates::of(candidates.all().iter().map(|info| guarded(&ours, info)).collect());
    let app = candidates.connect(context.wait).map(|(taken, _)| taken.address());
    let taken = match (app, &config.admin) {
        // Where the app may not log in yet, the administrator tells the very same servers apart.
        (Err(error), Some(admin)) if error.is_refusal() => settle_as(&ours, admin, named, context.wait).ok_or(error),
        (app, _) => app,
    };
    let taken = taken.with_context(|| format!("{} names several servers", named.source))?;
    context.voice.say(&format!("of {} servers that {} names: {taken}", named.value.len(), named.source));
    Ok(Some(taken))
}

/// The one of the servers that the administrator reaches. Where a host is named once, another port of it counts
/// as the same server: a pooler's, say.
fn settle_as(
    ours: &Recorded,
    admin: &Sourced<Vec<ConnInfo>>,
    named: &Sourced<Vec<Address>>,
    wait: Duration,
) -> Option<Address> {
    let of = |connection: &ConnInfo| {
        let exactly = named.value.iter().find(|address| **address == connection.address());
        let mut by_host = named.value.iter().filter(|address| address.host == connection.host);
        exactly.or(by_host.next().filter(|_| by_host.next().is_none()))
    };
    let same = admin.value.iter().filter(|connection| of(connection).is_some());
    let same = same.map(|connection| guarded(ours, connection)).collect();
    let (taken, _) = Candidates::of(same).connect(wait).ok()?;
    of(&taken).cloned()
}

/// The two connections: the app's own, and an administrator's where one is known.
fn access(context: &Context, server: &Server) -> anyhow::Result<Access> {
    let config = &context.config;
    let address = Address { host: server.host.clone(), port: server.port };
    // Of a server that is not named it is not asked.
    let ours = LazyCell::new(|| Recorded::read(&config.data_dir.value));
    let (app, password_is_generated) = match (server.source, &config.password) {
        (Source::Env, _) => (guarded(&ours, &config.app(&address)), false),
        (_, Some(said)) => (config.app_here(&address, said.value.clone()), false),
        (_, None) => (config.app_here(&address, kept_password(context)?), true),
    };
    let administrator = match (&server.superuser, &config.admin) {
        (Some(superuser), _) => {
            let administrator = Administrator::given(superuser.clone(), "the started server's superuser");
            Some(administrator.with_spare(server.session.clone()))
        }
        (None, Some(admin)) => {
            let named: Vec<_> = admin.value.iter().map(|connection| guarded(&ours, connection)).collect();
            let connection = administrators(&named, &address, context.wait)
                .with_context(|| format!("{} names several servers", admin.source))?;
            Some(Administrator::given(connection, admin.source.to_string()))
        }
        (None, None) => None,
    };
    Ok(Access {
        app,
        administrator,
        may_set_password: server.source != Source::Env,
        may_be_pooled: server.source == Source::Env,
        password_source: password_source(config, server.source),
        password_is_generated,
        wait: context.wait,
    })
}

/// A connection to a named server. To one that we started it must go by SCRAM: while that server is stopped, any program
/// may listen on its port. What the connection string says of logins comes first.
fn guarded(ours: &Recorded, named: &ConnInfo) -> ConnInfo {
    let scram_only = named.more.get("require_auth").is_none() && ours.has(&named.address());
    ConnInfo { scram_only, ..named.clone() }
}

/// Where the app's password is from, where it is known.
fn password_source(config: &Config, server: Source) -> Option<String> {
    match &config.password {
        Some(said) => Some(said.source.to_string()),
        None if server == Source::Env && config.passfile.path().is_file() => {
            Some(config.passfile.path().display().to_string())
        }
        None => None,
    }
}

/// The administrator's connection: of several servers the one that the app is on, else the one that libpq would take.
fn administrators(connections: &[ConnInfo], app: &Address, wait: Duration) -> anyhow::Result<ConnInfo> {
    let same = connections.iter().find(|connection| connection.address() == *app);
    match (same.or_else(|| connections.iter().find(|connection| connection.host == app.host)), connections) {
        (Some(connection), _) | (None, [connection]) => Ok(connection.clone()),
        (None, several) => Ok(Candidates::of(several.to_vec()).connect(wait)?.0),
    }
}

/// The password that was generated for the app's role when its server was first set up.
fn kept_password(context: &Context) -> anyhow::Result<Password> {
    let config = &context.config;
    pg_server::app_password(&config.data_dir.value, config.role.value.as_str()).context("keep the app's password")
}

fn expected(context: &Context, access: &Access) -> anyhow::Result<Expected> {
    let config = &context.config;
    let administrator = access.administrator.as_ref().map(|found| &found.connection);
    Ok(Expected {
        administrator: administrator.map(|ConnInfo { user, .. }| Identifier::from_catalog(user)),
        digest: config.migrations.digest(&config.project.root)?,
        ..expected_anywhere(config)
    })
}

/// What is expected on whatever server: neither an administrator nor the migrations are known yet.
pub fn expected_anywhere(config: &Config) -> Expected {
    Expected {
        role: config.role.value.clone(),
        database: config.database.value.clone(),
        schema: config.schema.value.clone(),
        extensions: config.extensions.value.clone(),
        administrator: None,
        digest: None,
    }
}

/// A named server does not answer; in words.
#[derive(Debug)]
pub struct SilentServer(pub(crate) String);

impl fmt::Display for SilentServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SilentServer {}

/// Whether an error means that no server could be had.
pub fn is_no_server(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<NoServer>() || cause.is::<SilentServer>())
        || connect_error(error).is_some_and(ConnectError::is_no_server)
}

/// What a setup has done before it failed, in words.
fn done_before(statements: &[String]) -> String {
    match statements {
        [] => "nothing was changed before".to_owned(),
        [only] => format!("done before: {only}"),
        [.., last] => format!("done before: {} statements, the last of them: {last}", statements.len()),
    }
}

/// Whether an error is that of a connection that was lost.
fn is_lost(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let sql = match (cause.downcast_ref(), cause.downcast_ref(), cause.downcast_ref()) {
            (Some(ProvisionError::Sql(error) | ProvisionError::Lock(LockError::Sql(error))), ..) => Some(error),
            (_, Some(VerifyError::Sql(error)), _) => Some(error),
            (.., Some(LockError::Sql(error))) => Some(error),
            _ => cause.downcast_ref::<SqlError>(),
        };
        sql.is_some_and(SqlError::is_lost)
    })
}

/// Why no connection came about, where that is what an error says.
fn connect_error(error: &anyhow::Error) -> Option<&ConnectError> {
    error.chain().find_map(|cause| {
        let by_setup = cause.downcast_ref().and_then(|error| match error {
            ProvisionError::Connect(error) => Some(error),
            _ => None,
        });
        let by_verification = cause.downcast_ref().and_then(|error| match error {
            VerifyError::Connect(error) => Some(error),
            VerifyError::Sql(_) => None,
        });
        cause.downcast_ref().or(by_setup).or(by_verification)
    })
}
