//! What several checks say of the further roles (`DB_WRITE_ROLES`, `DB_READ_ROLES`), each of its own matter.

use pg_config::Identifier;

use super::more_than_one;
use crate::{
    Expected, Facts, ddl,
    facts::further_roles::{FurtherRole, FurtherRoles},
    object::{Kind, Object},
    report::{Check, Fix, Status},
};

/// What is found of them, where a check has something of its own to say.
struct Finding {
    status: Status,
    message: String,
    objects: Vec<Object>,
    fixes: Vec<Fix>,
}

/// Adds to a check what it finds of the further roles.
pub(super) fn add(check: Check, facts: &Facts, expected: &Expected) -> Check {
    let further = &facts.further;
    if check.status == Status::Skip || further.roles.is_empty() && further.former.is_empty() {
        return check;
    }
    let found = match check.id {
        "role" => of_roles(facts, expected),
        "database" => {
            lacking(facts, |role| role.connect, "CONNECT", &Object::named(Kind::Database, &expected.database))
        }
        "schema-privileges" => {
            let schema = Object::named(Kind::Schema, &expected.schema);
            let mut found = lacking(facts, |role| role.usage, "USAGE", &schema);
            found.extend(makers(facts, &schema));
            found
        }
        "table-privileges" => {
            let mut found = of_relations(facts, expected, |kind| kind != Kind::Sequence);
            found.extend(of_former(facts, expected));
            found
        }
        "sequence-privileges" => of_relations(facts, expected, |kind| kind == Kind::Sequence),
        "default-privileges" => of_defaults(facts, expected),
        _ => Vec::new(),
    };
    found.into_iter().fold(check, |check, found| {
        let is_worse = found.status == Status::Fail && check.status != Status::Fail;
        let message = match (check.status, is_worse) {
            (Status::Pass, _) => found.message,
            (_, true) => format!("{}; {}", found.message, check.message),
            (_, false) => format!("{}; {}", check.message, found.message),
        };
        let status = if check.status == Status::Fail { Status::Fail } else { found.status };
        Check { message, status, ..check }.about(found.objects).fixed_by(found.fixes)
    })
}

/// Those that are there, and are what they should be.
fn usable(facts: &Facts) -> impl Iterator<Item = &FurtherRole> {
    facts.further.roles.iter().filter(|role| role.exists && !role.is_superuser && !role.is_member)
}

fn role_object(role: &FurtherRole) -> Object {
    Object::named(Kind::Role, &role.name)
}

fn by_hand(statement: String) -> Fix {
    Fix { is_safe: false, ..Fix::from(statement) }
}

fn of_roles(facts: &Facts, expected: &Expected) -> Vec<Finding> {
    let wrong = facts.further.roles.iter().filter_map(|role| {
        let name = &role.name;
        let (message, fixes) = match role {
            FurtherRole { exists: false, .. } => (
                format!("role {name} of DB_WRITE_ROLES or DB_READ_ROLES does not exist"),
                vec![Fix::from(ddl::create_further_role(name))],
            ),
            FurtherRole { is_superuser: true, .. } => (
                format!("role {name} of DB_WRITE_ROLES or DB_READ_ROLES is a superuser: no privilege binds it"),
                Vec::new(),
            ),
            FurtherRole { is_member: true, .. } => (
                format!(
                    "role {name} of DB_WRITE_ROLES or DB_READ_ROLES is a member of {}: it has all that the app has",
                    expected.role
                ),
                vec![by_hand(format!("REVOKE {} FROM {name}", expected.role))],
            ),
            _ => return None,
        };
        Some(Finding { status: Status::Fail, message, objects: vec![role_object(role)], fixes })
    });
    wrong.collect()
}

/// Those that lack a privilege on the database or the schema.
fn lacking(facts: &Facts, has: fn(&FurtherRole) -> bool, privilege: &str, on: &Object) -> Vec<Finding> {
    let lacking = usable(facts).filter(|role| !has(role)).map(|role| Finding {
        status: Status::Fail,
        message: format!("role {} lacks {privilege} on {} {}", role.name, on.kind.as_str(), on.qualified()),
        objects: vec![role_object(role)],
        fixes: vec![Fix::from(ddl::grant(privilege, on, &role.name))],
    });
    lacking.collect()
}

