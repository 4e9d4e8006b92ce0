//! Whether what lies in the schema belongs to the app.

use super::{Definition, more_than_one, no_schema};
use crate::{
    Expected, Facts, ddl,
    facts::other_owners::OfOtherOwners,
    object::{Kind, Object},
    report::{Action, Check, Fix},
};

const ID: &str = "ownership";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    let (schema, role) = (&expected.schema, &expected.role);
    let Some(found) = &facts.schema else { return no_schema(ID, schema) };
    let OfOtherOwners { owned, children, .. } = &facts.other_owners;
    let first = owned.first().map(|object| (object, "it".to_owned()));
    let parent = |(object, parent)| (object, format!("{schema}.{parent}, from which it inherits"));
    if let Some((first, what)) = first.or_else(|| children.first().map(|(child, of)| parent((child, of)))) {
        let owner = first.owner.as_ref().map_or_else(String::new, ToString::to_string);
        let more = more_than_one(owned.len() + children.len(), "object");
        let (kind, name) = (first.kind.as_str(), first.qualified());
        return Check::fail(ID, format!("{kind} {name} belongs to {owner}, so {role} cannot alter {what}{more}"))
            .fixed_by(owned.iter().map(|object| Fix::of(Action::ChangeOwner, ddl::alter_owner(object, role))))
            .fixed_by_hand(children.iter().map(|(child, _)| ddl::alter_owner(child, role)))
            .about(owned.iter().cloned())
            .about(children.iter().map(|(child, _)| child.clone()));
    }
    if !found.is_own {
        return Check::warn(
            ID,
            format!(
                "schema {schema} belongs to {}: {role} can create in it, and cannot alter, drop or re-grant it",
                found.owner
            ),
        )
        .about([Object::named(Kind::Schema, schema)])
        .fixed_by([ddl::alter_schema_owner(schema, role)]);
    }
    if let Some((first, user)) = facts.other_owners.used_elsewhere.first() {
        let owner = first.owner.as_ref().map_or_else(String::new, ToString::to_string);
        let more = more_than_one(facts.other_owners.used_elsewhere.len(), "object");
        let message = format!(
            "{} {} belongs to {owner}, and {user} uses it, so it stays {owner}'s: as its owner {role} could decide what \
             others run there{more}; move it to a schema of its owner's",
            first.kind.as_str(),
            first.qualified()
        );
        return Check::warn(ID, message)
            .about(facts.other_owners.used_elsewhere.iter().map(|(object, _)| object.clone()));
    }
    if let Some(first) = facts.other_owners.definers.first() {
        let owner = first.owner.as_ref().map_or_else(String::new, ToString::to_string);
        let more = more_than_one(facts.other_owners.definers.len(), "function");
        let message = format!(
            "function {} runs with the rights of {owner}, its owner (SECURITY DEFINER), and {role} cannot alter it{more}; \
             given to {role} it would lose those rights",
            first.qualified()
        );
        return Check::warn(ID, message)
            .fixed_by_hand(facts.other_owners.definers.iter().map(|object| ddl::alter_owner(object, role)))
            .about(facts.other_owners.definers.iter().cloned());
    }
    Check::pass(ID, format!("everything in {schema} is {role}'s"))
}
