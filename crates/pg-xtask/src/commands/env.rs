//! `db-env`: the app's connection as environment variables.

use pg_config::{Password, Project};
use pg_server::{Mode, shell_word};
use pg_workflow::Target;

use super::url::app_connection;
use crate::{cli::DbEnv, escape, invocation::Invocation, outcome::Outcome, terminal};

impl DbEnv {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Invocation::new(project, &self.common)?;
        let target = Target::find(&context, Mode::Find)?;
        let (addresses, app) = target.for_others(&context, app_connection(&context, &target, false)?);
        let url = ("DATABASE_URL", app.url_of(&addresses));
        let variables = [url].into_iter().chain(app.libpq_environment_of(&addresses));
        let lines: Vec<_> = variables
            .map(|(key, value)| match self.github {
                true => github_variable(key, &value),
                false => format!("export {key}={}", shell_word(&value)),
            })
            .collect();
        if self.github && context.environment.process("GITHUB_ACTIONS").is_some() {
            // The runner hides them in every later line of the log.
            for mask in masks(app.password.as_ref().map(Password::reveal), app.password_in_url().as_deref()) {
                terminal::to_stderr(&mask);
            }
        }
        context.terminal.print(&lines.join("\n"));
        Ok(Outcome::Well)
    }
}

/// The password as it is and as the URL has it, each a command to the runner, which undoes these escapes.
fn masks(password: Option<&str>, in_url: Option<&str>) -> Vec<String> {
    let mut secrets: Vec<&str> = password.into_iter().chain(in_url).collect();
    secrets.dedup();
    secrets.into_iter().map(|secret| format!("::add-mask::{}", escape::workflow_exactly(secret))).collect()
}

/// A variable of `$GITHUB_ENV`. A value of several lines stands between two lines of its own choice: else its second
/// line would be another variable.
fn github_variable(key: &str, value: &str) -> String {
    if !value.contains(['\n', '\r']) {
        return format!("{key}={value}");
    }
    let mut end = "END".to_owned();
    while value.contains(&end) {
        end.push('_');
    }
    format!("{key}<<{end}\n{value}\n{end}")
}

#[cfg(test)]
mod tests {
    use super::{github_variable, masks};

    #[test]
    fn masks_every_spelling_of_a_password() {
        assert_eq!(masks(Some("p/w"), Some("p%2Fw")), ["::add-mask::p/w", "::add-mask::p%252Fw"]);
        assert_eq!(masks(Some("pw"), Some("pw")), ["::add-mask::pw"]);
        assert!(masks(None, None).is_empty());
    }

    #[test]
    fn no_value_sets_another_variable() {
        assert_eq!(github_variable("A", "b=c"), "A=b=c");
        assert_eq!(github_variable("A", "b\nPATH=/x\nEND"), "A<<END_\nb\nPATH=/x\nEND\nEND_");
    }
}
