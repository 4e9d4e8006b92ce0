//! Roles in whose name the server acts where the app uses its schema, and what they lack for it.

use std::collections::HashSet;

use pg_config::{Identifier, Session};

use super::{name, object, other_owners::OfOtherOwners};
use crate::{
    Expected, ddl,
    object::{Kind, Object},
    query::query,
    report::{Action, Fix},
    sql_error::SqlError,
};

/// Privileges that a role lacks in whose name the server acts.
#[derive(Clone, Debug)]
pub(crate) struct LackingOwner {
    /// The role.
    role: Identifier,
    /// What the server does in its name: a table that a foreign key looks into, a view or a function that is used.
    actor: Object,
    /// The foreign key's name.
    key: Option<Identifier>,
    /// The relation or the schema on which it lacks them.
    target: Object,
    /// The privileges, comma-separated.
    privileges: String,
    /// Whether the app is, or is a member of, the role: then the role decides anyway what the app runs.
    is_trusted: bool,
    /// Whether the app itself may grant them.
    pub(crate) is_apps: bool,
}

/// Reads them. What acts for an owner who is to change is left out: its new owner is the app.
pub(crate) fn read(
    session: &mut Session,
    expected: &Expected,
    others: &OfOtherOwners,
) -> Result<Vec<LackingOwner>, SqlError> {
    let names = [expected.schema.as_str(), expected.role.as_str()];
    let rows = query(session, include_str!("acting_owners.sql"), &names)?;
    let changing: HashSet<_> = others.owned.iter().map(Object::qualified).collect();
    let lacking = rows.iter().filter_map(|row| {
        let schema = name(row, "target_schema");
        let target = match row.get::<_, Option<&str>>("target_kind") {
            Some(kind) => Object {
                kind: Kind::from_letter(kind)?,
                schema: Some(schema),
                name: name(row, "target_name"),
                arguments: None,
                table: None,
                owner: None,
            },
            None => Object::named(Kind::Schema, &schema),
        };
        Some(LackingOwner {
            role: name(row, "role"),
            actor: object(row, &expected.schema)?,
            key: row.get::<_, Option<String>>("key").map(Identifier::from_catalog),
            target,
            privileges: row.get("privileges"),
            is_trusted: row.get("is_trusted"),
            is_apps: row.get("is_apps"),
        })
    });
    Ok(lacking.filter(|found| !changing.contains(&found.actor.qualified())).collect())
}

impl LackingOwner {
    /// What gives the role what it lacks. A person decides about what lies elsewhere, and about roles that the app has
    /// nothing to do with.
    pub(crate) fn fix(&self, expected: &Expected) -> Fix {
        let place = self.target.schema.as_ref().unwrap_or(&self.target.name);
        let statement = ddl::grant(&self.privileges, &self.target, &self.role);
        Fix { is_safe: self.is_trusted && *place == expected.schema, ..Fix::of(Action::GrantOwner, statement) }
    }

    /// What it is about.
    pub(crate) fn object(&self) -> Object {
        self.actor.clone()
    }

    /// `role team lacks USAGE on schema aura, and the foreign key …`.
    pub(crate) fn describe(&self) -> String {
        let Self { role, actor, target, privileges, .. } = self;
        let (kind, actor) = (actor.kind.as_str(), actor.qualified());
        let use_ = match (&self.key, self.actor.kind) {
            (Some(key), _) => format!("the server looks into {actor} as that role for the foreign key {key}"),
            (None, Kind::Routine) => format!("function {actor} runs as that role (SECURITY DEFINER)"),
            (None, _) => format!("{kind} {actor} reads as that role"),
        };
        format!("role {role} lacks {privileges} on {} {}, and {use_}", target.kind.as_str(), target.qualified())
    }
}
