//! The further roles of `DB_WRITE_ROLES` and `DB_READ_ROLES`: what they may do, and what those may still do that are
//! taken out.

use pg_config::{Identifier, Session};

use super::{Creator, name, object, other_owners::OfOtherOwners};
use crate::{
    Expected, ddl,
    object::{Kind, Object},
    query::query,
    schema_comment::GrantedRoles,
    sql_error::SqlError,
};

/// What there is of the further roles.
#[derive(Clone, Debug, Default)]
pub(crate) struct FurtherRoles {
    /// Each of them.
    pub(crate) roles: Vec<FurtherRole>,
    /// Relations on which one has less or more than it should.
    pub(crate) relations: Vec<FurtherPrivileges>,
    /// What one will lack on what others will make.
    pub(crate) defaults: Vec<FurtherDefault>,
    /// What stands in access lists for those that are taken out, or do not write any more.
    pub(crate) former: Vec<FormerGrant>,
}

/// A role of one of the lists.
#[derive(Clone, Debug)]
pub(crate) struct FurtherRole {
    pub(crate) name: Identifier,
    pub(crate) exists: bool,
    /// No privilege binds a superuser.
    pub(crate) is_superuser: bool,
    /// Whether it is a member of the app's role, and so has all that the app has.
    pub(crate) is_member: bool,
    pub(crate) connect: bool,
    pub(crate) usage: bool,
    pub(crate) create: bool,
}

/// What a role has on a relation that differs from what it should have.
#[derive(Clone, Debug)]
pub(crate) struct FurtherPrivileges {
    pub(crate) role: Identifier,
    pub(crate) relation: Object,
    /// Comma-separated.
    pub(crate) lacking: Option<String>,
    /// Comma-separated.
    pub(crate) excess: Option<String>,
    /// Whether the app itself may grant it.
    pub(crate) is_apps: bool,
}

/// What a role will lack on what another will make.
#[derive(Clone, Debug)]
pub(crate) struct FurtherDefault {
    pub(crate) role: Identifier,
    pub(crate) creator: Identifier,
    /// `TABLES` or `SEQUENCES`.
    objects: String,
    privileges: String,
}

/// An entry of an access list for a former role.
#[derive(Clone, Debug)]
pub(crate) struct FormerGrant {
    pub(crate) role: Identifier,
    /// On what: a relation, the schema, the database; none for default privileges.
    pub(crate) object: Option<Object>,
    /// Whose default privileges, and on what.
    creator: Option<(Identifier, &'static str)>,
    pub(crate) privileges: String,
    pub(crate) grantor: Identifier,
    /// Whether its owner granted it, or the app did.
    pub(crate) is_ours: bool,
    /// Whether the app itself may take it back.
    pub(crate) is_apps: bool,
}

/// Names as the queries take them. None of the configuration holds a line break.
pub(crate) fn lines<'a>(names: impl IntoIterator<Item = &'a Identifier>) -> String {
    let names = names.into_iter().map(Identifier::as_str).filter(|name| !name.contains('\n'));
    names.collect::<Vec<_>>().join("\n")
}

/// Reads all; `granted` is what an earlier setup has recorded.
pub(super) fn read(
    session: &mut Session,
    expected: &Expected,
    creators: &[Creator],
    granted: &GrantedRoles,
) -> Result<FurtherRoles, SqlError> {
    let Expected { role, schema, write_roles, read_roles, .. } = expected;
    let mut found = FurtherRoles::default();
    if write_roles.is_empty() && read_roles.is_empty() && granted.is_empty() {
        return Ok(found);
    }
    let (write, read) = (lines(write_roles), lines(read_roles));
    let (schema_name, app) = (schema.as_str(), role.as_str());
    found.roles = roles(session, expected)?;
    let rows = query(session, include_str!("further_privileges.sql"), &[schema_name, app, &write, &read])?;
    found.relations = rows
        .iter()
        .filter_map(|row| {
            Some(FurtherPrivileges {
                role: name(row, "role"),
                relation: object(row, schema)?,
                lacking: row.get("lacking"),
                excess: row.get("excess"),
                is_apps: row.get("is_apps"),
            })
        })
        .collect();
    let makers = lines(creators.iter().map(|creator| &creator.role));
    let rows = query(session, include_str!("further_defaults.sql"), &[schema_name, &makers, &write, &read])?;
    let default = |row| FurtherDefault {
        role: name(row, "role"),
        creator: name(row, "creator"),
        objects: row.get("objects"),
        privileges: row.get("privileges"),
    };
    found.defaults = rows.iter().map(default).collect();
    let gone = granted.write.iter().chain(&granted.read);
    let gone = lines(gone.filter(|name| !write_roles.contains(name) && !read_roles.contains(name)));
    let demoted = lines(granted.write.iter().filter(|name| read_roles.contains(name)));
    if !gone.is_empty() || !demoted.is_empty() {
        let rows = query(session, include_str!("further_grants.sql"), &[schema_name, app, &gone, &demoted])?;
        found.former = rows.iter().map(|row| former(row, schema)).collect();
    }
    Ok(found)
}

