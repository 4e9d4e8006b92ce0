//! What must be settled before anything moves.

use pg_config::{Identifier, Session};

use super::{Finding, Locks, Way, grants::SchemaState, item::Item};
use crate::{query::query, sql_error::SqlError};

/// Publications of the whole schema.
pub(super) fn publications(
    session: &mut Session,
    version: i32,
    schema: &Identifier,
    is_superuser: bool,
    in_the_way: &mut Vec<Finding>,
) -> Result<Vec<Identifier>, SqlError> {
    if version < 150_000 {
        return Ok(Vec::new());
    }
    let rows = query(session, include_str!("../sql/relocate/publications.sql"), &[schema.as_str()])?;
    let names: Vec<_> = rows.iter().map(|row| crate::facts::name(row, "name")).collect();
    if let Some(name) = names.first().filter(|_| !is_superuser) {
        in_the_way.push(Finding {
            what: format!("publication {name} is of the whole schema {schema}, and only a superuser may change that"),
            help: "set ADMIN_DATABASE_URL to a superuser's connection".to_owned(),
        });
    }
    Ok(names)
}

/// Those that know the tables by their names.
pub(super) fn replication(
    session: &mut Session,
    from: &Identifier,
    publications: &[Identifier],
    in_the_way: &mut Vec<Finding>,
) -> Result<(), SqlError> {
    let of_schema = publications.iter().map(|name| format!("publication {name} of the schema"));
    let rows = query(session, include_str!("../sql/relocate/replication.sql"), &[from.as_str()])?;
    let others = rows.iter().map(|row| {
        let name = crate::facts::name(row, "name");
        let (what, detail): (&str, &str) = (row.get("what"), row.get("detail"));
        format!("{what} {} {detail}", name.as_str())
    });
    in_the_way.extend(of_schema.chain(others).map(|what| Finding {
        what: format!("{what}: the other side knows the tables as {from}.…, and would stop at the first change"),
        help: "move there too, at the same time, and add --move-publications".to_owned(),
    }));
    Ok(())
}

/// Event triggers, which run by our statements, and prepared transactions, which no time-out ends.
pub(super) fn others(
    session: &mut Session,
    way: Way,
    in_the_way: &mut Vec<Finding>,
    warnings: &mut Vec<String>,
) -> Result<(), SqlError> {
    for row in query(session, include_str!("../sql/relocate/others.sql"), &[])? {
        let [what, name, detail] = ["what", "name", "detail"].map(|column| row.get::<_, String>(column));
        let literal = pg_config::Literal(&name);
        if what == "event trigger" {
            let name = Identifier::from_catalog(&name);
            warnings.push(format!("event trigger {name} ({detail}) runs by the statements of the move"));
        } else if way == Way::Statements {
            in_the_way.push(Finding {
                what: format!("prepared transaction {literal} {detail} may hold locks until it is ended"),
                help: format!("COMMIT PREPARED {literal}; or ROLLBACK PREPARED {literal};"),
            });
        } else {
            warnings.push(format!("prepared transaction {literal} {detail} is not ended by the move"));
        }
    }
    Ok(())
}

/// What no statement can do here.
pub(super) fn refuse_statements(
    moves: &[Item],
    reached: &SchemaState,
    locks: Locks,
    per_transaction: i64,
    in_the_way: &mut Vec<Finding>,
) {
    let moved = || moves.iter().filter(|item| !item.follows);
    if let Some(item) = moved().find(|item| !item.is_movable) {
        let count = moved().filter(|item| !item.is_movable).count();
        in_the_way.push(Finding {
            what: format!(
                "{} belongs to {}, and so do {count} objects that this session may not move",
                item.described(),
                item.owner
            ),
            help: "set ADMIN_DATABASE_URL to a superuser's connection, or to one that may act as that role".to_owned(),
        });
    }
    for item in moved() {
        if let Some(reason) = item.is_immovable() {
            in_the_way.push(Finding {
                what: format!("{} cannot be moved: {reason}", item.described()),
                help: "drop it, or leave it out with --except".to_owned(),
            });
        }
    }
    if !reached.may_create {
        in_the_way.push(Finding {
            what: format!("this session may not create in schema {}", reached.name),
            help: "set ADMIN_DATABASE_URL to a superuser's connection".to_owned(),
        });
    }
    // Other sessions need some, too.
    if locks.needed + per_transaction > locks.of_server {
        let enough = (locks.needed + per_transaction) * per_transaction / locks.of_server.max(1) + per_transaction;
        in_the_way.push(Finding {
            what: format!(
                "it takes {} locks in one transaction, and the server can hold {}",
                locks.needed, locks.of_server
            ),
            help: format!("set max_locks_per_transaction = {enough} and restart the server"),
        });
    }
}
