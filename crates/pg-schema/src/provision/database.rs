//! The desired state inside the app's database: what the app's role does itself, then what only an
//! administrator can. Whoever may not, leaves it, and the verification names it.

use std::collections::HashSet;

use pg_config::Session;

use super::{
    Access, By, Instructions, ProvisionError, cluster::Cluster, further_roles, lazy_session::LazySession, run::Run,
};
use crate::{
    Administrator, Expected, Facts, ddl,
    extension_scripts::objects_of_others_in_public,
    facts::{LackingOwner, acting_owners, other_owners::OfOtherOwners},
    path,
    query::execute_at_once,
    record::record_path_within,
};

/// Asserts the desired state; `facts` is what was there before.
pub(super) fn assert(
    app: &mut Session,
    administrator: &Administrator,
    cluster: &Cluster,
    facts: &Facts,
    access: &Access,
    expected: &Expected,
    run: &mut Run<'_>,
) -> Result<(), ProvisionError> {
    let mut admin = LazySession::new(administrator, access);
    // Only where nobody else lives there. What the scripts of extensions use by a bare name must not come from others.
    if facts.public.create && !facts.role.is_superuser && facts.public_is_free() && may_revoke(cluster, facts, expected)
    {
        let statement = ddl::revoke_public_create(&facts.public.creators);
        run.may(admin.session(expected)?, By::Administrator, &statement)?;
    }
    // Extensions come next: nothing of the app's can use them before, and they may own the schema's name.
    for extension in facts.missing_extensions(expected) {
        let session = admin.session(expected)?;
        if let Some(found) = objects_of_others_in_public(session)? {
            return Err(ProvisionError::ForeignInPublic { extension: extension.to_string(), found });
        }
        run.must_make(session, By::Administrator, &ddl::create_extension(extension))?;
    }
    assert_schema(app, &mut admin, cluster, facts, expected, run)?;
    let is_set = |layer| facts.path.layer(layer).is_some_and(|layer| path::serves(&layer.path, &expected.schema));
    if !is_set("role in database") {
        execute_at_once(app, "BEGIN READ WRITE")?;
        run.must(app, By::App, &ddl::set_role_search_path(&expected.role, &expected.database, &expected.schema))?;
        record_path_within(app, expected)?;
        execute_at_once(app, "COMMIT")?;
    }
    assert_ownership(app, &mut admin, facts, expected, run)?;
    assert_acting_owners(app, &mut admin, facts, expected, run)?;
    assert_default_privileges(app, &mut admin, cluster, facts, expected, run)?;
    further_roles::assert(app, &mut admin, cluster, facts, expected, run)?;
    let is_others = facts.path.of_neighbours(&expected.schema).is_some();
    if !is_set("database") && !is_others && (cluster.is_superuser || cluster.owns_database || !cluster.database_exists)
    {
        let statement = ddl::set_database_search_path(&expected.database, &expected.schema);
        run.may(admin.session(expected)?, By::Administrator, &statement)?;
    }
    Ok(())
}

/// Whether the administrator may take CREATE on `public` away from those through whom the app has it.
/// For others the server only warns, and would again on every run.
fn may_revoke(cluster: &Cluster, facts: &Facts, expected: &Expected) -> bool {
    let owner = facts.public.owner.as_ref();
    let is_owners = owner.is_some_and(|owner| owner.as_str() == "pg_database_owner");
    let owns_database = cluster.owns_database || !cluster.database_exists;
    !facts.public.creators.is_empty()
        && (cluster.is_superuser || owner == expected.administrator.as_ref() || is_owners && owns_database)
}

