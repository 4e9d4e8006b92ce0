//! Whether the app logs in as its own role, and that role is bound by privileges.

use super::Definition;
use crate::{
    Expected, Facts,
    facts::{StoredSetting, stored_role, that_counts},
    object::{Kind, Object},
    report::Check,
};

const ID: &str = "role";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    let role = &expected.role;
    if facts.role.name != *role {
        let stored = stored_role(&facts.settings);
        let by = stored.map_or_else(String::new, |setting| format!(": {} is stored for it", shown(setting)));
        return Check::fail(ID, format!("the connection is role {}'s, not {role}'s{by}", facts.role.name))
            .about([Object::named(Kind::Role, role)])
            .fixed_by_hand(stored.map(|setting| setting.reset(expected)));
    }
    if facts.role.is_superuser {
        let message = format!(
            "role {role} is a superuser: no privilege and no row-level security binds it, so nothing keeps it from \
             creating in any schema, from any table of any database, or from the server's files; give the app a role of \
             its own"
        );
        return Check::warn(ID, message).about([Object::named(Kind::Role, role)]);
    }
    if let Some(off) = that_counts(&facts.settings, "row_security").filter(|setting| is_off(&setting.value)) {
        let message = format!(
            "role {role} logs in; {} is stored for it: a query of a table with row security fails, where a policy would \
             leave rows out",
            shown(off)
        );
        return Check::warn(ID, message).about([Object::named(Kind::Role, role)]).fixed_by_hand([off.reset(expected)]);
    }
    // A choice, which explains what others would not: a statement that was cancelled, say.
    let bounds = BOUNDS.iter().filter_map(|name| that_counts(&facts.settings, name)).map(shown).collect::<Vec<_>>();
    let bounds = if bounds.is_empty() { String::new() } else { format!("; stored for it: {}", bounds.join(", ")) };
    Check::pass(ID, format!("role {role} logs in{bounds}"))
}

/// Settings that end a statement, a transaction or a session.
const BOUNDS: [&str; 5] = [
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
];

fn shown(StoredSetting { layer, name, value, .. }: &StoredSetting) -> String {
    format!("{name} = {value} ({layer})")
}

/// As the server reads a boolean.
fn is_off(value: &str) -> bool {
    ["off", "false", "no", "0", "f", "n"].contains(&value.to_lowercase().as_str())
}
