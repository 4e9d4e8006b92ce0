//! Whether what lies in the schema belongs to the app.

use super::{Definition, more_than_one, no_schema};
use crate::{
    Expected, Facts, ddl,
    object::{Kind, Object},
    report::{Action, Check, Fix},
};

const ID: &str = "ownership";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    let (schema, role) = (&expected.schema, &expected.role);
    let Some(found) = &facts.schema else { return no_schema(ID, schema) };
    if let Some(first) = facts.other_owners.owned.first() {
        let owner = first.owner.as_ref().map_or_else(String::new, ToString::to_string);
        let more = more_than_one(facts.other_owners.owned.len(), "object");
        return Check::fail(
            ID,
            format!(
                "{} {} belongs to {owner}, so {role} cannot alter it{more}",
                first.kind.as_str(),
                first.qualified()
            ),
        )
        .fixed_by(
            facts.other_owners.owned.iter().map(|object| Fix::of(Action::ChangeOwner, ddl::alter_owner(object, role))),
        )
        .about(facts.other_owners.owned.iter().cloned());
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