/// Those that may make something in the schema.
fn makers<'a>(facts: &'a Facts, schema: &'a Object) -> impl Iterator<Item = Finding> + 'a {
    usable(facts).filter(|role| role.create).map(|role| Finding {
        status: Status::Warn,
        message: format!("role {} may create in schema {}, which a further role should not", role.name, schema.name),
        objects: vec![role_object(role)],
        fixes: vec![by_hand(ddl::revoke("CREATE", schema, &role.name))],
    })
}

fn of_relations(facts: &Facts, expected: &Expected, is_meant: fn(Kind) -> bool) -> Vec<Finding> {
    let relations: Vec<_> =
        facts.further.relations.iter().filter(|found| is_meant(found.relation.kind)).cloned().collect();
    let meant = FurtherRoles { relations, ..FurtherRoles::default() };
    let relations = &meant.relations;
    let lacking: Vec<_> = relations.iter().filter(|found| found.lacking.is_some()).collect();
    let excess: Vec<_> = relations.iter().filter(|found| found.excess.is_some()).collect();
    let mut findings = Vec::new();
    if let Some(first) = lacking.first() {
        let privileges = first.lacking.as_deref().unwrap_or_default();
        let (role, name) = (&first.role, first.relation.qualified());
        findings.push(Finding {
            status: Status::Fail,
            message: format!("role {role} lacks {privileges} on {name}{}", more_than_one(lacking.len(), "relation")),
            objects: lacking.iter().map(|found| found.relation.clone()).collect(),
            fixes: meant.grants(expected, &facts.other_owners).into_iter().map(|(sql, _)| sql.into()).collect(),
        });
    }
    if let Some(first) = excess.first() {
        let privileges = first.excess.as_deref().unwrap_or_default();
        let (role, name) = (&first.role, first.relation.qualified());
        findings.push(Finding {
            status: Status::Warn,
            message: format!(
                "role {role} has {privileges} on {name}, which a further role should not{}",
                more_than_one(excess.len(), "relation")
            ),
            objects: excess.iter().map(|found| found.relation.clone()).collect(),
            fixes: excess
                .iter()
                .map(|found| {
                    let privileges = found.excess.as_deref().unwrap_or_default();
                    by_hand(ddl::revoke(privileges, &found.relation, &found.role))
                })
                .collect(),
        });
    }
    findings
}

/// What those may still do that were taken out of the lists.
fn of_former(facts: &Facts, expected: &Expected) -> Vec<Finding> {
    let former = &facts.further.former;
    let Some(first) = former.first() else { return Vec::new() };
    let revocations = facts.further.revocations(expected, &facts.other_owners);
    vec![Finding {
        status: Status::Warn,
        message: format!(
            "role {} keeps {}, which DB_WRITE_ROLES and DB_READ_ROLES no longer give it{}; cargo xtask db-setup takes it back",
            first.role,
            first.describe(),
            more_than_one(former.len(), "grant")
        ),
        objects: former.iter().filter_map(|found| found.object.clone()).collect(),
        fixes: revocations.into_iter().map(|(sql, _)| by_hand(sql)).collect(),
    }]
}

fn of_defaults(facts: &Facts, expected: &Expected) -> Vec<Finding> {
    let defaults = &facts.further.defaults;
    let Some(first) = defaults.first() else { return Vec::new() };
    let is_certain = |role: &Identifier| facts.creators.iter().any(|creator| creator.certain && creator.role == *role);
    vec![Finding {
        status: if defaults.iter().any(|found| is_certain(&found.creator)) { Status::Fail } else { Status::Warn },
        message: format!(
            "what {} will make in {} will not be role {}'s to use as it should{}",
            first.creator,
            expected.schema,
            first.role,
            more_than_one(defaults.len(), "privilege")
        ),
        objects: vec![Object::named(Kind::Role, &first.role)],
        fixes: defaults.iter().map(|found| found.grant(&expected.schema).into()).collect(),
    }]
}
