//! The whole setup as one script that an administrator can read and run:
//! `psql -v ON_ERROR_STOP=1 -f setup.sql`. Running it again changes nothing.

use pg_config::{Identifier, Literal, is_obeyed};

use crate::{
    Expected, ddl,
    extension_scripts::OBJECTS_OF_OTHERS_IN_PUBLIC,
    object::{Kind, Object},
};

/// The script. `verifier` is what the server is to store instead of the role's password; without it the
/// role is made without one.
pub fn whole(expected: &Expected, verifier: Option<&str>) -> String {
    let Expected { role, database, schema, extensions, .. } = expected;
    let mut script = Script::default();
    script.line("-- Everything that the app needs, for an administrator of the server to read and run:");
    script.line("--   psql -v ON_ERROR_STOP=1 -d postgres -f THIS-FILE");
    script.line("-- Running it again changes nothing.");
    script.line("\\set ON_ERROR_STOP on");
    script.statement(ddl::SAFE_PATH);
    script.section("The app's role. What stands for its password is a verifier, from which it cannot be read.");
    script.unless(&exists("pg_roles", "rolname", role), &ddl::create_role(role, verifier));
    let may_login = format!("(SELECT rolcanlogin FROM pg_catalog.pg_roles WHERE rolname = {})", Literal(role.as_str()));
    script.unless(&may_login, &ddl::allow_login(role));
    if verifier.is_none() {
        script.line(&format!("-- It has no password yet: \\password {role}"));
    }
    script.section("The app's database, and the right to make a schema in it.");
    script.unless(&exists("pg_database", "datname", database), &ddl::create_database(database));
    script.statement(&ddl::grant_database(database, role));
    script.line(&format!("\\connect -reuse-previous=on {}", meta_quoted(database)));
    script.statement(ddl::SAFE_PATH);
    script.section("public is left to extensions, unless something else lies there.");
    script.line(PUBLIC_IS_FREE);
    script.line("\\if :public_is_free");
    script.statement(&ddl::revoke_public_create(&["PUBLIC".to_owned()]));
    script.line("-- Since version 15 the owner of a database may create there too.");
    let owners = "pg_database_owner";
    script.only_if(
        &format!(
            "EXISTS (SELECT FROM pg_catalog.pg_roles\n    WHERE rolname = {} AND pg_catalog.pg_has_role({}, oid, 'USAGE'))",
            Literal(owners),
            Literal(role.as_str())
        ),
        &ddl::revoke_public_create(&[owners.to_owned()]),
    );
    script.line("\\endif");
    if !extensions.is_empty() {
        script.section("Extensions live in public. Their scripts must not run what other roles have put there.");
        script.line(&guard(extensions));
        for extension in extensions {
            script.statement(&ddl::create_extension(extension));
        }
    }
    script.section("The app's schema. To make it for another role one must be a member of that role.");
    script.unless(&is_member(role), &format!("GRANT {role} TO CURRENT_USER"));
    script.unless(&exists("pg_namespace", "nspname", schema), &ddl::create_schema_for(schema, role));
    script.statement(&ddl::grant_schema(schema, role));
    script.section("Where the app's unqualified names lead: first its own schema, then the extensions.");
    script.statement(&ddl::set_role_search_path(role, database, schema));
    script.unless(&has_path_of_others(schema), &ddl::set_database_search_path(database, schema));
    script.section("What lies in the schema is the app's to use, and what the administrator makes there later too.");
    for kind in ["TABLES", "SEQUENCES"] {
        script.statement(&format!("GRANT ALL PRIVILEGES ON ALL {kind} IN SCHEMA {schema} TO {role}"));
    }
    for kind in ["TABLES", "SEQUENCES"] {
        script.statement(&format!("ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT ALL ON {kind} TO {role}"));
    }
    further_roles(&mut script, expected);
    script.0
}

/// The further roles, as a setup has them. What they had before stays.
fn further_roles(script: &mut Script, Expected { role, database, schema, write_roles, read_roles, .. }: &Expected) {
    let write = write_roles.iter().map(|name| (name, "SELECT, INSERT, UPDATE, DELETE", "SELECT, USAGE"));
    let all: Vec<_> = write.chain(read_roles.iter().map(|name| (name, "SELECT", "SELECT"))).collect();
    if all.is_empty() {
        return;
    }
    script.section("Further roles: they write or read what lies in the schema, now and later. They have no login.");
    for (name, tables, sequences) in all {
        script.unless(&exists("pg_roles", "rolname", name), &ddl::create_further_role(name));
        script.statement(&ddl::grant("CONNECT", &Object::named(Kind::Database, database), name));
        script.statement(&ddl::grant("USAGE", &Object::named(Kind::Schema, schema), name));
        for (objects, privileges) in [("TABLES", tables), ("SEQUENCES", sequences)] {
            script.statement(&format!("GRANT {privileges} ON ALL {objects} IN SCHEMA {schema} TO {name}"));
            script.statement(&ddl::grant_default(role, schema, privileges, objects, name));
            script.statement(&format!(
                "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {privileges} ON {objects} TO {name}"
            ));
        }
    }
}