/// The schema exists, and the app's role can use it and create in it.
fn assert_schema(
    app: &mut Session,
    admin: &mut LazySession<'_>,
    cluster: &Cluster,
    facts: &Facts,
    expected: &Expected,
    run: &mut Run<'_>,
) -> Result<(), ProvisionError> {
    let (schema, role) = (&expected.schema, &expected.role);
    // Rights granted a moment ago count: the facts are those of this very session.
    match &facts.schema {
        None if facts.role.may_create_schema => run.must(app, By::App, &ddl::create_schema(schema))?,
        None if cluster.is_superuser => {
            run.must(admin.session(expected)?, By::Administrator, &ddl::create_schema_for(schema, role))?;
        }
        None => {
            return Err(ProvisionError::NeedsAdministrator {
                reason: format!(
                    "schema {schema} does not exist, and role {role} may not create it in database {}",
                    expected.database
                ),
                instructions: Instructions::default().and_grant(Some(&facts.database.owner.to_string()), expected),
            });
        }
        Some(found) if found.usage && found.create => {}
        // The owner may take back its own privileges, and give them to itself again.
        Some(found) if found.is_own => run.must(app, By::App, &ddl::grant_schema(schema, role))?,
        Some(found) => {
            let session = admin.session(expected)?;
            if cluster.is_superuser {
                run.remark_owner(&found.owner);
                run.must(session, By::Administrator, &ddl::alter_schema_owner(schema, role))?;
            } else {
                run.may(session, By::Administrator, &ddl::grant_schema(schema, role))?;
            }
        }
    }
    Ok(())
}

/// What lies in the schema belongs to the app's role, which has every privilege on it.
fn assert_ownership(
    app: &mut Session,
    admin: &mut LazySession<'_>,
    facts: &Facts,
    expected: &Expected,
    run: &mut Run<'_>,
) -> Result<(), ProvisionError> {
    if !facts.other_owners.owned.is_empty() {
        let session = admin.session(expected)?;
        for object in OfOtherOwners::read(session, expected)?.owned {
            if let Some(owner) = &object.owner {
                run.remark_owner(owner);
            }
            run.may(session, By::Administrator, &ddl::alter_owner(&object, &expected.role))?;
        }
    }
    let (own, other): (Vec<_>, Vec<_>) = facts
        .lacking
        .iter()
        .map(|found| found.object.clone())
        .partition(|object| object.owner.as_ref() == Some(&expected.role));
    for statement in ddl::grant_all(&own, &expected.schema, &expected.role) {
        run.may(app, By::App, &statement)?;
    }
    // An object that just changed hands may carry its old list of privileges along.
    if !other.is_empty() {
        for statement in ddl::grant_all(&other, &expected.schema, &expected.role) {
            run.may(admin.session(expected)?, By::Administrator, &statement)?;
        }
    }
    Ok(())
}

/// The roles in whose name the server acts for the app have what it asks of them.
fn assert_acting_owners(
    app: &mut Session,
    admin: &mut LazySession<'_>,
    facts: &Facts,
    expected: &Expected,
    run: &mut Run<'_>,
) -> Result<(), ProvisionError> {
    let safe = |lacking: &[LackingOwner], are_apps: bool| {
        let found = lacking.iter().filter(|found| found.is_apps == are_apps).map(|found| found.fix(expected));
        let mut statements: Vec<_> = found.filter(|fix| fix.is_safe).map(|fix| fix.statement).collect();
        // A schema is asked for by each object.
        let mut known = HashSet::new();
        statements.retain(|statement| known.insert(statement.clone()));
        statements
    };
    for statement in safe(&facts.lacking_owners, true) {
        run.may(app, By::App, &statement)?;
    }
    if !safe(&facts.lacking_owners, false).is_empty() {
        let session = admin.session(expected)?;
        let others = OfOtherOwners::read(session, expected)?;
        for statement in safe(&acting_owners::read(session, expected, &others)?, false) {
            run.may(session, By::Administrator, &statement)?;
        }
    }
    Ok(())
}

/// What anybody who may create in the schema will make there is the app's to use.
fn assert_default_privileges(
    app: &mut Session,
    admin: &mut LazySession<'_>,
    cluster: &Cluster,
    facts: &Facts,
    expected: &Expected,
    run: &mut Run<'_>,
) -> Result<(), ProvisionError> {
    for creator in facts.creators.iter().filter(|creator| !creator.tables || !creator.sequences) {
        if !creator.is_app && !cluster.acts_for(&creator.role, expected) {
            continue;
        }
        for statement in ddl::default_privileges(&creator.role, &expected.schema, &expected.role) {
            run.may_by_either(creator.is_app, app, admin, expected, &statement)?;
        }
    }
    Ok(())
}
