//! A hostile catalog: whatever others have put into the database, no command of ours runs it with more rights than
//! they have, and no verdict changes by it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test has nobody to tell but its reader")]

mod forged;
mod handover;
mod path;
mod template;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use tests::{Cluster, Workspace, psql};

/// Types whose values meet in catalog queries.
const TYPES: [&str; 14] = [
    "int2",
    "int4",
    "int8",
    "float8",
    "numeric",
    "oid",
    "text",
    "name",
    "\"char\"",
    "bool",
    "regclass",
    "timestamptz",
    "interval",
    "varchar",
];

const OPERATORS: [&str; 18] =
    ["=", "<>", "<", "<=", ">", ">=", "~", "!~", "~~", "!~~", "+", "-", "*", "/", "||", "%", "&", "|"];

/// A server with the app's database, in which a role has set traps. A trap notes in the server's log who ran it, and
/// tries to make its maker a superuser.
struct Trapped {
    cluster: Cluster,
    workspace: Workspace,
    /// An administrator's URL whose sessions in the app's database are the administrator's, whatever is stored there.
    admin: String,
    maker: &'static str,
}

impl Trapped {
    /// A server on which others than superusers may create in `public`.
    fn new(maker: &'static str) -> Self {
        let cluster = Cluster::start_with(&[]);
        let workspace = Workspace::on(&cluster);
        cluster.sql("postgres", "CREATE ROLE mallory LOGIN PASSWORD 'm'; CREATE ROLE keeper LOGIN PASSWORD 'k'");
        let admin = cluster.admin_url() + "&options=-crole%3Dnone";
        Self { cluster, workspace, admin, maker }
    }

    /// Sets up, and sets traps in `public` of each database.
    fn in_public(self) -> Self {
        self.workspace.run(&["db-setup"]).exits(0);
        for database in ["aura_db", "postgres"] {
            let maker = self.maker;
            self.cluster.sql(database, &format!("SET ROLE NONE; GRANT USAGE, CREATE ON SCHEMA public TO {maker}"));
            self.plant(database, "public");
        }
        self
    }

    /// Puts overloads of every operator and of every function that our SQL calls into a schema.
    fn plant(&self, database: &str, schema: &str) {
        let url = self.cluster.superuser().with_database(database).url() + "&options=-crole%3Dnone";
        let sql = format!("SET ROLE {};\n{}", self.maker, self.overloads(schema));
        let run = psql(&url, &["-v", "ON_ERROR_STOP=1"], &sql).exits(0);
        println!("{} overloads by {} in {schema} of {database}", run.stdout.lines().last().unwrap(), self.maker);
    }

    fn overloads(&self, schema: &str) -> String {
        let names = called().into_iter().collect::<Vec<_>>().join(",");
        self.filled(include_str!("plant.sql"), schema)
            .replace("{types}", &TYPES.join(","))
            .replace("{operators}", &OPERATORS.join(" "))
            .replace("{names}", &names)
    }

    fn filled(&self, sql: &str, schema: &str) -> String {
        sql.replace("{schema}", schema).replace("{maker}", self.maker).replace("{database}", ":\"database\"")
    }

    /// No trap was sprung but by its maker, and nobody has more rights than before. What the app itself asks, by its
    /// own path, is the app's affair.
    #[track_caller]
    fn is_safe(&self, after: &str) {
        let own = format!("by role {0} of session {0},", self.maker);
        let log = self.cluster.log();
        let sprung = log.lines().filter(|line| line.contains("LOG:  sprung: "));
        let others: Vec<_> = sprung.filter(|line| !line.contains(&own) && !line.contains("program \"aura\"")).collect();
        assert!(others.is_empty(), "in {after}: {others:#?}");
        let risen = "SELECT pg_catalog.string_agg(rolname, ', ') FROM pg_catalog.pg_roles
                     WHERE rolname IN ('mallory', 'aura_user', 'keeper') AND (rolsuper OR rolcreaterole OR rolcreatedb)";
        assert_eq!(self.cluster.value("postgres", risen), "", "{after}");
    }
}

/// The names that our SQL calls, from all files in which there is any.
fn called() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut names = BTreeSet::new();
    for file in files(&crates) {
        let text = fs::read_to_string(&file).unwrap();
        for before in text.split('(') {
            let word = before.trim_end().rsplit(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_');
            names.extend(word.take(1).map(str::to_owned));
        }
    }
    names.remove("");
    names
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    files.filter(|file| file.extension().is_some_and(|kind| kind == "rs" || kind == "sql")).collect()
}

