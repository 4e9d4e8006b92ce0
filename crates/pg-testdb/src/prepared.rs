//! What is asked for each lease, planned once in each of the administrator's sessions: planning such a query costs more
//! than running it.

use pg_config::{Identifier, Literal, Session};
use pg_schema::{SqlError, execute_at_once};

/// Has a session know the statements; `proving` is the app's role, where a superuser's session of version 15 or newer
/// can prove anything about it.
pub(crate) fn prepare(session: &mut Session, proving: Option<&Identifier>) -> Result<(), SqlError> {
    let mut statements = vec![
        "SET plan_cache_mode = force_generic_plan".to_owned(),
        format!(
            "PREPARE pg_testdb_lease(int4, int4[], text, int4, int4, int4, text) AS {}",
            include_str!("sql/lease.sql")
        ),
        format!("PREPARE pg_testdb_sessions(name) AS {}", include_str!("sql/sessions.sql")),
    ];
    if let Some(role) = proving {
        let role = Literal(role.as_str()).to_string();
        // What made the template's statistics a proof may have changed since.
        let provable = include_str!("sql/provable.sql").replace("$1", &role);
        let state = include_str!("sql/state.sql").replace("$2", &role);
        statements.push(format!(
            "PREPARE pg_testdb_state(name) AS SELECT CASE WHEN ({provable}) THEN ({state}) END, w.* FROM ({}) w",
            include_str!("sql/writes.sql")
        ));
    }
    execute_at_once(session, &statements.join("; "))
}

/// Gives a place, a clone that waits, and whether the lock of a new one was to be had (`sql/lease.sql`).
pub(crate) fn lease(
    cap: i32,
    places: &[i32],
    [prefix, mark]: [&str; 2],
    [of_places, of_clones, fresh]: [i32; 3],
) -> String {
    let places: Vec<_> = places.iter().map(i32::to_string).collect();
    let [prefix, mark] = [prefix, mark].map(Literal);
    let places = places.join(",");
    format!("EXECUTE pg_testdb_lease({cap}, '{{{places}}}', {prefix}, {of_places}, {of_clones}, {fresh}, {mark})")
}

/// Counts who is in a database (`sql/sessions.sql`).
pub(crate) fn sessions(database: &Identifier) -> String {
    format!("EXECUTE pg_testdb_sessions({})", Literal(database.as_str()))
}

/// Gives the one text that must be the same when a clone comes back (`sql/state.sql`), and what was written in it
/// (`sql/writes.sql`).
pub(crate) fn state(database: &Identifier) -> String {
    format!("EXECUTE pg_testdb_state({})", Literal(database.as_str()))
}
