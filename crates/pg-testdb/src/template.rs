//! The database that all others are cloned from: made by the app's own migrations, verified, sealed.

use std::{
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use pg_config::{Identifier, Session, short_digest};
use pg_schema::{Administrator, Expected, Properties, Purpose, SqlError, Status, ddl, execute, query, query_one};
use pg_workflow::{Context, Target};
use postgres::error::SqlState;

use crate::{
    baseline::{Baseline, FORMAT},
    locks::{self, TEMPLATES, try_lock, unlock},
    mark::Mark,
    name::BaseName,
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
    pub(crate) baseline: Baseline,
    properties: OnceLock<Properties>,
}

impl Template {
    /// The digest that names a template: migration inputs, settings, server version.
    pub(crate) fn digest(context: &Context, target: &Target, content: Content, version: i32) -> String {
        let Expected { role, schema, extensions, write_roles, read_roles, digest, .. } = &target.expected;
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
        let names = |found: &[Identifier]| found.iter().map(Identifier::as_str).collect::<Vec<_>>().join(",");
        let parts = [
            FORMAT,
            &migrations,
            role.as_str(),
            schema.as_str(),
            &names(extensions),
            &names(write_roles),
            &names(read_roles),
            administrator.unwrap_or_default(),
            &version.to_string(),
        ];
        short_digest(parts.join("\0").as_bytes())
    }

    /// The template of this digest, if it is finished, and ours.
    pub(crate) fn find(
        session: &mut Session,
        (base, mark): (&BaseName, &Mark),
        digest: &str,
    ) -> anyhow::Result<Option<Self>> {
        let name = base.template(digest);
        let rows = query(session, include_str!("sql/template.sql"), &[name.as_str()])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let baseline = mark.details(row.get("remark"), &what(TEMPLATE, digest)).and_then(Baseline::parse);
        Ok(baseline.map(|baseline| Self { name, digest: digest.to_owned(), baseline, properties: OnceLock::new() }))
    }

    /// What a clone does not get by itself; read when one is made.
    pub(crate) fn properties(&self, session: &mut Session) -> Result<&Properties, SqlError> {
        if let Some(known) = self.properties.get() {
            return Ok(known);
        }
        let read = Properties::read(session, &self.name)?;
        Ok(self.properties.get_or_init(|| read))
    }

    /// Makes it, unless another process does: then that one is waited for.
    pub(crate) fn make(
        context: &Context,
        target: &Target,
        administrator: &Administrator,
        session: &mut Session,
        (base, mark): (&BaseName, &Mark),
        (content, digest): (Content, &str),
    ) -> anyhow::Result<Self> {
        let key = locks::of_digest(digest);
        let deadline = Instant::now() + PATIENCE;
        while !try_lock(session, TEMPLATES, key)? {
            if Instant::now() >= deadline {
                bail!(
                    "another process has been making the template of digest {digest} for {} s; see what it does: \
                     SELECT * FROM pg_stat_activity WHERE datname = '{}'",
                    PATIENCE.as_secs(),
                    base.building(digest).as_str()
                );
            }
            thread::sleep(Duration::from_millis(20));
            if let Some(made) = Self::find(session, (base, mark), digest)? {
                return Ok(made);
            }
        }
        let outcome = match Self::find(session, (base, mark), digest) {
            Ok(None) => build(context, target, administrator, session, (base, mark), (content, digest)),
            Ok(Some(made)) => Ok(made),
            Err(error) => Err(error),
        };
        // The session may be what is broken; its end frees the lock as well.
        let _ = unlock(session, TEMPLATES, key);
        outcome
    }
}

/// Drops what a process has left that was killed while it made a template.
pub(crate) fn abandon(
    session: &mut Session,
    administrator: &Administrator,
    (base, mark): (&BaseName, &Mark),
    digest: &str,
) -> anyhow::Result<()> {
    let key = locks::of_digest(digest);
    if !try_lock(session, TEMPLATES, key)? {
        return Ok(());
    }
    let outcome = mark.drop_marked(session, administrator, &base.building(digest), &what(BUILDING, digest));
    unlock(session, TEMPLATES, key)?;
    outcome.map(drop)
}

/// What the marks call a template that is finished, and one that is being made.
pub(crate) const TEMPLATE: &str = "template";
const BUILDING: &str = "building";

pub(crate) fn what(kind: &str, digest: &str) -> String {
    format!("{kind} {digest}")
}

/// How long another process may take: migrations can be slow, and a command that they are built by too.
const PATIENCE: Duration = Duration::from_secs(600);

fn build(
    context: &Context,
    target: &Target,
    administrator: &Administrator,
    session: &mut Session,
    (base, mark): (&BaseName, &Mark),
    (content, digest): (Content, &str),
) -> anyhow::Result<Template> {
    let building = base.building(digest);
    let being_built = what(BUILDING, digest);
    // What is there by this name, a run that was killed has left.
    mark.drop_marked(session, administrator, &building, &being_built)?;
    create_closed(session, mark, &building, &being_built)?;
    let target = target.of(building.clone());
    match content {
        Content::Migrated => {
            let (verdict, _) = pg_workflow::set_up(context, &target, PATIENCE)?;
            if !verdict.report.is_clean() {
                let failed = verdict.report.checks.iter().filter(|check| check.status == Status::Fail);
                let lines: Vec<_> = failed.map(|check| format!("\n  {}: {}", check.id, check.message)).collect();
                bail!("the template was made and does not verify:{}", lines.concat());
            }
        }
        Content::Empty => {
            let mut connections = pg_schema::open(&target.access, &target.expected, Purpose::Provision)?;
            connections.lock("test databases", PATIENCE, &mut |_| ())?;
            pg_schema::provision(&mut connections, &target.access, &target.expected, &mut |_| ())?;
        }
    }
    let baseline = look(context, &target, administrator, session, &building)?;
    let name = base.template(digest);
    execute(
        session,
        &format!(
            "{}; {}; {}; GRANT CONNECT, TEMPORARY ON DATABASE {name} TO PUBLIC; {}",
            ddl::rename_database(&building, &name),
            ddl::allow_connections(&name, false),
            ddl::limit_connections(&name, -1),
            ddl::comment_on_database(&name, Some(&format!("{}; {baseline}", mark.text(&what(TEMPLATE, digest)))))
        ),
    )?;
    Template::find(session, (base, mark), digest)?.context("the template was made and is not there")
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
                    "{comment}; REVOKE ALL ON DATABASE {database} FROM PUBLIC; {}; {}",
                    ddl::allow_connections(database, true),
                    ddl::limit_connections(database, -1)
                ),
            )
        }),
    }
}

