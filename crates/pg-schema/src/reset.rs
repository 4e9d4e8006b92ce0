//! Replacing the app's database by a new one, without a moment at which its data are lost before the new one is complete:
//! it is put aside under another name, the new one is made under the true name, and the old one is dropped last.
//!
//! What was done is to be seen in the catalog alone, so that whatever a killed run has left, the next one takes back or
//! finishes ([`recover`]). Each step but the making of the new database is one transaction:
//!
//! ```text
//!                         aura_db                      aura_db_before_reset
//! close                   marked, takes no sessions
//! rename                                               marked, takes no sessions
//! make                    limit as the mark            the same
//! finish                  complete                     marked as replaced
//! drop                    complete
//! ```

use std::{
    thread,
    time::{Duration, Instant},
};

use pg_config::{Identifier, Literal, Session, short_digest};
use postgres::{Row, error::SqlState};
use thiserror::Error;

use crate::{
    Access, Connections, Expected, Properties, ddl,
    query::{SqlError, execute, query},
};

/// Why the database was not replaced.
#[derive(Debug, Error)]
pub enum ResetError {
    /// Every server has databases of its own.
    #[error("database {0} is the server's own, and never dropped; name the app's with DB_NAME or DATABASE_URL")]
    ServersOwn(String),
    /// Something would refuse, or would be lost without a word.
    #[error("database {database} cannot be replaced{what}\n  nothing was changed\n  help: {help}")]
    Blocked {
        /// The database, quoted.
        database: String,
        /// What is in the way, a line each.
        what: String,
        /// What to do.
        help: String,
    },
    /// The name of the database put aside is taken.
    #[error(
        "database {0} is there already: a reset puts the old database aside by that name; nothing was changed\n  help: give it another name: ALTER DATABASE {0} RENAME TO …;"
    )]
    NameTaken(Identifier),
    /// A statement failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// What an interrupted reset had left, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// It had left nothing.
    Nothing,
    /// The database from before is back under its name.
    Back,
    /// The new database is complete, and the one from before is gone.
    Finished,
    /// Something is left: what, and what to do about it.
    Left(String),
}

/// The database from before, put aside.
pub struct Aside {
    name: Identifier,
    comment: Option<String>,
    connection_limit: i32,
}

impl Aside {
    /// What it is called meanwhile.
    pub fn name(&self) -> &Identifier {
        &self.name
    }
}

/// Refuses the databases that every server has of its own.
pub fn refuse_servers_own(expected: &Expected) -> Result<(), ResetError> {
    if ["postgres", "template0", "template1"].contains(&expected.database.as_str()) {
        return Err(ResetError::ServersOwn(expected.database.to_string()));
    }
    Ok(())
}

/// Looks for what would refuse, or would be lost without a word; changes nothing, and sends nobody away.
pub fn refuse_blocked(connections: &mut Connections, expected: &Expected) -> Result<(), ResetError> {
    let database = &expected.database;
    let session = &mut connections.maintenance;
    let name = ddl::set_aside_name(database);
    if !query(session, "SELECT FROM pg_catalog.pg_database WHERE datname = $1", &[name.as_str()])?.is_empty() {
        return Err(ResetError::NameTaken(name));
    }
    let (mut what, mut help) = (String::new(), Vec::new());
    for row in query(session, include_str!("sql/reset_blockers.sql"), &[database.as_str()])? {
        let (kind, name, detail): (&str, &str, &str) = (row.get("what"), row.get("name"), row.get("detail"));
        let (quoted, literal) = (Identifier::from_catalog(name), Literal(name));
        if kind == "owner" {
            what +=
                &format!(": role {} may not make a database of its owner {quoted}", Identifier::from_catalog(detail));
            help.push(format!("set ADMIN_DATABASE_URL to a connection of {quoted} or of a superuser"));
            continue;
        }
        what += &format!("\n  {kind} {quoted}: {detail}");
        help.push(match kind {
            "prepared transaction" => {
                format!("in {database}: COMMIT PREPARED {literal}; or ROLLBACK PREPARED {literal};")
            }
            "replication slot" => format!("if its reader is gone: SELECT pg_drop_replication_slot({literal});"),
            "subscription" => format!("in {database}: DROP SUBSCRIPTION {quoted};"),
            _ => format!("ALTER DATABASE {database} IS_TEMPLATE false;"),
        });
    }
    if let Some(app) = &mut connections.app
        && query(app, "SELECT pg_catalog.current_setting('default_transaction_read_only')", &[])?
            .first()
            .is_some_and(|row| row.get::<_, &str>(0) == "on")
    {
        what += "\n  default_transaction_read_only is on for the app's sessions: its migrations could write nothing";
        help.push(ddl::set_read_write(&expected.role, database) + ";");
    }
    if help.is_empty() {
        return Ok(());
    }
    Err(ResetError::Blocked { database: database.to_string(), what, help: help.join("\n        ") })
}

