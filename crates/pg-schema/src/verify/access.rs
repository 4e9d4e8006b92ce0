//! Who may do what: server, role, database, schema and the privileges on what lies in it.

use pg_config::Identifier;

use super::probe::Probe;
use crate::{
    Condition, Expected, Facts, ddl,
    object::{Kind, Object},
    report::{Check, Status},
};

pub(super) fn server(facts: &Facts) -> Check {
    let version = facts.version.split_whitespace().next().unwrap_or(&facts.version);
    if facts.version_number < 130_000 {
        return Check::fail("server", format!("PostgreSQL {version} is older than 13, the oldest that is supported"));
    }
    if facts.in_recovery {
        return Check::warn("server", format!("PostgreSQL {version} is a standby: it can be read, not written"));
    }
    Check::pass("server", format!("PostgreSQL {version} answers"))
}

pub(super) fn role(facts: &Facts, expected: &Expected) -> Check {
    let role = &expected.role;
    if facts.role != *role {
        return Check::fail("role", format!("the connection is role {}'s, not {role}'s", facts.role))
            .about([Object::named(Kind::Role, role)]);
    }
    if facts.is_superuser {
        let message = format!(
            "role {role} is a superuser: no privilege and no row-level security binds it, so nothing keeps it from \
             creating in any schema, from any table of any database, or from the server's files; give the app a role of \
             its own"
        );
        return Check::warn("role", message).about([Object::named(Kind::Role, role)]);
    }
    Check::pass("role", format!("role {role} logs in"))
}

pub(super) fn database(facts: &Facts, expected: &Expected) -> Check {
    let database = &expected.database;
    if facts.database != *database {
        return Check::fail(
            "database",
            format!("the connection leads to database {}, not to {database}", facts.database),
        )
        .about([Object::named(Kind::Database, database)]);
    }
    if facts.is_read_only && !facts.in_recovery {
        let message = format!(
            "the transactions of role {} in database {database} are read-only unless they say otherwise \
             (default_transaction_read_only): no INSERT of the app's works",
            expected.role
        );
        return Check::fail("database", message)
            .about([Object::named(Kind::Database, database)])
            .mended_by_hand([ddl::set_read_write(&expected.role, database)]);
    }
    if facts.encoding != "UTF8" {
        let message = format!(
            "database {database} is encoded as {}, and cannot hold every text; make a new one as UTF8 and restore into it",
            facts.encoding
        );
        return Check::warn("database", message).about([Object::named(Kind::Database, database)]);
    }
    let lacking = match (facts.may_create_schema, facts.may_create_temporary) {
        (true, true) => None,
        (false, true) => Some("schemas"),
        (true, false) => Some("temporary tables"),
        (false, false) => Some("schemas, and no temporary tables"),
    };
    // What is there works without it.
    if let Some(lacking) = lacking {
        let message = format!("role {} may create no {lacking} in database {database}", expected.role);
        return Check::warn("database", message)
            .about([Object::named(Kind::Database, database)])
            .mended_by([ddl::grant_database(database, &expected.role)]);
    }
    if facts.owns_database && !facts.is_superuser {
        let role = &expected.role;
        let message = format!(
            "role {role} owns database {database}: nothing can keep it from dropping it, from changing its settings, or from \
             giving itself CREATE on public again; let an administrator own it"
        );
        let owner = expected.administrator.as_ref().filter(|administrator| *administrator != role);
        return Check::warn("database", message)
            .about([Object::named(Kind::Database, database)])
            // What an owner may goes with the ownership.
            .mended_by_hand(
                owner.into_iter().flat_map(|owner| {
                    [ddl::alter_database_owner(database, owner), ddl::grant_database(database, role)]
                }),
            );
    }
    Check::pass("database", format!("database {database} is there, owned by {}", facts.database_owner))
}

