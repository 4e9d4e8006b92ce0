//! `--save` and `--against`: the definitions of what lies in the schema, kept in a file or compared with others.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use pg_config::{Parameters, Surroundings, connect_within};
use pg_schema::{Definitions, Verdict};
use pg_workflow::Target;

use crate::{invocation::Invocation, report};

/// Writes those of the app's schema to a file.
pub(super) fn save(context: &Invocation, target: &Target, file: &Path) -> anyhow::Result<()> {
    let definitions = found(context, target)?;
    report::write_file(file, &definitions.to_text())?;
    context.terminal.say(&format!("wrote the definitions of schema {} to {}", target.expected.schema, file.display()));
    Ok(())
}

/// Compares the app's schema with that of another database, or of a file.
pub(super) fn compare(
    context: &Invocation,
    target: &Target,
    verdict: &mut Verdict,
    against: &str,
) -> anyhow::Result<()> {
    if verdict.facts.is_none() {
        return Ok(());
    }
    let wanted = match against.contains("://") || against.contains('=') {
        true => of_database(context, target, against)?,
        false => of_file(Path::new(against))?,
    };
    let found = found(context, target)?;
    pg_schema::against(&mut verdict.report, &wanted, &found, &target.expected);
    Ok(())
}

fn found(context: &Invocation, target: &Target) -> anyhow::Result<Definitions> {
    let mut session = connect_within(&target.access.app, context.wait)?;
    Ok(Definitions::read(&mut session, &target.expected)?)
}

fn of_file(file: &Path) -> anyhow::Result<Definitions> {
    let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    match Definitions::from_text(&text) {
        Some(definitions) => Ok(definitions),
        None => bail!(
            "{} was not written by db-verify --save\n  help: name such a file, or the connection string of a database",
            file.display()
        ),
    }
}

/// Whatever the environment says is of the app's own server.
fn of_database(context: &Invocation, target: &Target, url: &str) -> anyhow::Result<Definitions> {
    let around = Surroundings { variable: &|_| None, home: None };
    let candidates = Parameters::parse(url).and_then(|parameters| around.complete(parameters));
    let (candidates, _) = candidates.context("the connection string of --against")?;
    let (_, mut session) = candidates.connect(context.wait).context("connect to the database of --against")?;
    let definitions = Definitions::read(&mut session, &target.expected).context("read the database of --against")?;
    if definitions.is_empty() {
        bail!("the database of --against has nothing in schema {}", target.expected.schema);
    }
    Ok(definitions)
}
