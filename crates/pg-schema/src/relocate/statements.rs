//! The statements of both ways, and those that take them back: pure functions of what was read.

use std::collections::HashSet;

use pg_config::Identifier;

use super::{
    grants::{DefaultGrant, SchemaState, grantee},
    item::{Away, Item},
};
use crate::ddl;

/// What is run, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Statements {
    /// What waits for running queries of others, in any order: it is over, or given up, before any of them is kept waiting
    /// for long.
    pub(super) waiting: Vec<String>,
    /// Tables that are locked, each by a statement that waits, or all by one that does not.
    pub(super) locked: Vec<Table>,
    /// What no longer waits.
    pub(super) rest: Vec<String>,
    /// What takes it all back.
    pub(super) undo: Vec<String>,
}

impl Statements {
    /// All that is run.
    pub(super) fn all(&self) -> Vec<String> {
        let locks = lock_at_once(&self.locked).into_iter();
        self.waiting.iter().cloned().chain(locks).chain(self.rest.iter().cloned()).collect()
    }

    /// What waits, with a statement for each table.
    pub(super) fn waiting(&self) -> Vec<String> {
        self.waiting.iter().cloned().chain(self.locked.iter().map(Table::lock)).collect()
    }
}

/// A table that is locked as the statement does that moves it.
#[derive(Clone, Debug)]
pub(super) struct Table(String);

impl Table {
    fn of(item: &Item, schema: &Identifier) -> Self {
        Self(format!("ONLY {schema}.{}", item.name))
    }

    fn lock(&self) -> String {
        format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", self.0)
    }
}

/// Locks all of them.
pub(super) fn lock_at_once(tables: &[Table]) -> Option<String> {
    let names: Vec<_> = tables.iter().map(|Table(name)| name.as_str()).collect();
    (!names.is_empty()).then(|| format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", names.join(", ")))
}

/// What both ways are made of.
pub(super) struct Parts<'a> {
    pub(super) from: &'a SchemaState,
    pub(super) to: &'a SchemaState,
    /// Those that move.
    pub(super) moves: &'a [Item],
    /// Extensions that are taken back after the schema was renamed.
    pub(super) extensions: &'a [Identifier],
    /// Publications of the schema that is left.
    pub(super) publications: &'a [Identifier],
    /// Roles that may use the schema that is left, need the other one, and may not use it; none is PUBLIC.
    pub(super) users: &'a [Option<Identifier>],
    /// Whether nothing but members of extensions stays.
    pub(super) is_emptied: bool,
}

/// All at once: the schema gets another name, and a new one takes its old name where extensions need it, or everyone
/// expects it to be there.
pub(super) fn by_rename(parts: &Parts<'_>) -> Statements {
    let Parts { from, to, extensions, .. } = *parts;
    let is_made_again = !extensions.is_empty() || from.has_extension || from.name.as_str() == "public";
    let mut users = from.users();
    users.extend(parts.users.iter().cloned());
    let (to_after, from_after) = (to.usable_by(&users), from.closed());
    // What the old schema's owner could do is the new one's now.
    let renamed = SchemaState { owner: from.owner.clone(), acl: from.acl.clone(), ..to.clone() };
    let mut rest = vec![ddl::drop_schema(&to.name), ddl::rename_schema(&from.name, &to.name)];
    if is_made_again {
        rest.push(ddl::create_schema(&from.name));
        rest.extend(extensions.iter().map(|extension| set_extension_schema(extension, &from.name)));
        rest.extend(from_after.given(&fresh(from)));
    }
    rest.extend(to_after.given(&renamed));
    let added = without(&to.defaults, &from.defaults);
    rest.extend(added.iter().map(|grant| grant.grant(&to.name)));

    let mut undo: Vec<_> = Vec::new();
    if is_made_again {
        undo.extend(extensions.iter().map(|extension| set_extension_schema(extension, &to.name)));
        undo.push(ddl::drop_schema(&from.name));
    }
    undo.extend(added.iter().map(|grant| grant.revoke(&to.name)));
    undo.push(ddl::rename_schema(&to.name, &from.name));
    undo.extend(from.given(&to_after));
    undo.push(ddl::create_schema(&to.name));
    undo.extend(to.given(&fresh(to)));
    undo.extend(to.defaults.iter().map(|grant| grant.grant(&to.name)));
    Statements { waiting: Vec::new(), locked: Vec::new(), rest, undo }
}

