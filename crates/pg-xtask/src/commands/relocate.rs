//! `db-move`: moves what lies in another schema into the app's.

mod screen;

use std::time::Duration;

use anyhow::{Context as _, bail};
use pg_config::{Identifier, Project};
use pg_schema::MoveRequest;
use pg_server::Mode;
use pg_workflow::{MoveOptions, MoveOutcome, Target, relocate};

use self::screen::{json, text};
use crate::{
    cli::{DbMove, Format},
    invocation::Invocation,
    outcome::Outcome,
};

impl DbMove {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Invocation::new(project, &self.common)?;
        let options = self.options()?;
        let target = Target::find(&context, Mode::Find)?;
        self.check_guard(&target)?;
        let outcome = relocate(&context, &target, &options).map_err(|error| target.explain(error))?;
        if self.format == Format::Json {
            context.terminal.print(&json(&outcome, &target.expected.schema));
        } else {
            context.terminal.print(&text(&outcome, &options, context.terminal.is_verbose()));
        }
        Ok(match outcome {
            MoveOutcome::Planned(plan) if !plan.moves.is_empty() => Outcome::Found,
            _ => Outcome::Well,
        })
    }

    fn options(&self) -> anyhow::Result<MoveOptions> {
        let request = MoveRequest {
            from: Identifier::new(self.from.as_str()).context("--from")?,
            path: None,
            only: self.only.clone(),
            except: self.except.clone(),
            all_owners: self.all_owners,
            replace_empty: self.replace_empty,
            rewrite_functions: self.rewrite_functions,
            move_publications: self.move_publications,
            allow_broken: self.allow_broken,
        };
        Ok(MoveOptions {
            request,
            dry_run: self.dry_run,
            prepare: self.prepare,
            undo: self.undo.clone(),
            backup: self.backup.clone(),
            wait_for_sessions: self.wait_for_sessions.map(Duration::from_secs),
            tries: self.tries.max(1),
            lock_wait: Duration::from_secs(self.lock_wait),
        })
    }

    /// On a server that is not on this machine the server's name is repeated, and a dump is made or declined.
    fn check_guard(&self, target: &Target) -> anyhow::Result<()> {
        if self.dry_run || self.prepare || target.is_ours() || target.server.host.is_this_machine() {
            return Ok(());
        }
        let host = target.server.host.to_string();
        match self.host.as_deref() {
            Some(repeated) if repeated == host => {}
            Some(repeated) => bail!(
                "--host {repeated} is not the server's name, which is {host}; nothing was moved\n  help: --host {host}"
            ),
            None => bail!(
                "will not move anything on {host}: the server is not on this machine\n  help: repeat its name: --host {host}"
            ),
        }
        if self.backup.is_none() && !self.no_backup {
            bail!(
                "will not move anything on {host} without a dump\n  help: add --backup FILE\n  help: or, where there is a dump, --no-backup"
            );
        }
        Ok(())
    }
}
