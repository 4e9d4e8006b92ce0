//! Whether the app reaches its database, and may do there what it needs.

use super::Definition;
use crate::{
    Expected, Facts, ddl,
    object::{Kind, Object},
    report::{Action, Check, Fix},
};

const ID: &str = "database";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    let database = &expected.database;
    if facts.database.name != *database {
        return Check::fail(ID, format!("the connection leads to database {}, not to {database}", facts.database.name))
            .about([Object::named(Kind::Database, database)]);
    }
    if facts.role.is_read_only && !facts.in_recovery {
        let message = format!(
            "the transactions of role {} in database {database} are read-only unless they say otherwise \
             (default_transaction_read_only): no INSERT of the app's works",
            expected.role
        );
        return Check::fail(ID, message)
            .about([Object::named(Kind::Database, database)])
            .fixed_by_hand([ddl::set_read_write(&expected.role, database)]);
    }
    if facts.database.encoding != "UTF8" {
        let message = format!(
            "database {database} is encoded as {}, and cannot hold every text; make a new one as UTF8 and restore into it",
            facts.database.encoding
        );
        return Check::warn(ID, message).about([Object::named(Kind::Database, database)]);
    }
    let lacking = match (facts.role.may_create_schema, facts.role.may_create_temporary) {
        (true, true) => None,
        (false, true) => Some("schemas"),
        (true, false) => Some("temporary tables"),
        (false, false) => Some("schemas, and no temporary tables"),
    };
    // What is there works without it.
    if let Some(lacking) = lacking {
        let message = format!("role {} may create no {lacking} in database {database}", expected.role);
        return Check::warn(ID, message)
            .about([Object::named(Kind::Database, database)])
            .fixed_by([Fix::of(Action::GrantDatabase, ddl::grant_database(database, &expected.role))]);
    }
    if facts.role.owns_database && !facts.role.is_superuser {
        let role = &expected.role;
        let message = format!(
            "role {role} owns database {database}: nothing can keep it from dropping it, from changing its settings, or from \
             giving itself CREATE on public again; let an administrator own it"
        );
        let owner = expected.administrator.as_ref().filter(|administrator| *administrator != role);
        return Check::warn(ID, message)
            .about([Object::named(Kind::Database, database)])
            // What an owner may goes with the ownership.
            .fixed_by_hand(
                owner.into_iter().flat_map(|owner| {
                    [ddl::alter_database_owner(database, owner), ddl::grant_database(database, role)]
                }),
            );
    }
    Check::pass(ID, format!("database {database} is there, owned by {}", facts.database.owner))
}
