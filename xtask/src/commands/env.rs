//! `db-env`: the app's connection as environment variables.

use pg_config::{Password, Project};
use pg_server::Mode;

use super::url::app_connection;
use crate::{cli::DbEnv, context::Context, outcome::Outcome, server::Target, terminal};

impl DbEnv {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Context::new(project, &self.common)?;
        let target = Target::find(&context, Mode::Find)?;
        let app = app_connection(&context, &target, false)?;
        let variables = [("DATABASE_URL", app.url())].into_iter().chain(app.libpq_environment());
        let lines: Vec<_> = variables
            .map(|(key, value)| match self.github {
                true => format!("{key}={value}"),
                false => format!("export {key}={}", shell_quoted(&value)),
            })
            .collect();
        if self.github
            && context.environment.process("GITHUB_ACTIONS").is_some()
            && let Some(password) = &app.password
        {
            // The runner hides it in every later line of the log.
            terminal::to_stderr(&format!("::add-mask::{}", Password::reveal(password)));
        }
        context.terminal.print(&lines.join("\n"));
        Ok(Outcome::Well)
    }
}

/// A word of a POSIX shell.
fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::shell_quoted;

    #[test]
    fn quotes_for_a_shell() {
        assert_eq!(shell_quoted("a b"), "'a b'");
        assert_eq!(shell_quoted("it's $x"), r"'it'\''s $x'");
    }
}
