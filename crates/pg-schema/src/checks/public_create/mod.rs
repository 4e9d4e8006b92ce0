//! Whether the app can create in `public`.

use pg_config::Identifier;

use super::Definition;
use crate::{
    Expected, Facts, ddl,
    object::{Kind, Object},
    report::Check,
};

const ID: &str = "public-create";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    let role = &expected.role;
    if !facts.public.create {
        return Check::pass(ID, format!("{role} cannot create in public"));
    }
    if facts.role.is_superuser {
        return Check::warn(ID, format!("{role} is a superuser, and can create in public whatever is revoked"));
    }
    let reason = if facts.role.owns_database { ": it owns the database" } else { "" };
    let check = Check::warn(
        ID,
        format!("{role} can create in public{reason}; nothing but the search_path keeps tables out of it"),
    )
    .about([Object::named(Kind::Schema, &Identifier::from_catalog("public"))]);
    let revoke = [ddl::revoke_public_create(&facts.public.creators)];
    // Another application may live there, and make its tables through the same grant.
    if facts.public_is_free() { check.fixed_by(revoke) } else { check.fixed_by_hand(revoke) }
}