/// Every command, over what was planted.
fn every_command(trapped: &Trapped) {
    let Trapped { cluster, workspace, admin, .. } = trapped;
    let mut statements = 0;
    let run = |arguments: &[&str], code: i32| {
        let run = workspace.run(arguments).exits(code);
        trapped.is_safe(&run.command);
        run
    };
    run(&["db-setup"], 0);
    run(&["db-verify"], 0);
    run(&["db-status"], 0);
    // What is printed, each statement by whom it is for.
    cluster.sql("aura_db", "SET ROLE NONE; REVOKE SELECT ON aura.artworks_artist FROM aura_user");
    let found = workspace.verify().exits(3);
    assert_eq!(found.with_status("fail"), ["table-privileges"]);
    trapped.is_safe("db-verify that finds something");
    for check in found.json()["checks"].as_array().unwrap() {
        for fix in check["fixes"].as_array().unwrap() {
            let superuser = admin.replace("/postgres?", "/aura_db?");
            let url = if fix["as"] == "aura_user" { workspace.setting("DATABASE_URL") } else { &superuser };
            psql(url, &["-v", "ON_ERROR_STOP=1"], fix["sql"].as_str().unwrap()).exits(0);
            trapped.is_safe(&format!("the printed SQL: {fix}"));
            statements += 1;
        }
    }
    run(&["db-verify", "--fix"], 0);
    cluster.sql("aura_db", "SET ROLE NONE; ALTER TABLE aura.artworks_artist OWNER TO postgres");
    let script = run(&["db-verify", "--fix", "--dry-run"], 3).stdout;
    psql(&admin.replace("/postgres?", "/aura_db?"), &["-v", "ON_ERROR_STOP=1"], &script).exits(0);
    trapped.is_safe("the script of --fix --dry-run");
    cluster.sql("aura_db", "SET ROLE NONE; ALTER TABLE aura.artworks_artist OWNER TO postgres");
    run(&["db-verify", "--fix"], 0);
    run(&["db-migrate"], 0);
    let script = run(&["db-setup", "--dry-run"], 0).stdout;
    for _ in 0..2 {
        psql(admin, &["-v", "ON_ERROR_STOP=1"], &script).exits(0);
        trapped.is_safe("the script of --dry-run");
    }
    run(&["db-clone", "one"], 0);
    run(&["db-drop", "one", "--yes", "--host", "127.0.0.1"], 0);
    for rows in ["INSERT INTO taggit_tag (name, slug) VALUES ('a', 'a')", "CREATE TABLE more (n int)"] {
        workspace.testdb(&["sql", rows]).exits(0);
    }
    workspace.testdb(&["suite", "1", "3"]).exits(0);
    trapped.is_safe("TestDb");
    run(&["db-reset", "--yes", "--host", "127.0.0.1"], 0);
    run(&["db-verify"], 0);
    println!("{statements} printed statements");
}

#[test]
fn another_role_that_may_create_in_public() {
    every_command(&Trapped::new("mallory").in_public());
}

/// The migrations themselves are hostile: they leave traps in the app's schema, and so in each copy of it.
#[test]
fn the_apps_role_in_its_schema() {
    let trapped = Trapped::new("aura_user");
    let sql = trapped.overloads("aura") + &trapped.filled(include_str!("attacks.sql"), "aura");
    trapped.workspace.write("traps.sql", sql);
    let migrate = format!(
        "{} && if ! psql -Atc \"SELECT to_regclass('aura.bait') IS NOT NULL\" | grep -q t; \
         then psql -qv ON_ERROR_STOP=1 -v database=\"$PGDATABASE\" -f traps.sql; fi",
        trapped.workspace.setting("MIGRATE_COMMAND")
    );
    let workspace = trapped.workspace.with("MIGRATE_COMMAND", &migrate);
    workspace.run(&["db-setup"]).exits(0);
    every_command(&Trapped { workspace, ..trapped });
}

/// The owner of the database may set much in it.
#[test]
fn the_databases_owner() {
    let trapped = Trapped::new("keeper");
    trapped.cluster.sql("postgres", "CREATE DATABASE aura_db OWNER keeper");
    let trapped = trapped.in_public();
    trapped.cluster.sql(
        "postgres",
        "SET ROLE keeper; ALTER DATABASE aura_db SET role = keeper;
         ALTER DATABASE aura_db SET standard_conforming_strings = off;
         ALTER DATABASE aura_db SET transform_null_equals = on;
         ALTER DATABASE aura_db SET quote_all_identifiers = on;
         ALTER DATABASE aura_db SET default_transaction_isolation = 'serializable';
         ALTER DATABASE aura_db SET \"DateStyle\" = 'SQL, DMY';
         ALTER DATABASE aura_db SET client_min_messages = 'error'",
    );
    every_command(&trapped);
}
