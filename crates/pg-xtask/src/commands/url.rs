//! `db-url`: a connection string on stdout, and nothing else.

use anyhow::{anyhow, bail};
use pg_config::{ConnInfo, Project, connect_within};
use pg_schema::Expected;
use pg_server::Mode;
use pg_workflow::Target;

use crate::{cli::DbUrl, invocation::Invocation, outcome::Outcome};

impl DbUrl {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Invocation::new(project, &self.common)?;
        let target = Target::find(&context, Mode::Find)?;
        let url = if self.admin {
            let administrator = target
                .access
                .administrator
                .as_ref()
                .ok_or_else(|| anyhow!("no administrator's connection is known\n  help: set ADMIN_DATABASE_URL"))?;
            administrator.connection.url()
        } else if let Some(name) = self.role.as_ref().filter(|name| *name != target.expected.role.as_str()) {
            let connection = role_connection(&context, &target, name, self.options)?;
            let (addresses, connection) = target.for_others(&context, connection);
            connection.url_of(&addresses)
        } else {
            let (addresses, app) = target.for_others(&context, app_connection(&context, &target, self.options)?);
            app.url_of(&addresses)
        };
        context.terminal.print(&url);
        Ok(Outcome::Well)
    }
}

/// The connection of a further role. Its password is not known here: libpq takes it from its password file.
fn role_connection(context: &Invocation, target: &Target, name: &str, with_options: bool) -> anyhow::Result<ConnInfo> {
    let Expected { schema, write_roles, read_roles, .. } = &target.expected;
    let Some(role) = write_roles.iter().chain(read_roles).find(|role| role.as_str() == name) else {
        bail!(
            "role {name:?} is not in DB_WRITE_ROLES or DB_READ_ROLES\n  help: name it there, and run cargo xtask db-setup"
        );
    };
    let app = &target.access.app;
    let _patience = target.patience(context);
    let leads_home = match connect_within(app, context.wait) {
        Ok(mut session) => pg_schema::leads_home(&mut session, role, &target.expected)?,
        Err(error) if error.is_refusal() => {
            context.terminal.warn(&format!("{error}; run cargo xtask db-setup"));
            false
        }
        Err(error) => return Err(target.explain(error)),
    };
    let options = match with_options || !leads_home {
        true => app.options.with("search_path", &pg_schema::ddl::search_path(schema)),
        false => app.options.without("search_path"),
    };
    Ok(ConnInfo { user: name.to_owned(), password: None, options, ..app.clone() })
}

/// The app's connection as other programs should have it: `options` carry the path only where the
/// server's own settings do not give it. Poolers refuse such options, or drop them.
pub(super) fn app_connection(context: &Invocation, target: &Target, with_options: bool) -> anyhow::Result<ConnInfo> {
    let app = &target.access.app;
    let schema = &target.expected.schema;
    let plain = ConnInfo { options: app.options.without("search_path"), ..app.clone() };
    let with_path = || ConnInfo {
        options: plain.options.with("search_path", &pg_schema::ddl::search_path(schema)),
        ..plain.clone()
    };
    if with_options {
        return Ok(with_path());
    }
    let _patience = target.patience(context);
    match connect_within(&plain, context.wait) {
        Ok(mut session) => {
            let row = pg_schema::query_one(&mut session, "SELECT pg_catalog.current_schema()::text", &[])?;
            let leads_home = row.get::<_, Option<String>>(0).as_deref() == Some(schema.as_str());
            Ok(if leads_home { plain } else { with_path() })
        }
        Err(error) if error.is_refusal() => {
            context.terminal.warn(&format!("{error}\n  help: cargo xtask db-setup"));
            Ok(with_path())
        }
        Err(error) => Err(target.explain(error)),
    }
}
