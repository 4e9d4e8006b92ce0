//! The statements: pure functions from quoted names to text. What `--dry-run` prints is what is run.

mod database;
mod settings;

use pg_config::{Identifier, Literal, fitted, short_digest};

pub use self::{
    database::{
        allow_connections, alter_database_owner, comment_on_database, create_database, drop_database, grant_database,
        limit_connections, refresh_database_collation, rename_database,
    },
    settings::set_of_role,
};
pub(crate) use self::{
    database::{create_database_in_c, create_database_like, grant_database_exactly},
    settings::{reset_setting, set_in_database},
};

use crate::{object::Object, path};

/// The first statement of SQL that a person runs: nothing that others have put into another schema is found
/// (CVE-2018-1058).
pub const SAFE_PATH: &str = "SET search_path = pg_catalog, pg_temp";

/// The search_path of the app: its own schema first, then the one where extensions live. The text of a setting, as
/// connection options and `pg_db_role_setting` hold it.
pub fn search_path(schema: &Identifier) -> String {
    format!("{}, public", schema.in_text())
}

/// `verifier` is what the server stores instead of a password (`SCRAM-SHA-256$…`).
pub fn create_role(role: &Identifier, verifier: Option<&str>) -> String {
    let password = verifier.map(|verifier| format!(" PASSWORD {}", Literal(verifier))).unwrap_or_default();
    format!("CREATE ROLE {role} LOGIN{password}")
}

/// Lets a role log in that could not.
pub fn allow_login(role: &Identifier) -> String {
    format!("ALTER ROLE {role} LOGIN")
}

/// Replaces a role's password.
pub fn set_password(role: &Identifier, verifier: &str) -> String {
    format!("ALTER ROLE {role} PASSWORD {}", Literal(verifier))
}

/// Extensions, and those that they need, live in `public`, whatever the session's path is.
pub fn create_extension(extension: &Identifier) -> String {
    format!("CREATE EXTENSION IF NOT EXISTS {extension} SCHEMA public CASCADE")
}

/// Where it belongs; only a relocatable one can be moved.
pub fn move_extension(extension: &Identifier) -> String {
    format!("ALTER EXTENSION {extension} SET SCHEMA public")
}

/// Run by the app's role, which so becomes the owner.
pub fn create_schema(schema: &Identifier) -> String {
    format!("CREATE SCHEMA {schema}")
}

/// Run by an administrator who is a member of the role.
pub fn create_schema_for(schema: &Identifier, role: &Identifier) -> String {
    format!("CREATE SCHEMA {schema} AUTHORIZATION {role}")
}

/// Gives the schema to the app's role.
pub fn alter_schema_owner(schema: &Identifier, role: &Identifier) -> String {
    format!("ALTER SCHEMA {schema} OWNER TO {role}")
}

/// What the app needs on its schema.
pub fn grant_schema(schema: &Identifier, role: &Identifier) -> String {
    format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}")
}

/// The path of the app's sessions in this database; beats the role's and the database's own.
pub fn set_role_search_path(role: &Identifier, database: &Identifier, schema: &Identifier) -> String {
    format!("ALTER ROLE {role} IN DATABASE {database} SET search_path = {schema}, public")
}

/// Adds a schema in which extensions lie to the path of the app's sessions in this database.
pub fn reach_schema(
    role: &Identifier,
    database: &Identifier,
    schema: &Identifier,
    further: &Identifier,
) -> Vec<String> {
    vec![
        format!("GRANT USAGE ON SCHEMA {further} TO {role}"),
        format!("{}, {further}", set_role_search_path(role, database, schema)),
    ]
}

/// The path of everybody else's sessions in this database.
pub fn set_database_search_path(database: &Identifier, schema: &Identifier) -> String {
    format!("ALTER DATABASE {database} SET search_path = {schema}, public")
}

/// Leaves `public` to extensions. `grantees` are SQL: `PUBLIC` or quoted roles.
pub fn revoke_public_create(grantees: &[String]) -> String {
    format!("REVOKE CREATE ON SCHEMA public FROM {}", grantees.join(", "))
}

