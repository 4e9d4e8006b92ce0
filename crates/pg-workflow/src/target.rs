//! From the configuration to a running server, and to what the database on it is expected to be.

use std::{any::Any, path::PathBuf, time::Duration};

use anyhow::bail;
use pg_config::{Address, Config, ConnInfo, Identifier, ServerChoice};
use pg_schema::{Access, Administrator, Expected};
use pg_server::{Dump, Ephemeral, Mode, NoServer, Request, Rung, Say, Server, shell_word};

use crate::{
    Context,
    access::access,
    container::{container_settings, engine_settings},
    helper,
    named_server::settle,
};

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

    /// A program of PostgreSQL's client: the started server's own, which has the right version and is there where PATH has
    /// none; else what PATH has.
    pub fn client_program(&self, name: &str) -> PathBuf {
        let beside = self.server.local.as_ref().map(|local| local.bin_dir.join(name)).filter(|path| path.exists());
        beside.unwrap_or_else(|| PathBuf::from(name))
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
        let engine = engine_settings(&context.environment);
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
            containers: container_settings(context, &engine, &build),
            dump: Dump { database: &database, arguments: &arguments, clear: &clear },
            wait: context.wait,
        };
        let progress = voice.progress();
        let found = climb(&request, &mut |line| voice.say(line));
        // Neither a question nor a package manager's own words may stand behind it.
        drop(progress);
        let server = found.or_else(|error| {
            let could_install = error.skipped.iter().find(|skipped| skipped.rung == Rung::Install);
            let question = could_install.map(|skipped| format!("{skipped}\ninstall PostgreSQL now?"));
            if mode == Mode::Start && question.is_some_and(|question| voice.confirm(&question)) {
                let request = Request { mode: Mode::Install, ..request.clone() };
                return climb(&request, &mut |line| voice.say(line));
            }
            Err(error)
        })?;
        tell_skipped(context, &server);
        refuse_superuser(config, &server)?;
        let access = access(context, &server)?;
        let expected = expected(context, &access)?;
        let reason = match (&config.named, server.rung) {
            (Some(named), Rung::Env) => format!("named by {}", named.source),
            _ => server.reason.clone(),
        };
        Ok(Self { server, access, expected, reason })
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
        self.server.rung != Rung::Env
    }

    /// Every server that may serve the database to others, and the connection with which they reach it: those that
    /// are named, or the one that we started. A password that is for some of them alone goes to none.
    pub fn for_others(&self, context: &Context, app: ConnInfo) -> (Vec<Address>, ConnInfo) {
        let config = &context.config;
        match &config.named {
            Some(named) if self.server.rung == Rung::Env => {
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

/// Says which rungs were skipped, and why.
fn tell_skipped(Context { voice, .. }: &Context, server: &Server) {
    for skipped in &server.skipped {
        let line = format!("skipped: {skipped}");
        // Of a server that is found again the first run has said it.
        if server.started_now { voice.say(&line) } else { voice.detail(&line) }
    }
}

/// Refuses to set up the role by which this tool itself goes in.
fn refuse_superuser(config: &Config, server: &Server) -> anyhow::Result<()> {
    let role = &config.role.value;
    if server.superuser.as_ref().is_some_and(|superuser| superuser.user == role.as_str()) {
        bail!(
            "role {role} is the superuser of the server that this tool started; nothing was changed\n  \
             cause: a setup would change its password, and lock this tool out\n  help: name another role in DB_USER or in DATABASE_URL"
        );
    }
    Ok(())
}

/// How the app's data are dumped and restored, as words of a shell: the database, the arguments of `pg_dump`, and the
/// statement that makes room in a new database.
fn dump(config: &Config) -> [String; 3] {
    let (database, schema) = (config.database.value.as_str(), &config.schema.value);
    // pg_dump reads a pattern, in which a quoted name is the name itself.
    let pattern = format!("--schema={}", shell_word(&schema.to_string()));
    [shell_word(database), pattern, shell_word(&format!("DROP SCHEMA {schema} CASCADE;"))]
}

/// A way up the ladder.
type Climb<'a> = &'a dyn Fn(&Request<'_>, Say<'_>) -> Result<Server, NoServer>;

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
        write_roles: config.write_roles.value.clone(),
        read_roles: config.read_roles.value.clone(),
        drift_ignore: config.drift_ignore.value.clone(),
        other_schemas: config.other_schemas.value.clone(),
        administrator: None,
        digest: None,
    }
}
