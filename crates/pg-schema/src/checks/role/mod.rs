//! Whether the app logs in as its own role, and that role is bound by privileges.

use super::Definition;
use crate::{
    Expected, Facts,
    object::{Kind, Object},
    report::Check,
};

const ID: &str = "role";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    let role = &expected.role;
    if facts.role.name != *role {
        return Check::fail(ID, format!("the connection is role {}'s, not {role}'s", facts.role.name))
            .about([Object::named(Kind::Role, role)]);
    }
    if facts.role.is_superuser {
        let message = format!(
            "role {role} is a superuser: no privilege and no row-level security binds it, so nothing keeps it from \
             creating in any schema, from any table of any database, or from the server's files; give the app a role of \
             its own"
        );
        return Check::warn(ID, message).about([Object::named(Kind::Role, role)]);
    }
    Check::pass(ID, format!("role {role} logs in"))
}