/// One by one.
pub(super) fn by_statements(parts: &Parts<'_>) -> Statements {
    let Parts { from: left, to: reached, .. } = *parts;
    let (from, to) = (&left.name, &reached.name);
    let moved: Vec<_> = parts.moves.iter().filter(|item| !item.follows).collect();
    let (waiting, rest): (Vec<_>, Vec<_>) = moved.iter().copied().partition(|item| item.waits());
    let (tables, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|item| item.is_table());
    let mut away = Away { keys: HashSet::new(), schema: to };
    let mut set = |item: &Item| {
        let statement = item.set_schema(from, to, &away);
        away.keys.insert(item.key);
        statement
    };
    let first: Vec<_> = waiting.iter().map(|item| set(item)).collect();
    let locked = tables.iter().map(|table| Table::of(table, from)).collect();
    let mut rest: Vec<_> = tables.iter().chain(&others).map(|item| set(item)).collect();

    // Back in the same order: names of types are as they were, or as they are.
    let mut away = Away { keys: moved.iter().map(|item| item.key).collect(), schema: to };
    let order: Vec<_> = waiting.iter().chain(&tables).chain(&others).collect();
    let mut back = order.iter().map(|item| {
        let statement = item.set_schema(to, from, &away);
        away.keys.remove(&item.key);
        statement
    });
    let mut undo: Vec<_> = back.by_ref().collect();

    let users: Vec<_> = parts.users.iter().map(|role| grantee(role.as_ref())).collect();
    if !users.is_empty() {
        rest.push(format!("GRANT USAGE ON SCHEMA {to} TO {}", users.join(", ")));
        undo.push(format!("REVOKE USAGE ON SCHEMA {to} FROM {}", users.join(", ")));
    }
    if left.may_set_defaults {
        let copied = without(&left.defaults, &reached.defaults);
        rest.extend(copied.iter().map(|grant| grant.grant(to)));
        undo.extend(copied.iter().map(|grant| grant.revoke(to)));
    }
    for publication in parts.publications {
        rest.push(format!("ALTER PUBLICATION {publication} ADD TABLES IN SCHEMA {to}"));
        undo.push(format!("ALTER PUBLICATION {publication} DROP TABLES IN SCHEMA {to}"));
        if parts.is_emptied {
            rest.push(format!("ALTER PUBLICATION {publication} DROP TABLES IN SCHEMA {from}"));
            undo.push(format!("ALTER PUBLICATION {publication} ADD TABLES IN SCHEMA {from}"));
        }
    }
    if parts.is_emptied && from.as_str() == "public" && left.is_open() && left.is_own {
        rest.push(ddl::revoke_public_create(&["PUBLIC".to_owned()]));
        undo.push("GRANT CREATE ON SCHEMA public TO PUBLIC".to_owned());
    }
    Statements { waiting: first, locked, rest, undo }
}

fn set_extension_schema(extension: &Identifier, schema: &Identifier) -> String {
    format!("ALTER EXTENSION {extension} SET SCHEMA {schema}")
}

/// A schema of that name that was made a moment ago.
fn fresh(schema: &SchemaState) -> SchemaState {
    SchemaState { acl: None, ..schema.clone() }
}

/// Those of the first list that the second one has not.
fn without(list: &[DefaultGrant], other: &[DefaultGrant]) -> Vec<DefaultGrant> {
    list.iter().filter(|grant| !other.contains(grant)).cloned().collect()
}
