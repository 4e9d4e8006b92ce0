//! The database that all others are cloned from: made by the app's own migrations, verified, sealed.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use pg_config::{Identifier, Literal, Session, short_digest};
use pg_schema::{Administrator, Expected, Purpose, SqlError, Status, execute, query, query_one};
use pg_setup::{Context, Target};

use crate::{
    clone::{Missing, drop_database},
    name::Stem,
    session::texts,
};

/// What a template holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// All that `db-setup` makes.
    Migrated,
    /// All of it but what the migrations make.
    Empty,
}

/// A template that is finished.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) name: Identifier,
    pub(crate) digest: String,
    /// What a clone does not get by itself.
    pub(crate) missing: Missing,
    pub(crate) facts: Facts,
}

/// What giving a clone back needs to know of how it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Whether the statistics see all that the app's role can do.
    pub(crate) is_provable: bool,
    /// The oids of the tables that may be emptied, parted by commas.
    pub(crate) emptied: String,
    /// Each sequence's oid, last value and whether that was handed out.
    pub(crate) sequences: Vec<(u32, i64, bool)>,
}

/// The first key of the locks under which templates are made; the second is the digest's.
const LOCK: i32 = 0x7465_6d70;

/// What goes into every digest, so that another version of this crate makes templates of its own.
const FORMAT: &str = "pg-testdb 1";

impl Template {
    /// The digest that names a template: migration inputs, settings, server version.
    pub(crate) fn digest(context: &Context, target: &Target, content: Content, version: i32) -> String {
        let Expected { role, schema, extensions, digest, .. } = &target.expected;
        let migrations = match (content, digest) {
            (Content::Empty, _) => "none".to_owned(),
            (Content::Migrated, Some(digest)) => digest.to_string(),
            // No inputs are named: nobody knows whether they changed since the last run.
            (Content::Migrated, None) => match context.environment.process("NEXTEST_RUN_ID") {
                Some(run) => format!("run {run}"),
                None => format!("process {} at {:?}", std::process::id(), std::time::SystemTime::now()),
            },
        };
        let administrator = target.access.administrator.as_ref().map(|found| found.connection.user.as_str());
        let extensions: Vec<_> = extensions.iter().map(Identifier::as_str).collect();
        let parts = [
            FORMAT,
            &migrations,
            role.as_str(),
            schema.as_str(),
            &extensions.join(","),
            administrator.unwrap_or_default(),
            &version.to_string(),
        ];
        short_digest(parts.join("\0").as_bytes())
    }

    /// The template of this digest, if it is finished.
    pub(crate) fn find(session: &mut Session, stem: &Stem, digest: &str) -> anyhow::Result<Option<Self>> {
        let name = stem.template(digest);
        let rows = query(session, include_str!("sql/template.sql"), &[name.as_str()])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let facts = row.get::<_, Option<String>>("remark").and_then(|remark| Facts::parse(&remark));
        Ok(facts.map(|facts| Self { name, digest: digest.to_owned(), missing: Missing::of(row), facts }))
    }

    /// Makes it, unless another process does: then that one is waited for.
    pub(crate) fn make(
        context: &Context,
        target: &Target,
        administrator: &Administrator,
        session: &mut Session,
        stem: &Stem,
        (content, digest): (Content, &str),
    ) -> anyhow::Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        while !lock(session, digest)? {
            if Instant::now() >= deadline {
                bail!(
                    "another process has been making the template of digest {digest} for {} s; see what it does: \
                     SELECT * FROM pg_stat_activity WHERE datname = '{}'",
                    PATIENCE.as_secs(),
                    stem.building(digest).as_str()
                );
            }
            thread::sleep(Duration::from_millis(20));
            if let Some(made) = Self::find(session, stem, digest)? {
                return Ok(made);
            }
        }
        let outcome = match Self::find(session, stem, digest) {
            Ok(None) => build(context, target, administrator, session, stem, (content, digest)),
            Ok(Some(made)) => Ok(made),
            Err(error) => Err(error),
        };
        // The session may be what is broken; its end frees the lock as well.
        let _ = unlock(session, digest);
        outcome
    }
}

/// Drops what a process has left that was killed while it made a template.
pub(crate) fn abandon(
    session: &mut Session,
    administrator: &Administrator,
    stem: &Stem,
    digest: &str,
) -> anyhow::Result<()> {
    if !lock(session, digest)? {
        return Ok(());
    }
    let outcome = drop_database(session, administrator, &stem.building(digest));
    unlock(session, digest)?;
    outcome
}

fn lock(session: &mut Session, digest: &str) -> anyhow::Result<bool> {
    Ok(query_one(session, &format!("SELECT pg_catalog.pg_try_advisory_lock({LOCK}, {})", key(digest)), &[])?.get(0))
}

fn unlock(session: &mut Session, digest: &str) -> Result<(), SqlError> {
    execute(session, &format!("SELECT pg_catalog.pg_advisory_unlock({LOCK}, {})", key(digest)))
}

/// Seven of the digest's twelve: as many as a positive number has.
fn key(digest: &str) -> i32 {
    i32::from_str_radix(&digest[..7], 16).unwrap_or_default()
}

/// How long another process may take: migrations can be slow, and a command that they are built by too.
const PATIENCE: Duration = Duration::from_secs(600);