pub(super) fn schema(facts: &Facts, expected: &Expected) -> Check {
    let schema = &expected.schema;
    match &facts.schema {
        Some(found) => Check::pass("schema", format!("schema {schema} is there, owned by {}", found.owner)),
        None if facts.table_elsewhere(expected).is_some() => {
            let elsewhere: Vec<_> =
                facts.tables_elsewhere(expected).filter_map(|found| found.object.schema.as_ref()).collect();
            let first = elsewhere[0];
            let message = format!(
                "schema {schema} does not exist, and {} of the app's tables lie elsewhere, in {first}: run neither db-setup nor the \
                 migrations, which would make empty ones beside them",
                elsewhere.len()
            );
            let check = Check::fail("schema", message).about([Object::named(Kind::Schema, schema)]);
            let is_one = elsewhere.iter().all(|name| *name == first) && first.as_str() != "public";
            check.mended_by_hand([match is_one {
                true => ddl::rename_schema(first, schema),
                false => ddl::create_schema_for(schema, &expected.role),
            }])
        }
        None => {
            let lacking = facts.creators.iter().filter(|creator| creator.certain && !creator.is_app);
            Check::fail(
                "schema",
                format!("schema {schema} does not exist in database {}: run cargo xtask db-setup", facts.database),
            )
            .about([Object::named(Kind::Schema, schema)])
            .mended_by([ddl::create_schema_for(schema, &expected.role)])
            .mended_by(lacking.flat_map(|creator| ddl::default_privileges(&creator.role, schema, &expected.role)))
        }
    }
}

pub(super) fn schema_privileges(facts: &Facts, expected: &Expected) -> Check {
    let (schema, role) = (&expected.schema, &expected.role);
    let Some(found) = &facts.schema else { return no_schema("schema-privileges", schema) };
    let lacking = match (found.usage, found.create) {
        (true, true) => return Check::pass("schema-privileges", format!("{role} may use and create in {schema}")),
        (false, false) => "neither use nor create in",
        (false, true) => "not use",
        (true, false) => "not create in",
    };
    Check::fail("schema-privileges", format!("role {role} may {lacking} schema {schema}"))
        .about([Object::named(Kind::Schema, schema)])
        .mended_by([ddl::grant_schema(schema, role)])
}

pub(super) fn table_privileges(facts: &Facts, condition: &Condition, expected: &Expected) -> Check {
    let id = "table-privileges";
    let check = lacking(id, "table", facts, expected, |kind| kind != Kind::Sequence);
    match condition.hidden.first() {
        Some(first) if check.status == Status::Pass => Check::warn(
            id,
            format!(
                "role {} sees no row of {}: row-level security is on, and no policy lets it{}; CREATE POLICY, or DISABLE \
                 ROW LEVEL SECURITY",
                expected.role,
                first.qualified(),
                more_than_one(condition.hidden.len(), "table")
            ),
        )
        .about(condition.hidden.iter().cloned()),
        _ => check,
    }
}

pub(super) fn sequence_privileges(facts: &Facts, expected: &Expected) -> Check {
    lacking("sequence-privileges", "sequence", facts, expected, |kind| kind == Kind::Sequence)
}

fn lacking(id: &'static str, noun: &str, facts: &Facts, expected: &Expected, is_meant: fn(Kind) -> bool) -> Check {
    let role = &expected.role;
    if facts.schema.is_none() {
        return no_schema(id, &expected.schema);
    }
    let found: Vec<_> = facts.lacking.iter().filter(|(object, _)| is_meant(object.kind)).collect();
    let Some((first, privileges)) = found.first() else {
        return Check::pass(id, format!("{role} has every privilege on every {noun} of {}", expected.schema));
    };
    let more = more_than_one(found.len(), noun);
    let objects: Vec<_> = found.iter().map(|(object, _)| object.clone()).collect();
    Check::fail(id, format!("role {role} lacks {privileges} on {}{more}", first.qualified()))
        .mended_by(ddl::grant_all(&objects, &expected.schema, role))
        .about(objects)
}

pub(super) fn default_privileges(
    facts: &Facts,
    probe: &Probe,
    others: &[(Identifier, Probe)],
    expected: &Expected,
) -> Check {
    let id = "default-privileges";
    let (schema, role) = (&expected.schema, &expected.role);
    if facts.schema.is_none() {
        return no_schema(id, schema);
    }
    // What was tried out beside what the catalog says.
    let is_unusable = |creator: &crate::Creator| {
        let other = others.iter().find(|(role, _)| *role == creator.role).map(|(_, probe)| probe);
        let probe = if creator.is_app { Some(probe) } else { other };
        matches!(probe, Some(Probe::Landed { usable: false, .. }))
    };
    let (certain, likely): (Vec<_>, Vec<_>) = facts
        .creators
        .iter()
        .filter(|creator| !creator.tables || !creator.sequences || is_unusable(creator))
        .partition(|creator| creator.certain);
    let describe = |creators: &[&crate::Creator]| {
        let names: Vec<_> = creators.iter().map(|creator| creator.role.to_string()).collect();
        format!("tables or sequences that {} will make in {schema} will not be {role}'s to use", names.join(", "))
    };
    let found = if certain.is_empty() { &likely } else { &certain };
    if found.is_empty() {
        let names: Vec<_> = facts.creators.iter().map(|creator| creator.role.to_string()).collect();
        return Check::pass(id, format!("what {} will make in {schema} will be {role}'s to use", names.join(" or ")));
    }
    let check = if certain.is_empty() { Check::warn(id, describe(found)) } else { Check::fail(id, describe(found)) };
    check
        .about(found.iter().map(|creator| Object::named(Kind::Role, &creator.role)))
        .mended_by(found.iter().flat_map(|creator| ddl::default_privileges(&creator.role, schema, role)))
}