/// Drops a database whose files are missing or damaged: there is nothing in it to come back to, and up to 14 the server
/// makes no other one before it is gone, as its checkpoint fails.
pub fn drop_damaged(
    connections: &mut Connections,
    expected: &Expected,
    tell: &mut dyn FnMut(&str),
) -> Result<(), ResetError> {
    refuse_servers_own(expected)?;
    connections.leave();
    let session = &mut connections.maintenance;
    end_sessions(session, &expected.database)?;
    let statement = ddl::drop_database(&expected.database);
    execute(session, &statement)?;
    tell(&statement);
    Ok(())
}

/// Puts the app's database aside and makes a new, empty one of the same properties in its place; `None` where there is
/// none. Sessions are ended. An error in between is taken back by [`recover`].
///
/// The role stays: it belongs to the whole server, and so may other databases' objects.
pub fn set_aside(
    connections: &mut Connections,
    access: &Access,
    expected: &Expected,
    tell: &mut dyn FnMut(&str),
    warn: &mut dyn FnMut(&str),
) -> Result<Option<Aside>, ResetError> {
    refuse_servers_own(expected)?;
    connections.leave();
    let (database, session) = (&expected.database, &mut connections.maintenance);
    let rows = query(session, include_str!("sql/database.sql"), &[database.as_str()])?;
    let [old, template0] = rows.as_slice() else { return Ok(None) };
    let name = ddl::set_aside_name(database);
    let properties = Properties::read(session, database)?;
    let comment: Option<String> = old.get("comment");
    let mark = Mark { state: State::Aside, comment: comment.clone() };
    let close = format!("{}; {}", comment_on(database, Some(&mark.text(database))), allow(database, false));
    execute(session, &close)?;
    end_sessions(session, database)?;
    execute(session, &rename(database, &name))?;
    tell(&rename(database, &name));
    let create = format!("{} CONNECTION LIMIT {}", create(database, old, template0), building_limit(database));
    execute(session, &create)?;
    tell(&create);
    let owner = Identifier::from_catalog(old.get::<_, String>("owner"));
    let settings = properties.settings().iter().filter(|setting| {
        // Those that a setup makes, it makes: it writes down since when.
        let is_setups = setting.role == expected.role.as_str() || setting.role.is_empty();
        !(is_setups && setting.text == format!("search_path={}", ddl::search_path(&expected.schema)))
    });
    let of_app = settings.clone().filter(|setting| setting.role == expected.role.as_str());
    let of_others = settings.filter(|setting| setting.role != expected.role.as_str());
    let grants = match properties.has_usual_privileges(&owner, &expected.role) {
        true => Vec::new(),
        false => properties.grants(database, &owner),
    };
    let statements = grants.into_iter().chain(of_others.map(|setting| setting.statement(database)));
    for statement in statements {
        keep(session, &statement, tell, warn)?;
    }
    let of_app: Vec<_> = of_app.map(|setting| setting.statement(database)).collect();
    if !of_app.is_empty() {
        match connections.of_role(access, expected) {
            Ok(session) => of_app.iter().try_for_each(|statement| keep(session, statement, tell, warn))?,
            Err(error) => warn(&format!("the new database does not have this: {}: {error}", of_app.join("; "))),
        }
        connections.leave();
    }
    let limit = properties.connection_limit;
    // Of a reset that nothing is left of but this.
    let connection_limit = if limit == building_limit(database) { -1 } else { limit };
    Ok(Some(Aside { name, comment, connection_limit }))
}

/// The new database is complete: it takes over comment and limit, and the one from before is dropped. The warning that it
/// could not be dropped, if so.
pub fn finish(connections: &mut Connections, expected: &Expected, aside: &Aside) -> Result<Option<String>, ResetError> {
    let (database, session) = (&expected.database, &mut connections.maintenance);
    let mark = Mark { state: State::Replaced, comment: None };
    execute(
        session,
        &format!(
            "ALTER DATABASE {database} CONNECTION LIMIT {}; {}; {}",
            aside.connection_limit,
            comment_on(database, aside.comment.as_deref()),
            comment_on(&aside.name, Some(&mark.text(database)))
        ),
    )?;
    Ok(drop_replaced(session, database, &aside.name))
}