/// What `creator` will make in the schema is the app's to use.
pub fn default_privileges(creator: &Identifier, schema: &Identifier, role: &Identifier) -> Vec<String> {
    ["TABLES", "SEQUENCES"]
        .map(|objects| {
            format!("ALTER DEFAULT PRIVILEGES FOR ROLE {creator} IN SCHEMA {schema} GRANT ALL ON {objects} TO {role}")
        })
        .into()
}

/// What exists in the schema is the app's to use.
pub fn grant_all(objects: &[Object], schema: &Identifier, role: &Identifier) -> Vec<String> {
    // A handful is named one by one, so that a reader sees what changes.
    if objects.len() <= 20 {
        return objects
            .iter()
            .map(|object| {
                format!("GRANT ALL PRIVILEGES ON {} {} TO {role}", object.grant_keyword(), object.qualified())
            })
            .collect();
    }
    let mut kinds: Vec<_> = objects.iter().map(Object::grant_keyword).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().map(|kind| format!("GRANT ALL PRIVILEGES ON ALL {kind}S IN SCHEMA {schema} TO {role}")).collect()
}

/// Gives a role privileges on a relation or a schema.
pub fn grant(privileges: &str, object: &Object, role: &Identifier) -> String {
    format!("GRANT {privileges} ON {} {} TO {role}", object.grant_keyword(), object.qualified())
}

/// Takes from a role what its owner granted.
pub fn revoke(privileges: &str, object: &Object, role: &Identifier) -> String {
    format!("REVOKE {privileges} ON {} {} FROM {role}", object.grant_keyword(), object.qualified())
}

/// What `creator` will make in the schema, TABLES or SEQUENCES, is a role's to use.
pub fn grant_default(
    creator: &Identifier,
    schema: &Identifier,
    privileges: &str,
    objects: &str,
    role: &Identifier,
) -> String {
    format!("ALTER DEFAULT PRIVILEGES FOR ROLE {creator} IN SCHEMA {schema} GRANT {privileges} ON {objects} TO {role}")
}

/// And is no more.
pub fn revoke_default(
    creator: &Identifier,
    schema: &Identifier,
    privileges: &str,
    objects: &str,
    role: &Identifier,
) -> String {
    format!(
        "ALTER DEFAULT PRIVILEGES FOR ROLE {creator} IN SCHEMA {schema} REVOKE {privileges} ON {objects} FROM {role}"
    )
}

/// A role that others may be members of, and that a person may let log in.
pub fn create_further_role(role: &Identifier) -> String {
    format!("CREATE ROLE {role} NOLOGIN")
}

/// Gives a role privileges on everything of the schema that is there, TABLES or SEQUENCES.
pub fn grant_on_all(privileges: &str, objects: &str, schema: &Identifier, role: &Identifier) -> String {
    format!("GRANT {privileges} ON ALL {objects} IN SCHEMA {schema} TO {role}")
}

/// Takes from a role what the owners of all that granted.
pub fn revoke_on_all(privileges: &str, objects: &str, schema: &Identifier, role: &Identifier) -> String {
    format!("REVOKE {privileges} ON ALL {objects} IN SCHEMA {schema} FROM {role}")
}

/// Gives an object to a role.
pub fn alter_owner(object: &Object, role: &Identifier) -> String {
    format!("ALTER {} {} OWNER TO {role}", object.alter_keyword(), object.qualified())
}

/// Moves an object, and with it what belongs to it.
pub fn set_schema(object: &Object, schema: &Identifier) -> String {
    format!("ALTER {} {} SET SCHEMA {schema}", object.alter_keyword(), object.qualified())
}

/// Takes a member out of an extension, which would go with it.
pub fn drop_from_extension(extension: &Identifier, object: &Object) -> String {
    format!("ALTER EXTENSION {extension} DROP {} {}", object.alter_keyword(), object.qualified())
}

/// Refused where anything else depends on one of them: so those that refer to each other go together.
pub fn drop_tables(tables: &[&Object]) -> String {
    let names: Vec<_> = tables.iter().map(|table| table.qualified()).collect();
    format!("DROP TABLE {}", names.join(", "))
}