/// `public` is there, and nothing but extensions' members lies in it; psql keeps the answer in a variable.
const PUBLIC_IS_FREE: &str = "\
SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace n
    WHERE n.nspname = 'public'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c
                      WHERE c.relnamespace = n.oid
                        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                                        WHERE x.classid = 'pg_catalog.pg_class'::regclass
                                          AND x.objid = c.oid AND x.deptype = 'e'))
) AS public_is_free \\gset";

/// Ends the script where an extension is missing, and its script could run what others have put into `public`.
fn guard(extensions: &[Identifier]) -> String {
    let names: Vec<_> = extensions.iter().map(|name| Literal(name.as_str()).to_string()).collect();
    let held =
        OBJECTS_OF_OTHERS_IN_PUBLIC.lines().filter(|line| !line.starts_with("--") && !line.starts_with("ORDER BY"));
    let held: Vec<_> = held.map(|line| format!("    {line}")).collect();
    format!(
        "DO $guard$ BEGIN\n  IF EXISTS (SELECT FROM pg_catalog.unnest(ARRAY[{}]) AS wanted(name)\n             \
         WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = wanted.name))\n  AND EXISTS (\n{}) THEN\n    \
         RAISE EXCEPTION 'public holds functions or operators of other roles: drop them, or move them to another schema';\n  \
         END IF;\nEND $guard$;",
        names.join(", "),
        held.join("\n"),
    )
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

    /// A statement that is run unless a condition holds.
    fn unless(&mut self, condition: &str, statement: &str) {
        self.only_if(&format!("NOT {condition}"), statement);
    }

    /// A statement that is run only if a condition holds: psql runs what the query gives.
    fn only_if(&mut self, condition: &str, statement: &str) {
        self.line(&format!("SELECT {}\nWHERE {condition} \\gexec", Literal(statement)));
    }
}

/// Whether the administrator may act as the role. Since version 16 whoever made a role is a member of it
/// without the right to SET it.
fn is_member(role: &Identifier) -> String {
    format!(
        "pg_catalog.pg_has_role({},\n    CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END)",
        Literal(role.as_str())
    )
}

/// Whether the database has a path on which others may rely: it does not name the schema, and all that it names exists.
fn has_path_of_others(schema: &Identifier) -> String {
    format!(
        "EXISTS (SELECT FROM pg_catalog.pg_db_role_setting AS s, pg_catalog.unnest(s.setconfig) AS setting
              WHERE s.setrole = 0 AND s.setdatabase = (SELECT oid FROM pg_catalog.pg_database
                                                       WHERE datname = pg_catalog.current_database())
                AND setting LIKE 'search\\_path=%'
                AND NOT EXISTS (SELECT FROM pg_catalog.regexp_split_to_table(
                                    pg_catalog.substr(setting, 13), ',(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)') AS part,
                                    pg_catalog.btrim(part, ' \"') AS name
                                WHERE name = {0} OR name NOT IN ('', '$user', 'pg_catalog', 'pg_temp')
                                      AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = name)))",
        Literal(schema.as_str())
    )
}

fn exists(catalog: &str, column: &str, name: &Identifier) -> String {
    format!("EXISTS (SELECT FROM pg_catalog.{catalog} WHERE {column} = {})", Literal(name.as_str()))
}

/// An argument of psql's `\connect`, as pg_dump writes it: whatever is more than a plain word is wrapped in
/// a connection string, and that in double quotes, which psql takes literally. In a URI nothing has to be shown as it
/// is.
fn meta_quoted(name: &Identifier) -> String {
    let name = name.as_str();
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return name.to_owned();
    }
    if is_obeyed(name) {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        return format!("postgresql:///{encoded}");
    }
    let connection = format!("dbname='{}'", name.replace('\\', r"\\").replace('\'', r"\'"));
    format!("\"{}\"", connection.replace('"', "\"\""))
}
