//! What would be moved, how, and what is in the way: from the catalog alone.

use pg_config::{Identifier, Session};
use thiserror::Error;

use super::{
    Finding, Locks, Request, Way, broken,
    grants::SchemaState,
    item::{Away, Item},
    obstacles::{others, publications, refuse_statements, replication},
    rename::{Extension, Rights, no_rename},
    replaced::{self, Collisions, Replaced},
    rewrite::{self, Rewrite},
    select::select,
    statements::{Parts, Statements, by_rename, by_statements},
    users::{User, users},
};
use crate::{Expected, Facts, query::query_one, sql_error::SqlError, transaction::in_transaction};

/// What would be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The schema that is left.
    pub from: Identifier,
    /// The app's schema.
    pub to: Identifier,
    /// How it is done.
    pub way: Way,
    /// Why not by the other way.
    pub why: String,
    /// What moves.
    pub moves: Vec<Item>,
    /// What stays, and why.
    pub stays: Vec<(Item, String)>,
    /// Empty tables that are dropped before.
    pub replaces: Vec<String>,
    /// Routines that are changed.
    pub rewrites: Vec<Rewrite>,
    /// What must be settled first.
    pub in_the_way: Vec<Finding>,
    /// What would break.
    pub breaks: Vec<Finding>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// Locks that one transaction would hold.
    pub locks: Locks,
    /// Whether both schemas have objects of one name: of these the app's own session counts the rows.
    pub collides: bool,
    /// Whether the session may not do it, and another one may.
    pub lacks_rights: bool,
    /// Roles that reached the objects before, and must reach them after. An empty name is PUBLIC.
    pub(super) users: Vec<String>,
    pub(super) replaced: Vec<Replaced>,
    pub(super) expressions: Vec<Finding>,
    pub(super) statements: Statements,
    pub(super) deadlock_timeout: u64,
}

/// Why there is no plan.
#[derive(Debug, Error)]
pub enum PlanError {
    /// There is no such schema.
    #[error(
        "schema {0} does not exist; nothing was moved\n  help: name the schema that holds the tables: --from SCHEMA"
    )]
    NoSchema(Identifier),
    /// Both are the same.
    #[error("schema {0} is the app's own already; nothing was moved\n  help: name another one: --from SCHEMA")]
    SameSchema(Identifier),
    /// The server's own.
    #[error("schema {0} is the server's own; nothing was moved")]
    SystemSchema(Identifier),
    /// A catalog query failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

impl Plan {
    /// Reads the catalog by the session that would move. The app's own session has read the facts.
    pub fn read(
        session: &mut Session,
        expected: &Expected,
        request: &Request,
        facts: Option<&Facts>,
    ) -> Result<Self, PlanError> {
        in_transaction(session, |session, _| Ok(Self::build(session, expected, request, facts, None)))?
    }

    /// The same in the transaction that moves: without what would lock tables to be read.
    pub(super) fn read_again(
        session: &mut Session,
        expected: &Expected,
        request: &Request,
        facts: Option<&Facts>,
        before: &Self,
    ) -> Result<Self, PlanError> {
        Self::build(session, expected, request, facts, Some(before))
    }

    fn build(
        session: &mut Session,
        expected: &Expected,
        request: &Request,
        facts: Option<&Facts>,
        before: Option<&Self>,
    ) -> Result<Self, PlanError> {
        let (from, to) = (&request.from, &expected.schema);
        refuse_name(from, to)?;
        let left = SchemaState::read(session, from)?.ok_or_else(|| PlanError::NoSchema(from.clone()))?;
        let reached = SchemaState::read(session, to)?.unwrap_or_else(|| to_be_made(expected));
        let items = Item::read_all(session, from, expected)?;
        let (moves, stays) = select(items, request);
        let row = query_one(session, include_str!("../sql/relocate/session.sql"), &[expected.role.as_str()])?;
        let version: i32 = row.get("version_number");
        let rights = Rights {
            is_superuser: row.get("is_superuser"),
            may_rename: version >= 150_000 && row.get("may_create_schema") && row.get("may_be_app"),
        };
        let extensions = Extension::read(session, from)?;
        let Collisions { replaced, mut in_the_way } = replaced::read(session, request, &moves, facts, expected)?;
        let collides = !replaced.is_empty() || !in_the_way.is_empty();
        let is_emptied = stays.iter().all(|(item, _)| item.extension.is_some());
        let publications = publications(session, version, from, rights.is_superuser, &mut in_the_way)?;
        let obstacle = no_rename(&left, &reached, is_emptied, &extensions, &rights);
        let (way, why) = match obstacle {
            None => (Way::Rename, "all that the schema holds moves, and no table is locked".to_owned()),
            Some(why) => (Way::Statements, format!("the schema cannot be renamed: {why}")),
        };
        let users = users(session, from, to, &moves)?;
        let needing: Vec<_> = users.iter().filter(|user| user.may_use && !user.may_use_other).map(User::role).collect();
        let here: Vec<_> =
            extensions.iter().filter(|extension| extension.is_here).map(|extension| extension.name.clone()).collect();
        let parts = Parts {
            from: &left,
            to: &reached,
            moves: &moves,
            extensions: &here,
            publications: &publications,
            users: &needing,
            is_emptied,
        };
        let statements = if way == Way::Rename { by_rename(&parts) } else { by_statements(&parts) };
        let locks = Locks {
            needed: if way == Way::Rename { 0 } else { moves.len().try_into().unwrap_or(i64::MAX) },
            of_server: row.get("locks"),
        };
        if way == Way::Statements {
            refuse_statements(&moves, &reached, locks, row.get("max_locks_per_transaction"), &mut in_the_way);
        }
        let mut warnings = Vec::new();
        others(session, way, &mut in_the_way, &mut warnings)?;
        if !request.move_publications {
            replication(session, from, &publications, &mut in_the_way)?;
        }
        let known = before.map(|before| &before.expressions);
        let Broken { rewrites, expressions, breaks, of_paths } =
            Broken::read(session, expected, request, &moves, known)?;
        warnings.extend(of_paths);
        if way == Way::Statements && !left.defaults.is_empty() && !left.may_set_defaults {
            warnings.push(format!("default privileges in {from} are another role's to copy: {to} does not have them"));
        }
        if from.as_str() == "public" && version < 150_000 && way == Way::Rename {
            warnings.push(
                "everyone may not create in public from now on; a dump that is restored later gives that right back: \
                 run cargo xtask db-setup after a restore"
                    .to_owned(),
            );
        }
        Ok(Self {
            from: from.clone(),
            to: to.clone(),
            way,
            why,
            replaces: replaced.iter().map(|table| format!("{to}.{}", table.name)).collect(),
            rewrites,
            in_the_way,
            breaks,
            warnings,
            locks,
            collides,
            lacks_rights: way == Way::Statements
                && (!reached.may_create || moves.iter().any(|item| !item.follows && !item.is_movable)),
            users: users.into_iter().filter(|user| user.may_use).map(|user| user.name).collect(),
            replaced,
            expressions,
            statements,
            deadlock_timeout: row.get::<_, i64>("deadlock_timeout").try_into().unwrap_or(1000),
            moves,
            stays,
        })
    }

