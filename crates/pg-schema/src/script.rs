//! The whole setup as one script that an administrator can read and run:
//! `psql -v ON_ERROR_STOP=1 -f setup.sql`. Running it again changes nothing.

use pg_config::{Identifier, Literal};

use crate::{Expected, ddl};

/// The script. `verifier` is what the server is to store instead of the role's password; without it the
/// role is made without one.
pub fn whole(expected: &Expected, verifier: Option<&str>) -> String {
    let Expected { role, database, schema, extensions, .. } = expected;
    let mut script = Script::default();
    script.line("-- Everything that the app needs, for an administrator of the server to read and run:");
    script.line("--   psql -v ON_ERROR_STOP=1 -d postgres -f THIS-FILE");
    script.line("-- Running it again changes nothing.");
    script.line("\\set ON_ERROR_STOP on");
    script.section("The app's role. What stands for its password is a verifier, from which it cannot be read.");
    script.unless(&exists("pg_roles", "rolname", role), &ddl::create_role(role, verifier));
    if verifier.is_none() {
        script.line(&format!("-- It has no password yet: \\password {role}"));
    }
    script.section("The app's database, and the right to make a schema in it.");
    script.unless(&exists("pg_database", "datname", database), &ddl::create_database(database));
    script.statement(&ddl::grant_database(database, role));
    script.line(&format!("\\connect {}", meta_quoted(database)));
    if !extensions.is_empty() {
        script.section("Extensions live in public.");
        for extension in extensions {
            script.statement(&ddl::create_extension(extension));
        }
    }
    script.section("The app's schema. To make it for another role one must be a member of that role.");
    script.unless(
        &format!("pg_catalog.pg_has_role(current_user, {}, 'MEMBER')", Literal(role.as_str())),
        &format!("GRANT {role} TO CURRENT_USER"),
    );
    script.unless(&exists("pg_namespace", "nspname", schema), &ddl::create_schema_for(schema, role));
    script.statement(&ddl::grant_schema(schema, role));
    script.section("Where the app's unqualified names lead: first its own schema, then the extensions.");
    script.statement(&ddl::set_role_search_path(role, database, schema));
    script.statement(&ddl::set_database_search_path(database, schema));
    script.section("What lies in the schema is the app's to use, and what the administrator makes there later too.");
    for kind in ["TABLES", "SEQUENCES"] {
        script.statement(&format!("GRANT ALL PRIVILEGES ON ALL {kind} IN SCHEMA {schema} TO {role}"));
    }
    for kind in ["TABLES", "SEQUENCES"] {
        script.statement(&format!("ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT ALL ON {kind} TO {role}"));
    }
    script.section("public is left to extensions.");
    script.statement(&ddl::revoke_public_create(&["PUBLIC".to_owned()]));
    script.0
}

#[derive(Default)]
struct Script(String);

impl Script {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn section(&mut self, title: &str) {
        self.line(&format!("\n-- {title}"));
    }

    fn statement(&mut self, statement: &str) {
        self.line(&format!("{statement};"));
    }

    /// A statement that is run unless a condition holds: psql runs what the query gives.
    fn unless(&mut self, condition: &str, statement: &str) {
        self.line(&format!("SELECT {} WHERE NOT {condition} \\gexec", Literal(statement)));
    }
}

fn exists(catalog: &str, column: &str, name: &Identifier) -> String {
    format!("EXISTS (SELECT FROM pg_catalog.{catalog} WHERE {column} = {})", Literal(name.as_str()))
}

/// An argument of psql's `\connect`. A bare word with `=` or `://` in it would be taken for a connection
/// string, so such a name is wrapped in one.
fn meta_quoted(name: &Identifier) -> String {
    let name = name.as_str();
    let argument = if name.contains(['=', ':']) {
        format!("dbname='{}'", name.replace('\\', r"\\").replace('\'', r"\'"))
    } else {
        name.to_owned()
    };
    format!("'{}'", argument.replace('\\', r"\\").replace('\'', "''"))
}
