//! The further roles: made where they do not exist, given what they should have, and relieved of it when they are taken
//! out of the lists.

use pg_config::{Identifier, Session};

use super::{ProvisionError, cluster::Cluster, lazy_session::LazySession, run::Run};
use crate::{
    Expected, Facts, ddl,
    facts::further_roles,
    object::{Kind, Object},
    record::record_roles,
    schema_comment::GrantedRoles,
};

/// What the administrator runs in the maintenance database. A role that has more than it should is refused.
pub(super) fn plan(
    session: &mut Session,
    cluster: &Cluster,
    expected: &Expected,
) -> Result<Vec<String>, ProvisionError> {
    let mut statements = Vec::new();
    for role in further_roles::roles(session, expected)? {
        let why = match (role.is_superuser, role.is_member) {
            (true, _) => Some("it is a superuser".to_owned()),
            (_, true) => Some(format!("it is a member of {}, the app's role", expected.role)),
            _ => None,
        };
        if let Some(why) = why {
            return Err(ProvisionError::FurtherRole { role: role.name.to_string(), why });
        }
        if !role.exists && cluster.may_create_role {
            statements.push(ddl::create_further_role(&role.name));
        }
        if !role.connect && cluster.may_grant() && (role.exists || cluster.may_create_role) {
            statements.push(ddl::grant("CONNECT", &Object::named(Kind::Database, &expected.database), &role.name));
        }
    }
    Ok(statements)
}

/// Grants what is missing, in the schema and for what will be made there; and takes back what is no longer meant.
pub(super) fn assert(
    app: &mut Session,
    admin: &mut LazySession<'_>,
    cluster: &Cluster,
    facts: &Facts,
    expected: &Expected,
    run: &mut Run<'_>,
) -> Result<(), ProvisionError> {
    let Expected { schema, write_roles, read_roles, .. } = expected;
    let granted = facts.schema.as_ref().map(|schema| schema.remark.roles.clone()).unwrap_or_default();
    let now = GrantedRoles { write: write_roles.clone(), read: read_roles.clone() };
    // A name is written down before it is granted anything: whatever comes in between, it is known.
    if granted != now {
        record_roles(app, expected, &both(&granted, &now))?;
    }
    let is_own = facts.schema.as_ref().is_none_or(|schema| schema.is_own);
    for role in facts.further.roles.iter().filter(|role| role.exists && !role.usage) {
        let statement = ddl::grant("USAGE", &Object::named(Kind::Schema, schema), &role.name);
        run.may_by_either(is_own, app, admin, expected, &statement)?;
    }
    for (statement, is_apps) in facts.further.grants(expected, &facts.other_owners) {
        run.may_by_either(is_apps, app, admin, expected, &statement)?;
    }
    for default in &facts.further.defaults {
        let is_apps = default.creator == expected.role;
        if is_apps || cluster.acts_for(&default.creator, expected) {
            run.may_by_either(is_apps, app, admin, expected, &default.grant(schema))?;
        }
    }
    let left = run.left.len();
    for (statement, is_apps) in facts.further.revocations(expected, &facts.other_owners) {
        run.may_by_either(is_apps, app, admin, expected, &statement)?;
    }
    let kept = facts.further.former.iter().filter(|found| !found.is_ours).map(|found| {
        let (role, grantor) = (&found.role, &found.grantor);
        format!("role {role} keeps {}: role {grantor} granted it, and alone can take it back", found.describe())
    });
    run.warnings.extend(kept);
    // What could not be taken back is taken back by the next setup that may.
    if granted != now && run.left.len() == left {
        record_roles(app, expected, &now)?;
    }
    Ok(())
}

/// Both records as one: a name that was a writer is one until its rights are taken back.
fn both(granted: &GrantedRoles, now: &GrantedRoles) -> GrantedRoles {
    let union = |one: &[Identifier], other: &[Identifier]| {
        let mut all = one.to_vec();
        all.extend(other.iter().filter(|name| !one.contains(name)).cloned());
        all
    };
    GrantedRoles { write: union(&granted.write, &now.write), read: union(&granted.read, &now.read) }
}
