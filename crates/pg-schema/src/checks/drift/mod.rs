//! Whether what lies in the schema is what the migrations made.

use pg_config::Identifier;

use super::{Definition, Look, no_schema};
use crate::{
    Definitions, Difference, Expected,
    contents::{Book, Comparison, Recorded, Thing},
    record::may_record,
    report::{Check, Report, Status},
    schema_comment::SchemaComment,
    sql_error::SqlError,
};

const ID: &str = "drift";

pub(super) const CHECK: Definition = Definition { id: ID, explanation: include_str!("explain.md"), look };

fn look(look: &mut Look<'_>) -> Result<Check, SqlError> {
    let (facts, expected) = (look.facts, look.expected);
    let name = &expected.schema;
    let Some(schema) = &facts.schema else { return Ok(no_schema(ID, name)) };
    let skip = |reason: String| Ok(Check::skip(ID, reason));
    if !schema.is_own {
        return skip(format!("schema {name} belongs to {}: nothing is recorded in it", schema.owner));
    }
    if !SchemaComment::may_replace(schema.comment.as_deref()) {
        return skip(format!("the comment on schema {name} was not written by cargo xtask: nothing is recorded there"));
    }
    if !schema.usage || !schema.books.iter().all(Book::is_readable) {
        return skip(format!("the app's role may not read all of schema {name}: nothing was compared"));
    }
    if !may_record(schema) {
        return skip(format!(
            "type {name}.xtask_contents_record was not made by cargo xtask: nothing is recorded there"
        ));
    }
    let head = match &schema.recorded {
        Recorded::Contents(head) => head,
        Recorded::OtherFormat => {
            return skip("another version of cargo xtask recorded the contents: run cargo xtask db-migrate".to_owned());
        }
        Recorded::Nothing | Recorded::NotOurs => {
            return skip(format!("what the migrations made in {name} is not recorded: run cargo xtask db-migrate"));
        }
    };
    if head.is_unverified {
        return skip(
            "a run of the migrations began, and none was verified since: run cargo xtask db-migrate".to_owned(),
        );
    }
    if head.major != facts.major() {
        return skip(format!(
            "the contents were recorded on PostgreSQL {}: they are compared after the next cargo xtask db-migrate",
            head.major
        ));
    }
    let found = match Comparison::ask(look.session, &schema.books, expected)? {
        Comparison::Same => Difference::default(),
        Comparison::Differing(recorded, present) => recorded.compare(&present),
        Comparison::Locked(relation) => {
            let what = match relation {
                Some(relation) => format!("{name}.{}", Identifier::from_catalog(relation)),
                None => format!("a table of schema {name}"),
            };
            return skip(format!("another session has locked {what}: nothing was compared"));
        }
    };
    let mut check = judge(&found, expected);
    if head.digest != expected.digest && matches!(check.status, Status::Fail | Status::Warn) {
        check.status = Status::Warn;
        check.message = format!(
            "{}; the migration files changed too since: the app may have migrated itself; run cargo xtask db-migrate",
            check.message
        );
    }
    Ok(check)
}

/// What is missing or changed is a failure; what is additional, a warning, unless the project says that it may be there.
fn judge(found: &Difference, expected: &Expected) -> Check {
    let name = &expected.schema;
    let is_ignored = |thing: &Thing| {
        let (path, name) = (thing.path(), &thing.name);
        expected.drift_ignore.iter().any(|pattern| pattern.matches(&path) || pattern.matches(name))
    };
    let additional: Vec<_> = found.additional.iter().filter(|thing| !is_ignored(thing)).cloned().collect();
    let ignored = found.additional.len() - additional.len();
    let found = Difference { additional, ..found.clone() };
    let status = match (found.missing.is_empty() && found.changed.is_empty(), found.additional.is_empty()) {
        (true, true) => {
            let ignored =
                if ignored == 0 { String::new() } else { format!(", besides {ignored} that DB_DRIFT_IGNORE names") };
            return Check::pass(ID, format!("{name} holds what the migrations made, as it was recorded{ignored}"));
        }
        (true, false) => Status::Warn,
        (false, _) => Status::Fail,
    };
    let objects: Vec<_> = found.things().map(|thing| thing.object(name)).fold(Vec::new(), |mut all, object| {
        // The parts of a table stand together.
        if all.last() != Some(&object) {
            all.push(object);
        }
        all
    });
    Check::new(ID, status, format!("{name} {AS_RECORDED}{found}")).about(objects)
}

/// Puts into a report what was found when the contents were recorded.
pub(crate) fn note(report: &mut Report, found: &Difference, expected: &Expected) {
    if let Some(check) = report.check_mut(ID) {
        *check = judge(found, expected);
    }
}

/// Replaces in a report what was said of the record: the schema is compared with other definitions, and both are shown.
pub fn against(report: &mut Report, wanted: &Definitions, found: &Definitions, expected: &Expected) {
    let Some(check) = report.check_mut(ID) else { return };
    let difference = wanted.compare(found);
    let judged = judge(&difference, expected);
    let message = match difference.is_empty() {
        true => format!("{} holds what was named by --against", expected.schema),
        false => judged.message.replace(AS_RECORDED, AS_NAMED),
    };
    let versions = match wanted.major == found.major {
        true => String::new(),
        false => format!(
            "; they are of PostgreSQL {}, this is {}: the same may be worded otherwise",
            wanted.major, found.major
        ),
    };
    let definitions = wanted.beside(found, &difference);
    *check = Check { message: message + &versions, definitions, ..judged }.fixed_by_hand_as_app(wanted.towards(
        found,
        &difference,
        &expected.schema,
    ));
}

const AS_RECORDED: &str = "is not what the migrations made, as it was recorded: ";
const AS_NAMED: &str = "is not what was named by --against: ";
