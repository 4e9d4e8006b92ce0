//! From the configuration to a running server, and to what the database on it is expected to be.

use anyhow::Context as _;
use pg_config::{Address, ConnInfo, Identifier, Password, SslMode};
use pg_schema::{Access, Administrator, Expected};
use pg_server::{Mode, Request, Rung, Server, Source};

use crate::{
    context::Context,
    outcome::{Outcome, SilentServer},
    terminal::Patience,
};

/// A running server, and how the app reaches its database there.
pub(crate) struct Target {
    pub(crate) server: Server,
    pub(crate) access: Access,
    pub(crate) expected: Expected,
    /// Why this server.
    pub(crate) reason: String,
}

impl Target {
    /// Climbs the ladder, and says which rung was taken and why.
    pub(crate) fn find(context: &Context, mode: Mode) -> anyhow::Result<Self> {
        let config = &context.config;
        let request = Request {
            choice: config.server.value,
            mode,
            named: config.named.as_ref().map(|named| named.value.clone()),
            data_dir: &config.data_dir.value,
            bin_dir: config.bin_dir.as_ref().map(|found| found.value.as_path()),
            path: context.environment.process_os("PATH"),
            wait: context.wait,
        };
        let terminal = context.terminal;
        let server = pg_server::find(&request, &mut |line| terminal.say(line)).or_else(|error| {
            let could_install = error.skipped.iter().find(|skipped| skipped.rung == Rung::Install);
            let question = could_install.map(|skipped| format!("{skipped}\ninstall PostgreSQL now?"));
            if mode == Mode::Start && question.is_some_and(|question| terminal.confirm(&question)) {
                let request = Request { mode: Mode::Install, ..request.clone() };
                return pg_server::find(&request, &mut |line| terminal.say(line));
            }
            Err(error)
        })?;
        for skipped in &server.skipped {
            terminal.detail(&format!("skipped: {skipped}"));
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
    /// no other is tried in its place.
    pub(crate) fn explain(&self, error: impl Into<anyhow::Error>) -> anyhow::Error {
        let error = error.into();
        if self.server.source == Source::Env && Outcome::of(&error) == Outcome::NoServer {
            let help = "start it, correct the name, or unset it and let db-setup start a server of its own";
            return SilentServer(format!("{error}; it is {}, and no other is tried\n  help: {help}", self.reason))
                .into();
        }
        error
    }

    /// Says that a server which does not answer is being waited for, for as long as the value lives.
    pub(crate) fn patience(&self, context: &Context) -> Patience {
        let Server { host, port, .. } = &self.server;
        context.terminal.patience(format!("waiting up to {} s for the server at {host}:{port}", context.wait.as_secs()))
    }

    /// Whether the server is one that we started, and so may be treated as ours.
    pub(crate) fn is_ours(&self) -> bool {
        self.server.source == Source::Local
    }

    /// In words: where the server is, and why that one.
    pub(crate) fn describe(&self) -> String {
        format!("{}:{} ({})", self.server.host, self.server.port, self.reason)
    }
}

/// The two connections: the app's own, and an administrator's where one is known.
fn access(context: &Context, server: &Server) -> anyhow::Result<Access> {
    let config = &context.config;
    let address = Address { host: server.host.clone(), port: server.port };
    let said = config.password.as_ref().map(|found| found.value.clone());
    let (password, password_is_generated, ssl_mode) = match (server.source, said) {
        (Source::Env, said) => (said, false, config.session.ssl_mode),
        (_, Some(said)) => (Some(said), false, SslMode::Prefer),
        (_, None) => (Some(kept_password(context)?), true, SslMode::Prefer),
    };
    let administrator = match (&server.superuser, &config.admin) {
        (Some(superuser), _) => Some(Administrator::given(superuser.clone(), "the started server's superuser")),
        (None, Some(admin)) => Some(Administrator::given(admin.value.clone(), admin.source.to_string())),
        (None, None) => None,
    };
    Ok(Access {
        app: config.app(&address, password.as_ref(), ssl_mode),
        administrator,
        may_set_password: server.source != Source::Env,
        password_is_generated,
        wait: context.wait,
    })
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
        role: config.role.value.clone(),
        database: config.database.value.clone(),
        schema: config.schema.value.clone(),
        extensions: config.extensions.value.clone(),
        administrator: administrator.map(|ConnInfo { user, .. }| Identifier::from_catalog(user)),
        digest: config.migrations.digest(&config.project.root)?,
    })
}