pub(super) fn ownership(facts: &Facts, expected: &Expected) -> Check {
    let (schema, role) = (&expected.schema, &expected.role);
    let Some(found) = &facts.schema else { return no_schema("ownership", schema) };
    if let Some(first) = facts.foreign_owned.first() {
        let owner = first.owner.as_ref().map_or_else(String::new, ToString::to_string);
        let more = more_than_one(facts.foreign_owned.len(), "object");
        return Check::fail(
            "ownership",
            format!(
                "{} {} belongs to {owner}, so {role} cannot alter it{more}",
                first.kind.as_str(),
                first.qualified()
            ),
        )
        .mended_by(facts.foreign_owned.iter().map(|object| ddl::alter_owner(object, role)))
        .about(facts.foreign_owned.iter().cloned());
    }
    if !found.is_own {
        return Check::warn(
            "ownership",
            format!(
                "schema {schema} belongs to {}: {role} can create in it, and cannot alter, drop or re-grant it",
                found.owner
            ),
        )
        .about([Object::named(Kind::Schema, schema)])
        .mended_by([ddl::alter_schema_owner(schema, role)]);
    }
    if let Some((first, user)) = facts.used_elsewhere.first() {
        let owner = first.owner.as_ref().map_or_else(String::new, ToString::to_string);
        let more = more_than_one(facts.used_elsewhere.len(), "object");
        let message = format!(
            "{} {} belongs to {owner}, and {user} uses it, so it stays {owner}'s: as its owner {role} could decide what \
             others run there{more}; move it to a schema of its owner's",
            first.kind.as_str(),
            first.qualified()
        );
        return Check::warn("ownership", message).about(facts.used_elsewhere.iter().map(|(object, _)| object.clone()));
    }
    if let Some(first) = facts.definers.first() {
        let owner = first.owner.as_ref().map_or_else(String::new, ToString::to_string);
        let more = more_than_one(facts.definers.len(), "function");
        let message = format!(
            "function {} runs with the rights of {owner}, its owner (SECURITY DEFINER), and {role} cannot alter it{more}; \
             given to {role} it would lose those rights",
            first.qualified()
        );
        return Check::warn("ownership", message)
            .mended_by_hand(facts.definers.iter().map(|object| ddl::alter_owner(object, role)))
            .about(facts.definers.iter().cloned());
    }
    Check::pass("ownership", format!("everything in {schema} is {role}'s"))
}

pub(super) fn public_create(facts: &Facts, expected: &Expected) -> Check {
    let role = &expected.role;
    let id = "public-create";
    if !facts.public_create {
        return Check::pass(id, format!("{role} cannot create in public"));
    }
    if facts.is_superuser {
        return Check::warn(id, format!("{role} is a superuser, and can create in public whatever is revoked"));
    }
    let reason = if facts.owns_database { ": it owns the database" } else { "" };
    let check = Check::warn(
        id,
        format!("{role} can create in public{reason}; nothing but the search_path keeps tables out of it"),
    )
    .about([Object::named(Kind::Schema, &Identifier::from_catalog("public"))]);
    let revoke = [ddl::revoke_public_create(&facts.public_creators)];
    // Another application may live there, and make its tables through the same grant.
    if facts.public_is_free() { check.mended_by(revoke) } else { check.mended_by_hand(revoke) }
}

pub(super) fn no_schema(id: &'static str, schema: &Identifier) -> Check {
    Check::skip(id, format!("schema {schema} does not exist"))
}

/// ` (and 3 more tables)`, or nothing.
pub(super) fn more_than_one(count: usize, noun: &str) -> String {
    match count - 1 {
        0 => String::new(),
        1 => format!(" (and 1 more {noun})"),
        more => format!(" (and {more} more {noun}s)"),
    }
}