/// Puts the schema before what a routine's own path names; `path` is as the catalog has it.
pub fn set_routine_search_path(routine: &Object, schema: &Identifier, path: &str) -> String {
    let rest = path::schemas(path).into_iter().map(|name| format!(", {}", Identifier::from_catalog(name)));
    let rest: String = rest.collect();
    format!("ALTER {} {} SET search_path = {schema}{rest}", routine.alter_keyword(), routine.qualified())
}

/// A remark in a script: one line, whatever stands in it. psql and the server end a line at a carriage return, too.
pub fn comment(text: &str) -> String {
    format!("-- {}", text.replace(char::is_control, " "))
}

/// Makes an index anew. Writers wait for it; CONCURRENTLY they would not, and no transaction could hold it.
pub fn reindex(index: &Object) -> String {
    format!("REINDEX INDEX {}", index.qualified())
}

/// Writes down the version of a collation's library: the indexes that have it were rebuilt.
pub fn refresh_collation(schema: &Identifier, collation: &Identifier) -> String {
    format!("ALTER COLLATION {schema}.{collation} REFRESH VERSION")
}

/// Drops an index.
pub fn drop_index(index: &Object) -> String {
    format!("DROP INDEX {}", index.qualified())
}

/// Checks the rows that were there before a constraint; `of` is a TABLE or a DOMAIN.
pub fn validate_constraint(of: &str, schema: &Identifier, name: &Identifier, constraint: &Identifier) -> String {
    format!("ALTER {of} {schema}.{name} VALIDATE CONSTRAINT {constraint}")
}

/// Ends a session; its work in hand is rolled back.
pub fn terminate(pid: i32) -> String {
    format!("SELECT pg_catalog.pg_terminate_backend({pid})")
}

/// Gives a schema another name; what lies in it stays.
pub fn rename_schema(schema: &Identifier, name: &Identifier) -> String {
    format!("ALTER SCHEMA {schema} RENAME TO {name}")
}

/// Lets the app's transactions write, whatever role, database and server say.
pub fn set_read_write(role: &Identifier, database: &Identifier) -> String {
    format!("ALTER ROLE {role} IN DATABASE {database} SET default_transaction_read_only = off")
}

/// Drops a schema in which nothing lies; refused where something does.
pub fn drop_schema(schema: &Identifier) -> String {
    format!("DROP SCHEMA {schema}")
}

/// A remark that stays with the schema, wherever a dump or a clone carries it.
pub fn comment_on_schema(schema: &Identifier, comment: &str) -> String {
    format!("COMMENT ON SCHEMA {schema} IS {}", Literal(comment))
}

/// What keeps the record of a schema's contents, as its comment.
pub fn create_contents_record(schema: &Identifier) -> String {
    format!("CREATE DOMAIN {schema}.{CONTENTS_RECORD} AS pg_catalog.text")
}

/// The record itself.
pub fn comment_on_contents_record(schema: &Identifier, record: &str) -> String {
    format!("COMMENT ON DOMAIN {schema}.{CONTENTS_RECORD} IS {}", Literal(record))
}

/// A name that no application uses.
const CONTENTS_RECORD: &str = "xtask_contents_record";

/// What a reset calls a database until its replacement is complete.
pub(crate) fn set_aside_name(database: &Identifier) -> Identifier {
    const SUFFIX: &str = "_before_reset";
    let name = database.as_str();
    let fitted = fitted(name, 63 - SUFFIX.len(), &short_digest(name.as_bytes()));
    Identifier::from_catalog(format!("{fitted}{SUFFIX}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_fits_and_is_of_one_database() {
        let long = |last: &str| set_aside_name(&Identifier::from_catalog(format!("{}{last}", "é".repeat(30))));
        assert!(long("ab").as_str().len() <= 63);
        assert_ne!(long("ab"), long("ac"));
        assert_eq!(set_aside_name(&Identifier::from_catalog("shop")).as_str(), "shop_before_reset");
    }
}