/// What each role is; asked in any database of the server.
pub(crate) fn roles(session: &mut Session, expected: &Expected) -> Result<Vec<FurtherRole>, SqlError> {
    let Expected { role, schema, database, write_roles, read_roles, .. } = expected;
    let names = lines(write_roles.iter().chain(read_roles));
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let parameters = [schema.as_str(), role.as_str(), database.as_str(), &names];
    let rows = query(session, include_str!("further_roles.sql"), &parameters)?;
    let role = |row| FurtherRole {
        name: name(row, "name"),
        exists: row.get("exists"),
        is_superuser: row.get("is_superuser"),
        is_member: row.get("is_member"),
        connect: row.get("connect"),
        usage: row.get("usage"),
        create: row.get("create"),
    };
    Ok(rows.iter().map(role).collect())
}

fn former(row: &postgres::Row, schema: &Identifier) -> FormerGrant {
    let place = match row.get("kind") {
        "schema" => Some(Object::named(Kind::Schema, &name(row, "name"))),
        "database" => Some(Object::named(Kind::Database, &name(row, "name"))),
        _ => object(row, schema),
    };
    let objects = if row.get::<_, &str>("class") == "sequence" { "SEQUENCES" } else { "TABLES" };
    FormerGrant {
        role: name(row, "role"),
        object: place,
        creator: row.get::<_, Option<String>>("creator").map(|name| (Identifier::from_catalog(name), objects)),
        privileges: row.get("privileges"),
        grantor: name(row, "grantor"),
        is_ours: row.get("is_ours"),
        is_apps: row.get("is_apps"),
    }
}

impl FurtherDefault {
    pub(crate) fn grant(&self, schema: &Identifier) -> String {
        ddl::grant_default(&self.creator, schema, &self.privileges, &self.objects, &self.role)
    }
}

impl FormerGrant {
    /// Takes back what default privileges say.
    fn revoke_default(&self, schema: &Identifier) -> Option<String> {
        let (creator, objects) = self.creator.as_ref()?;
        Some(ddl::revoke_default(creator, schema, &self.privileges, objects, &self.role))
    }

    /// `SELECT on table aura.notes`.
    pub(crate) fn describe(&self) -> String {
        let what = match (&self.object, &self.creator) {
            (Some(object), _) => format!("{} {}", object.kind.as_str(), object.qualified()),
            (None, Some((creator, objects))) => format!("{} that {creator} will make", objects.to_lowercase()),
            (None, None) => String::new(),
        };
        format!("{} on {what}", self.privileges)
    }
}

impl FurtherRoles {
    /// The statements that grant what is lacking on relations, each with whether the app itself may run it.
    pub(crate) fn grants(&self, expected: &Expected, others: &OfOtherOwners) -> Vec<(String, bool)> {
        let lacking = self
            .relations
            .iter()
            .filter_map(|found| Some((&found.role, &found.relation, found.lacking.as_deref()?, found.is_apps)));
        gathered(lacking, expected, others, ddl::grant, ddl::grant_on_all)
    }

    /// The same of those that take back what the owners granted.
    pub(crate) fn revocations(&self, expected: &Expected, others: &OfOtherOwners) -> Vec<(String, bool)> {
        let ours = || self.former.iter().filter(|found| found.is_ours);
        let on_objects = ours()
            .filter_map(|found| Some((&found.role, found.object.as_ref()?, found.privileges.as_str(), found.is_apps)));
        let defaults = ours().filter_map(|found| Some((found.revoke_default(&expected.schema)?, found.is_apps)));
        defaults.chain(gathered(on_objects, expected, others, ddl::revoke, ddl::revoke_on_all)).collect()
    }
}

/// A role, what it is about, the privileges, and whether the app itself may say so.
type Entry<'a> = (&'a Identifier, &'a Object, &'a str, bool);

/// A statement for each object; many relations of one kind are one statement, unless some of them are another owner's,
/// who alone may say so.
fn gathered<'a>(
    entries: impl Iterator<Item = Entry<'a>>,
    expected: &Expected,
    others: &OfOtherOwners,
    on_one: fn(&str, &Object, &Identifier) -> String,
    on_all: fn(&str, &str, &Identifier, &Identifier) -> String,
) -> Vec<(String, bool)> {
    const FEW: usize = 20;
    let mut groups: Vec<Vec<Entry<'a>>> = Vec::new();
    for entry @ (role, object, privileges, is_apps) in entries {
        let is_alike = |group: &&mut Vec<Entry<'a>>| {
            let (other, first, same, apps) = group[0];
            (other, first.grant_keyword(), same, apps) == (role, object.grant_keyword(), privileges, is_apps)
        };
        match groups.iter_mut().find(is_alike) {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    let are_ours = others.owned.is_empty() && others.used_elsewhere.is_empty();
    let statements = groups.into_iter().flat_map(|group| {
        let (role, first, privileges, is_apps) = group[0];
        let objects = format!("{}S", first.grant_keyword());
        match are_ours && group.len() > FEW {
            true => vec![(on_all(privileges, &objects, &expected.schema, role), is_apps)],
            false => group
                .iter()
                .map(|(role, object, privileges, is_apps)| (on_one(privileges, object, role), *is_apps))
                .collect(),
        }
    });
    statements.collect()
}
