//! Whether the app may use what others will make in its schema.

use pg_config::Identifier;

use super::{Definition, no_schema};
use crate::{
    Expected, Facts, ddl,
    facts::Creator,
    object::{Kind, Object},
    probe::Probe,
    report::Check,
};

const ID: &str = "default-privileges";

pub(super) const CHECK: Definition = Definition {
    id: ID,
    explanation: include_str!("explain.md"),
    look: |look| Ok(judge(look.facts, look.probe, look.others, look.expected)),
};

fn judge(facts: &Facts, probe: &Probe, others: &[(Identifier, Probe)], expected: &Expected) -> Check {
    let (schema, role) = (&expected.schema, &expected.role);
    if facts.schema.is_none() {
        return no_schema(ID, schema);
    }
    // What was tried out beside what the catalog says.
    let is_unusable = |creator: &Creator| {
        let other = others.iter().find(|(role, _)| *role == creator.role).map(|(_, probe)| probe);
        let probe = if creator.is_app { Some(probe) } else { other };
        matches!(probe, Some(Probe::Landed { usable: false, .. }))
    };
    let (certain, likely): (Vec<_>, Vec<_>) = facts
        .creators
        .iter()
        .filter(|creator| !creator.tables || !creator.sequences || is_unusable(creator))
        .partition(|creator| creator.certain);
    let describe = |creators: &[&Creator]| {
        let names: Vec<_> = creators.iter().map(|creator| creator.role.to_string()).collect();
        format!("tables or sequences that {} will make in {schema} will not be {role}'s to use", names.join(", "))
    };
    let found = if certain.is_empty() { &likely } else { &certain };
    if found.is_empty() {
        let names: Vec<_> = facts.creators.iter().map(|creator| creator.role.to_string()).collect();
        return Check::pass(ID, format!("what {} will make in {schema} will be {role}'s to use", names.join(" or ")));
    }
    let check = if certain.is_empty() { Check::warn(ID, describe(found)) } else { Check::fail(ID, describe(found)) };
    check
        .about(found.iter().map(|creator| Object::named(Kind::Role, &creator.role)))
        .fixed_by(found.iter().flat_map(|creator| ddl::default_privileges(&creator.role, schema, role)))
}