    /// What would move if the same were done once more: what was made in the old schema meanwhile.
    pub fn newcomers(
        &self,
        session: &mut Session,
        expected: &Expected,
        request: &Request,
    ) -> Result<Vec<Item>, SqlError> {
        in_transaction(session, |session, _| Ok(select(Item::read_all(session, &self.from, expected)?, request).0))
    }

    /// The statements that are run, in order.
    pub fn statements(&self) -> Vec<String> {
        let drop = (!self.replaces.is_empty()).then(|| format!("DROP TABLE {}", self.replaces.join(", ")));
        drop.into_iter().chain(self.statements.all()).collect()
    }

    /// The statements that take it back.
    pub(super) fn undo(&self) -> Vec<String> {
        let back = self.rewrites.iter().flat_map(Rewrite::undo);
        self.statements.undo.iter().cloned().chain(back).collect()
    }

    /// What lies elsewhere once the move is done.
    pub(super) fn away(&self) -> Away<'_> {
        Away { keys: self.moves.iter().map(|item| item.key).collect(), schema: &self.to }
    }

    /// Whether something stands against it.
    pub fn is_refused(&self, request: &Request) -> bool {
        !self.in_the_way.is_empty() || !self.breaks.is_empty() && !request.allow_broken
    }
}

/// What would break, and the routines that are changed so that they do not.
struct Broken {
    rewrites: Vec<Rewrite>,
    /// Those of the rest that are read once: to read them locks tables.
    expressions: Vec<Finding>,
    breaks: Vec<Finding>,
    of_paths: Vec<String>,
}

impl Broken {
    fn read(
        session: &mut Session,
        expected: &Expected,
        request: &Request,
        moves: &[Item],
        known: Option<&Vec<Finding>>,
    ) -> Result<Self, SqlError> {
        let (rewrites, mut breaks) = rewrite::read(session, expected, request, moves)?;
        let expressions = match known {
            Some(known) => known.clone(),
            None => broken::expressions(session, request, moves)?,
        };
        breaks.extend(expressions.iter().cloned());
        let (settings, of_paths) = broken::settings(session, request, moves, expected)?;
        breaks.extend(settings);
        breaks.extend(broken::foreign_tables(session, request, moves)?);
        breaks.extend(broken::out_of_reach(session, request, expected)?);
        Ok(Self { rewrites, expressions, breaks, of_paths })
    }
}

fn refuse_name(from: &Identifier, to: &Identifier) -> Result<(), PlanError> {
    let name = from.as_str();
    if from == to {
        return Err(PlanError::SameSchema(to.clone()));
    }
    if name.starts_with("pg_") || name == "information_schema" {
        return Err(PlanError::SystemSchema(from.clone()));
    }
    Ok(())
}

/// What provisioning makes of a schema that is not there yet.
fn to_be_made(expected: &Expected) -> SchemaState {
    SchemaState {
        name: expected.schema.clone(),
        owner: expected.role.clone(),
        acl: None,
        defaults: Vec::new(),
        comment: None,
        has_objects: false,
        has_extension: false,
        is_special: false,
        is_own: true,
        may_create: true,
        may_set_defaults: true,
    }
}