/// Looks for what an interrupted reset has left, under the setup's lock. Where the new database is not complete, the one
/// from before comes back; where it is, the one from before is dropped. What is not as a reset leaves it stays.
pub fn recover(
    connections: &mut Connections,
    expected: &Expected,
    tell: &mut dyn FnMut(&str),
) -> Result<Recovered, ResetError> {
    let (database, name) = (&expected.database, ddl::set_aside_name(&expected.database));
    if !connections.is_interrupted(expected)? {
        return Ok(Recovered::Nothing);
    }
    let session = &mut connections.maintenance;
    let rows = query(session, include_str!("sql/reset_states.sql"), &[database.as_str(), name.as_str()])?;
    let of = |is_apps: bool| rows.iter().find(|row| row.get::<_, bool>("is_apps") == is_apps);
    let marked = |row: &Row| Mark::read(row.get("comment"), database);
    let (apps, before) = (of(true), of(false).and_then(marked));
    let closed = apps.and_then(marked).filter(|mark| mark.state == State::Aside);
    let is_being_made = apps.is_some_and(|row| row.get::<_, i32>("datconnlimit") == building_limit(database));
    let reopen = |mark: &Mark| format!("{}; {}", comment_on(database, mark.comment.as_deref()), allow(database, true));
    match (apps, before) {
        (_, None) => {
            let Some(mark) = closed else { return Ok(Recovered::Nothing) };
            execute(session, &reopen(&mark))?;
        }
        (Some(_), Some(Mark { state: State::Replaced, .. })) => {
            let left = drop_replaced(session, database, &name);
            return Ok(left.map_or(Recovered::Finished, Recovered::Left));
        }
        (Some(_), Some(_)) if !is_being_made => {
            return Ok(Recovered::Left(format!(
                "database {name} is the one from before a db-reset that was interrupted, and database {database} was made \
                 since by others: both are left as they are\n  help: to have the one from before: DROP DATABASE {database}; \
                 and run cargo xtask db-setup\n        to keep the new one: DROP DATABASE {name};"
            )));
        }
        (apps, Some(mark)) => {
            if apps.is_some() {
                connections.leave();
                let session = &mut connections.maintenance;
                end_sessions(session, database)?;
                execute(session, &ddl::drop_database(database))?;
                tell(&ddl::drop_database(database));
            }
            let session = &mut connections.maintenance;
            execute(session, &format!("{}; {}", rename(&name, database), reopen(&mark)))?;
            tell(&rename(&name, database));
        }
    }
    Ok(Recovered::Back)
}

/// What a reset writes as the comment on the database from before: only its owner and superusers can.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    state: State,
    /// What the comment was.
    comment: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The new one is not complete.
    Aside,
    /// The new one is complete.
    Replaced,
}

impl Mark {
    fn text(&self, database: &Identifier) -> String {
        let state = match self.state {
            State::Aside => "from before a db-reset that is not finished",
            State::Replaced => "replaced by a db-reset, to be dropped",
        };
        let comment = self.comment.as_ref().map(|comment| format!("\n{comment}")).unwrap_or_default();
        format!("database {database}: {state}{comment}")
    }

    fn read(comment: Option<&str>, database: &Identifier) -> Option<Self> {
        [State::Aside, State::Replaced].into_iter().find_map(|state| {
            let rest = comment?.strip_prefix(&Self { state, comment: None }.text(database))?;
            let comment = if rest.is_empty() { None } else { Some(rest.strip_prefix('\n')?.to_owned()) };
            Some(Self { state, comment })
        })
    }
}

/// The connection limit that stands for a mark from the moment at which a database is made, as a comment cannot. It is as
/// good as none, and nobody sets such a one by chance.
pub fn marking_limit(mark: &str) -> i32 {
    (1 << 30) + i32::from_str_radix(&short_digest(mark.as_bytes())[..7], 16).unwrap_or_default()
}

/// Of a database that a reset makes and that is not complete.
fn building_limit(database: &Identifier) -> i32 {
    marking_limit(&format!("db-reset: {database}"))
}

fn comment_on(database: &Identifier, comment: Option<&str>) -> String {
    match comment {
        Some(comment) => format!("COMMENT ON DATABASE {database} IS {}", Literal(comment)),
        None => format!("COMMENT ON DATABASE {database} IS NULL"),
    }
}

