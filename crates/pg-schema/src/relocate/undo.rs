//! The script that takes a move back.

use super::{Way, plan::Plan};
use crate::ddl;

/// The whole script, for psql.
pub fn script(plan: &Plan, database: &str) -> String {
    let Plan { from, to, .. } = plan;
    let mut script = format!(
        "{}\n{}\n{}\n\\set ON_ERROR_STOP on\n",
        ddl::comment(&format!("takes back a move from schema {from} to {to} by cargo xtask db-move, all or nothing")),
        ddl::comment(&format!(
            "run it in database {database}, as the role that moved: psql -v ON_ERROR_STOP=1 -f FILE"
        )),
        match plan.way {
            Way::Rename => ddl::comment(&format!("what was made in {to} since then goes along")),
            Way::Statements => ddl::comment(&format!("what was made in {to} since then stays there")),
        },
    );
    if !plan.replaces.is_empty() {
        let words = format!("empty tables that were dropped are not made again: {}", plan.replaces.join(", "));
        script += &format!("{}\n", ddl::comment(&words));
    }
    script += &format!("BEGIN;\n{};\n", ddl::SAFE_PATH.replacen("SET", "SET LOCAL", 1));
    script += "SET LOCAL lock_timeout = '10s';\nSET LOCAL check_function_bodies = off;\n";
    for statement in plan.undo() {
        script += &format!("{statement};\n");
    }
    script + "COMMIT;\n"
}