fn build(
    context: &Context,
    target: &Target,
    administrator: &Administrator,
    session: &mut Session,
    stem: &Stem,
    (content, digest): (Content, &str),
) -> anyhow::Result<Template> {
    let building = stem.building(digest);
    // What is there by this name, a run that was killed has left.
    drop_database(session, administrator, &building)?;
    let target = target.of(building.clone());
    match content {
        Content::Migrated => {
            let verdict = pg_setup::set_up(context, &target, PATIENCE)?;
            if !verdict.report.is_clean() {
                let failed = verdict.report.checks.iter().filter(|check| check.status == Status::Fail);
                let lines: Vec<_> = failed.map(|check| format!("\n  {}: {}", check.id, check.message)).collect();
                bail!("the template was made and does not verify:{}", lines.concat());
            }
        }
        Content::Empty => {
            let mut connections = pg_schema::open(&target.access, &target.expected, Purpose::Provision)?;
            connections.lock(PATIENCE, &mut |_| ())?;
            pg_schema::provision(&mut connections, &target.access, &target.expected, &mut |_| ())?;
        }
    }
    // Whatever the command has left running is gone before it is looked at.
    wait_for_sessions(session, &building)?;
    let facts = {
        let mut inside = administrator.connect(building.as_str(), context.wait)?;
        Facts::read(&mut inside, target.expected.role.as_str()).context("look at what the migrations have made")?
    };
    wait_for_sessions(session, &building)?;
    let name = stem.template(digest);
    execute(
        session,
        &format!(
            "ALTER DATABASE {building} RENAME TO {name}; ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false; \
             COMMENT ON DATABASE {name} IS {}",
            Literal(&facts.to_string())
        ),
    )?;
    Template::find(session, stem, digest)?.context("the template was made and is not there")
}

/// Ours are closed, and gone in a moment; a database with a session cannot be renamed.
fn wait_for_sessions(session: &mut Session, database: &Identifier) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(5);
    let sql = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE datname = $1";
    while query_one(session, sql, &[database.as_str()])?.get::<_, i64>(0) > 0 && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

impl Facts {
    /// Reads them in the database itself, as administrator.
    fn read(inside: &mut Session, role: &str) -> anyhow::Result<Self> {
        let version: i32 = query_one(inside, "SELECT current_setting('server_version_num')::int4", &[])?.get(0);
        // Before 15 a collector has the statistics, and they come late.
        let is_provable =
            version >= 150_000 && query_one(inside, include_str!("sql/provable.sql"), &[role])?.get::<_, bool>(0);
        if !is_provable {
            return Ok(Self::default());
        }
        let row = query_one(inside, include_str!("sql/facts.sql"), &[])?;
        let tables: Vec<String> = row.get("tables");
        let (sequences, names): (Vec<String>, Vec<String>) = (row.get("sequences"), row.get("sequence_names"));
        let emptied = match tables.as_slice() {
            [] => String::new(),
            tables => {
                let names = tables.iter().map(|oid| format!("SELECT {oid}::pg_catalog.regclass::text"));
                let names = texts(inside, &names.collect::<Vec<_>>().join("; "))?;
                let cases = tables.iter().zip(names.into_iter().flatten());
                let cases = cases.map(|(oid, table)| {
                    format!("CASE WHEN EXISTS (SELECT FROM ONLY {table}) THEN NULL ELSE '{oid}' END")
                });
                // A call takes a hundred arguments, an array as many as there are.
                let cases = cases.collect::<Vec<_>>().join(", ");
                let sql = format!("SELECT pg_catalog.array_to_string(ARRAY[{cases}]::text[], ',')");
                query_one(inside, &sql, &[])?.get(0)
            }
        };
        let mut values = Vec::new();
        for (oid, name) in sequences.iter().zip(&names) {
            let row = query_one(inside, &format!("SELECT last_value, is_called FROM {name}"), &[])?;
            values.push((oid.parse().context("an oid")?, row.get(0), row.get(1)));
        }
        Ok(Self { is_provable, emptied, sequences: values })
    }

    /// Reads a remark of ours.
    fn parse(remark: &str) -> Option<Self> {
        let mut parts = remark.strip_prefix(FORMAT)?.split("; ").skip(1);
        let is_provable = parts.next()?.strip_prefix("provable=")? == "yes";
        let emptied = parts.next()?.strip_prefix("emptied=")?.to_owned();
        let sequences = parts.next()?.strip_prefix("sequences=")?.split(',').filter(|part| !part.is_empty());
        let sequences = sequences.map(|part| {
            let mut words = part.split(':');
            Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()? == "t"))
        });
        Some(Self { is_provable, emptied, sequences: sequences.collect::<Option<_>>()? })
    }
}

impl std::fmt::Display for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sequences: Vec<_> = self
            .sequences
            .iter()
            .map(|(oid, value, called)| format!("{oid}:{value}:{}", if *called { "t" } else { "f" }))
            .collect();
        let provable = if self.is_provable { "yes" } else { "no" };
        write!(f, "{FORMAT}; provable={provable}; emptied={}; sequences={}", self.emptied, sequences.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remarked_is_read() {
        let facts = Facts {
            is_provable: true,
            emptied: "16385,16390".to_owned(),
            sequences: vec![(16400, 1, false), (16401, -7, true)],
        };
        assert_eq!(Facts::parse(&facts.to_string()), Some(facts));
        assert_eq!(Facts::parse(&Facts::default().to_string()), Some(Facts::default()));
        assert_eq!(Facts::parse("somebody else's"), None);
    }
}
