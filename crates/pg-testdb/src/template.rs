//! The database that all others are cloned from: made by the app's own migrations, verified, sealed.

use std::{
    fmt,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use pg_config::{Identifier, Literal, Rights, Session, short_digest};
use pg_schema::{Administrator, Expected, Purpose, SqlError, Status, ddl, execute, query, query_one};
use pg_setup::{Context, Target};
use postgres::error::SqlState;

use crate::{clone::Missing, mark::Mark, name::Stem, session::texts};

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
    pub(crate) facts: Facts,
    missing: OnceLock<Missing>,
}

/// What giving a clone back needs to know of how it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Whether the statistics see all that the app's role can do.
    pub(crate) is_provable: bool,
    /// The tables that may be emptied.
    pub(crate) emptied: Vec<Emptied>,
    /// Each sequence's oid, last value and whether that was handed out.
    pub(crate) sequences: Vec<(u32, i64, bool)>,
}

/// A table without rows, of which rows may be taken out again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Emptied {
    pub(crate) oid: u32,
    /// Of its TOAST table; 0: it has none.
    pub(crate) toast: u32,
    /// With its schema's, quoted.
    pub(crate) name: String,
}

/// The first key of the locks under which templates are made; the second is the digest's.
const LOCK: i32 = 0x7465_6d70;

/// What goes into every digest, so that another version of this crate makes templates of its own.
const FORMAT: &str = "pg-testdb 4";

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

    /// The template of this digest, if it is finished, and ours.
    pub(crate) fn find(
        session: &mut Session,
        (stem, mark): (&Stem, &Mark),
        digest: &str,
    ) -> anyhow::Result<Option<Self>> {
        let name = stem.template(digest);
        let rows = query(session, include_str!("sql/template.sql"), &[name.as_str()])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let facts = mark.facts(row.get("remark"), &what(TEMPLATE, digest)).and_then(Facts::parse);
        Ok(facts.map(|facts| Self { name, digest: digest.to_owned(), facts, missing: OnceLock::new() }))
    }

    /// What a clone does not get by itself; read when one is made.
    pub(crate) fn missing(&self, session: &mut Session) -> Result<&Missing, SqlError> {
        if let Some(known) = self.missing.get() {
            return Ok(known);
        }
        let row = query_one(session, include_str!("sql/missing.sql"), &[self.name.as_str()])?;
        Ok(self.missing.get_or_init(|| Missing::of(&row)))
    }

    /// Makes it, unless another process does: then that one is waited for.
    pub(crate) fn make(
        context: &Context,
        target: &Target,
        administrator: &Administrator,
        session: &mut Session,
        (stem, mark): (&Stem, &Mark),
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
            if let Some(made) = Self::find(session, (stem, mark), digest)? {
                return Ok(made);
            }
        }
        let outcome = match Self::find(session, (stem, mark), digest) {
            Ok(None) => build(context, target, administrator, session, (stem, mark), (content, digest)),
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
    (stem, mark): (&Stem, &Mark),
    digest: &str,
) -> anyhow::Result<()> {
    if !lock(session, digest)? {
        return Ok(());
    }
    let outcome = mark.drop_marked(session, administrator, &stem.building(digest), &what(BUILDING, digest));
    unlock(session, digest)?;
    outcome.map(drop)
}

/// What the marks call a template that is finished, and one that is being made.
pub(crate) const TEMPLATE: &str = "template";
const BUILDING: &str = "building";

pub(crate) fn what(kind: &str, digest: &str) -> String {
    format!("{kind} {digest}")
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
    (stem, mark): (&Stem, &Mark),
    (content, digest): (Content, &str),
) -> anyhow::Result<Template> {
    let building = stem.building(digest);
    let being_built = what(BUILDING, digest);
    // What is there by this name, a run that was killed has left.
    mark.drop_marked(session, administrator, &building, &being_built)?;
    create_closed(session, mark, &building, &being_built)?;
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
    let facts = look(context, &target, session, &building)?;
    let name = stem.template(digest);
    execute(
        session,
        &format!(
            "ALTER DATABASE {building} RENAME TO {name}; \
             ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false CONNECTION LIMIT -1; \
             GRANT CONNECT, TEMPORARY ON DATABASE {name} TO PUBLIC; COMMENT ON DATABASE {name} IS {}",
            Literal(&format!("{}; {facts}", mark.text(&what(TEMPLATE, digest))))
        ),
    )?;
    Template::find(session, (stem, mark), digest)?.context("the template was made and is not there")
}