fn allow(database: &Identifier, are_allowed: bool) -> String {
    format!("ALTER DATABASE {database} ALLOW_CONNECTIONS {are_allowed}")
}

fn rename(from: &Identifier, to: &Identifier) -> String {
    format!("ALTER DATABASE {from} RENAME TO {to}")
}

/// The statement that makes a database like another one: what is as in `template0` is left out.
fn create(database: &Identifier, old: &Row, template0: &Row) -> String {
    let text = |column: &str| old.get::<_, Option<String>>(column);
    let differs = |column: &str| text(column) != template0.get::<_, Option<String>>(column);
    let literal = |column: &str| Literal(&text(column).unwrap_or_default()).to_string();
    let name = |column: &str| Identifier::from_catalog(text(column).unwrap_or_default());
    let mut options = format!(" ENCODING {}", literal("encoding"));
    if ["encoding", "collate", "ctype", "provider", "locale", "rules"].into_iter().any(differs) {
        let provider = match text("provider").as_deref() {
            Some("i") => " LOCALE_PROVIDER icu",
            Some("b") => " LOCALE_PROVIDER builtin",
            Some(_) => " LOCALE_PROVIDER libc",
            // Before 15 there is no other.
            None => "",
        };
        options += &format!("{provider} LC_COLLATE {} LC_CTYPE {}", literal("collate"), literal("ctype"));
        if text("locale").is_some() {
            let keyword = if text("provider").as_deref() == Some("b") { "BUILTIN_LOCALE" } else { "ICU_LOCALE" };
            options += &format!(" {keyword} {}", literal("locale"));
        }
        if text("rules").is_some() {
            options += &format!(" ICU_RULES {}", literal("rules"));
        }
    }
    if differs("tablespace") {
        options += &format!(" TABLESPACE {}", name("tablespace"));
    }
    if text("owner") != text("administrator") {
        options = format!(" OWNER {}{options}", name("owner"));
    }
    format!("CREATE DATABASE {database}{options} TEMPLATE template0")
}

/// Gives the new database something that the old one had. What is refused is said, and is no reason to stop.
fn keep(
    session: &mut Session,
    statement: &str,
    tell: &mut dyn FnMut(&str),
    warn: &mut dyn FnMut(&str),
) -> Result<(), SqlError> {
    match execute(session, statement) {
        Ok(()) => tell(statement),
        Err(error) if error.is_final() => return Err(error),
        Err(error) => warn(&format!("the database from before had this, and the new one does not: {error}")),
    }
    Ok(())
}

fn drop_replaced(session: &mut Session, database: &Identifier, name: &Identifier) -> Option<String> {
    let dropped = end_sessions(session, name).and_then(|()| execute(session, &ddl::drop_database(name)));
    dropped.err().map(|error| {
        format!(
            "database {name} is what database {database} was before a db-reset, and could not be dropped: {error}\n  \
             help: the next db-setup or db-reset drops it; or run: DROP DATABASE {name};"
        )
    })
}

/// Ends every session of a database, and waits until they are gone: `WITH (FORCE)` polls each 100 ms.
///
/// An administrator who is no superuser may not end the app's sessions. Ours, just closed, are there for another
/// moment, so that no is an answer only when they stay. Autovacuum, which is nobody's, is ended by DROP DATABASE.
fn end_sessions(session: &mut Session, database: &Identifier) -> Result<(), SqlError> {
    let deadline = Instant::now() + Duration::from_secs(5);
    let sql = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
               WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL";
    loop {
        let ended = query(session, sql, &[database.as_str()]);
        let is_over = Instant::now() >= deadline;
        match ended {
            Ok(none) if none.is_empty() => return Ok(()),
            Ok(_) if is_over => return Ok(()),
            Err(error) if is_over || !error.is(&SqlState::INSUFFICIENT_PRIVILEGE) => return Err(error),
            Ok(_) | Err(_) => thread::sleep(Duration::from_millis(2)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_one_database_and_keeps_its_comment() {
        let database = Identifier::from_catalog("Shop");
        for comment in [None, Some("a\n\nb".to_owned())] {
            for state in [State::Aside, State::Replaced] {
                let mark = Mark { state, comment: comment.clone() };
                let text = mark.text(&database);
                assert_eq!(Mark::read(Some(&text), &Identifier::from_catalog("shop")), None);
                assert_eq!(Mark::read(Some(&text), &database), Some(mark));
            }
        }
        assert_eq!(Mark::read(Some("of a person"), &database), None);
        assert_eq!(Mark::read(None, &database), None);
    }
}