/// What the setup has made. Nothing may change it from now on: the app's role is let in once more, to look by a
/// session of its own, as what the migrations have made must never be read with more rights than theirs.
fn look(
    context: &Context,
    target: &Target,
    administrator: &Administrator,
    session: &mut Session,
    building: &Identifier,
) -> anyhow::Result<Baseline> {
    let limit = |session: &mut Session, count| execute(session, &ddl::limit_connections(building, count));
    limit(session, 1)?;
    wait_for_sessions(session, building)?;
    if !Baseline::are_provable(session, target.expected.role.as_str())? {
        limit(session, 0)?;
        wait_for_sessions(session, building)?;
        return Ok(Baseline::default());
    }
    let mut own = pg_config::connect_within(&target.access.app, context.wait)?;
    limit(session, 0)?;
    let pid = query_one(&mut own, "SELECT pg_catalog.pg_backend_pid()", &[])?.get(0);
    if let Some(other) = others(session, building, pid)?.into_iter().next() {
        bail!("{}", entered(building, &other));
    }
    let mut inside = administrator.connect(building.as_str(), context.wait)?;
    let baseline = Baseline::read(&mut inside, &mut own, target.expected.role.as_str());
    let baseline = baseline.context("look at what the migrations have made")?;
    drop((inside, own));
    wait_for_sessions(session, building)?;
    Ok(baseline)
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