/// A database that is marked from the beginning, and that other roles than the administrator's may not enter: what they
/// would leave in it, each test would find. The setup lets the app's role in. Where we may not make it, the setup says
/// what is missing.
fn create_closed(session: &mut Session, mark: &Mark, database: &Identifier, what: &str) -> Result<(), SqlError> {
    let (create, limit) = (ddl::create_database(database), mark.limit(what));
    // No other statement may go with that one.
    match execute(session, &format!("{create} ALLOW_CONNECTIONS false{limit}")) {
        Err(error) if error.is(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(()),
        outcome => outcome.and_then(|()| {
            let comment = mark.statement(database, what);
            execute(
                session,
                &format!(
                    "{comment}; REVOKE ALL ON DATABASE {database} FROM PUBLIC; \
                     ALTER DATABASE {database} WITH ALLOW_CONNECTIONS true CONNECTION LIMIT -1"
                ),
            )
        }),
    }
}

/// What the setup has made. Nothing may change it from now on: the app's role is let in once more, to look by a
/// session of its own, as what the migrations have made must never be read with more rights than theirs.
fn look(context: &Context, target: &Target, session: &mut Session, building: &Identifier) -> anyhow::Result<Facts> {
    let limit = |session: &mut Session, count: u8| {
        execute(session, &format!("ALTER DATABASE {building} CONNECTION LIMIT {count}"))
    };
    limit(session, 1)?;
    wait_for_sessions(session, building)?;
    if !Facts::are_provable(session, target.expected.role.as_str())? {
        limit(session, 0)?;
        wait_for_sessions(session, building)?;
        return Ok(Facts::default());
    }
    let mut own = pg_config::connect_within(&target.access.app, context.wait)?;
    limit(session, 0)?;
    let pid = query_one(&mut own, "SELECT pg_catalog.pg_backend_pid()", &[])?.get(0);
    if let Some(other) = others(session, building, pid)?.into_iter().next() {
        bail!("{}", entered(building, &other));
    }
    let facts = Facts::read(&mut own).context("look at what the migrations have made")?;
    drop(own);
    wait_for_sessions(session, building)?;
    Ok(facts)
}

/// Ours are closed, and gone in a moment; what the migrate command has left running has a moment more. Whoever is still
/// in the database then may go on writing to it, so it can be no template.
fn wait_for_sessions(session: &mut Session, database: &Identifier) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let Some(other) = others(session, database, 0)?.into_iter().next() else { return Ok(()) };
        if Instant::now() >= deadline {
            bail!("{}", entered(database, &other));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// The sessions in a database but one, each in words.
fn others(session: &mut Session, database: &Identifier, but: i32) -> Result<Vec<String>, SqlError> {
    let sql = "SELECT pg_catalog.format('process %s of role %s%s', pid, usename, \
                      CASE WHEN application_name <> '' THEN pg_catalog.format(' (%s)', application_name) END) \
               FROM pg_catalog.pg_stat_activity \
               WHERE datname = $1 AND pid <> $2::pg_catalog.int4 AND usesysid IS NOT NULL ORDER BY pid";
    let rows = query(session, sql, &[database.as_str(), &but.to_string()])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

fn entered(database: &Identifier, other: &str) -> String {
    format!(
        "another session is in {database}, which is being made the template of the test databases: {other}; it could \
         change what each test begins with, so no template was made\n  help: end it, and see that the migrate command \
         ends its own"
    )
}

impl Facts {
    /// Whether an administrator's session can prove anything about the role.
    fn are_provable(session: &mut Session, role: &str) -> Result<bool, SqlError> {
        let version: i32 = query_one(session, "SELECT current_setting('server_version_num')::int4", &[])?.get(0);
        // Before 15 a collector has the statistics, and they come late.
        Ok(version >= 150_000 && query_one(session, include_str!("sql/provable.sql"), &[role])?.get::<_, bool>(0))
    }

    /// Reads them in the database itself, by a session of the app's own.
    fn read(inside: &mut Session) -> anyhow::Result<Self> {
        assert_eq!(inside.rights, Rights::App, "only the app's own session reads its tables");
        execute(inside, ddl::SAFE_PATH)?;
        let row = query_one(inside, include_str!("sql/facts.sql"), &[])?;
        if row.get("has_hidden_sequence") {
            return Ok(Self::default());
        }
        let (oids, toasts, names): (Vec<u32>, Vec<u32>, Vec<String>) =
            (row.get("tables"), row.get("toasts"), row.get("names"));
        let (sequences, sequence_names): (Vec<u32>, Vec<String>) = (row.get("sequences"), row.get("sequence_names"));
        // Each asks one table; a text of many statements is read at once.
        let ask: Vec<_> = names.iter().map(|name| format!("SELECT EXISTS (SELECT FROM ONLY {name})")).collect();
        let have_rows = texts(inside, &ask.join("; "))?;
        let tables = oids.into_iter().zip(toasts).zip(names).zip(have_rows);
        let empty = tables.filter(|((_, name), has_rows)| has_rows.as_deref() == Some("f") && !name.contains('\n'));
        let emptied = empty.map(|(((oid, toast), name), _)| Emptied { oid, toast, name }).collect();
        let mut values = Vec::new();
        for (oid, name) in sequences.into_iter().zip(&sequence_names) {
            let row = query_one(inside, &format!("SELECT last_value, is_called FROM {name}"), &[])?;
            values.push((oid, row.get(0), row.get(1)));
        }
        Ok(Self { is_provable: true, emptied, sequences: values })
    }

    /// Reads a remark of ours.
    fn parse(remark: &str) -> Option<Self> {
        let mut lines = remark.split('\n');
        let mut parts = lines.next()?.strip_prefix(FORMAT)?.split("; ").skip(1);
        let is_provable = parts.next()?.strip_prefix("provable=")? == "yes";
        let sequences = parts.next()?.strip_prefix("sequences=")?.split(',').filter(|part| !part.is_empty());
        let sequences = sequences.map(|part| {
            let mut words = part.split(':');
            Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()? == "t"))
        });
        let emptied = lines.map(|line| {
            let mut words = line.splitn(3, ' ');
            let (oid, toast) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            Some(Emptied { oid, toast, name: words.next()?.to_owned() })
        });
        Some(Self {
            is_provable,
            sequences: sequences.collect::<Option<_>>()?,
            emptied: emptied.collect::<Option<_>>()?,
        })
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sequences = self.sequences.iter().map(|(oid, value, called)| {
            let called = if *called { "t" } else { "f" };
            format!("{oid}:{value}:{called}")
        });
        let provable = if self.is_provable { "yes" } else { "no" };
        write!(f, "{FORMAT}; provable={provable}; sequences={}", sequences.collect::<Vec<_>>().join(","))?;
        self.emptied.iter().try_for_each(|Emptied { oid, toast, name }| write!(f, "\n{oid} {toast} {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remarked_is_read() {
        let facts = Facts {
            is_provable: true,
            emptied: vec![
                Emptied { oid: 16385, toast: 16388, name: "aura.\"a table\"".to_owned() },
                Emptied { oid: 16390, toast: 0, name: "aura.works".to_owned() },
            ],
            sequences: vec![(16400, 1, false), (16401, -7, true)],
        };
        assert_eq!(Facts::parse(&facts.to_string()), Some(facts));
        assert_eq!(Facts::parse(&Facts::default().to_string()), Some(Facts::default()));
        assert_eq!(Facts::parse("somebody else's"), None);
    }
}
