//! Whether the app has every privilege on its tables and views, sees their rows, and whether the owners in whose name the
//! server acts have theirs.

use std::collections::HashSet;

use super::{Definition, Look, more_than_one, no_schema};
use crate::{
    Expected, Facts, ddl,
    facts::{self, Lacking, LackingOwner},
    object::{Kind, Object},
    report::{Check, Status},
    sql_error::SqlError,
};

const ID: &str = "table-privileges";

pub(super) const CHECK: Definition = Definition {
    id: ID,
    explanation: include_str!("explain.md"),
    look: |look| Ok(judge(look.facts, &hidden(look)?, look.expected)),
};

/// Tables of which row-level security shows the app no row.
fn hidden(look: &mut Look<'_>) -> Result<Vec<Object>, SqlError> {
    if !look.facts.objects.has_row_security {
        return Ok(Vec::new());
    }
    let rows = look.query(include_str!("row_security.sql"))?;
    Ok(rows.iter().filter_map(|row| facts::object(row, &look.expected.schema)).collect())
}

fn judge(facts: &Facts, hidden: &[Object], expected: &Expected) -> Check {
    let check = lacking(ID, "table", facts, expected, |kind| kind != Kind::Sequence);
    let check = with_owners(check, &facts.lacking_owners, expected);
    match hidden.first() {
        Some(first) if check.status == Status::Pass => Check::warn(
            ID,
            format!(
                "role {} sees no row of {}: row-level security is on, and no policy lets it{}; CREATE POLICY, or DISABLE \
                 ROW LEVEL SECURITY",
                expected.role,
                first.qualified(),
                more_than_one(hidden.len(), "table")
            ),
        )
        .about(hidden.iter().cloned()),
        _ => check,
    }
}

/// Adds what roles lack in whose name the server acts.
fn with_owners(check: Check, lacking: &[LackingOwner], expected: &Expected) -> Check {
    let Some(first) = lacking.first() else { return check };
    let words = first.describe() + &more_than_one(lacking.len(), "privilege");
    let message = if check.status == Status::Fail { format!("{}; {words}", check.message) } else { words };
    // A schema is asked for by each object.
    let mut known: HashSet<_> = check.fix.iter().map(|fix| fix.statement.clone()).collect();
    let fixes = lacking.iter().map(|found| found.fix(expected)).filter(|fix| known.insert(fix.statement.clone()));
    let mut objects: Vec<_> = lacking.iter().map(LackingOwner::object).collect();
    objects.dedup();
    Check { message, status: Status::Fail, ..check }.about(objects).fixed_by(fixes)
}

/// Whether the role has every privilege on the relations of some kinds.
pub(super) fn lacking(
    id: &'static str,
    noun: &str,
    facts: &Facts,
    expected: &Expected,
    is_meant: fn(Kind) -> bool,
) -> Check {
    let role = &expected.role;
    if facts.schema.is_none() {
        return no_schema(id, &expected.schema);
    }
    let found: Vec<_> = facts.lacking.iter().filter(|found| is_meant(found.object.kind)).collect();
    let Some(Lacking { object: first, privileges }) = found.first() else {
        return Check::pass(id, format!("{role} has every privilege on every {noun} of {}", expected.schema));
    };
    let more = more_than_one(found.len(), noun);
    let objects: Vec<_> = found.iter().map(|found| found.object.clone()).collect();
    Check::fail(id, format!("role {role} lacks {privileges} on {}{more}", first.qualified()))
        .fixed_by(ddl::grant_all(&objects, &expected.schema, role))
        .about(objects)
}
