//! A hostile catalog: whatever others have put into the database, no command of ours runs it with more rights than
//! they have, and no verdict changes by it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test has nobody to tell but its reader")]

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
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

/// A server with the app's database, in which somebody has set traps. A trap notes who ran it, and makes its maker a
/// superuser if it can.
struct Trapped {
    cluster: Cluster,
    workspace: Workspace,
    /// Where a superuser who ran a trap is noted, as that works in a transaction that may not write, too.
    caught: PathBuf,
}

impl Trapped {
    /// Sets traps in schemas, as a role that may create there.
    fn by(maker: &str, schemas: &[&str]) -> Self {
        let cluster = Cluster::start();
        let directory = cluster.directory("caught");
        // The server's user writes there.
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
        let caught = directory.join("by");
        let workspace = Workspace::on(&cluster);
        workspace.run(&["db-setup"]).exits(0);
        cluster.sql("postgres", "CREATE ROLE mallory LOGIN PASSWORD 'm'");
        for database in ["aura_db", "postgres"] {
            cluster.sql(database, "GRANT USAGE, CREATE ON SCHEMA public TO mallory, aura_user");
        }
        let trapped = Self { cluster, workspace, caught };
        let mut count = 0;
        for schema in schemas {
            for database in ["aura_db", "postgres"] {
                if *schema == "public" || database == "aura_db" {
                    count += trapped.plant(database, maker, schema);
                }
            }
        }
        println!("{count} overloads by {maker} in {schemas:?}");
        trapped
    }

    /// Puts overloads of every operator and of every function that our SQL calls into a schema.
    fn plant(&self, database: &str, maker: &str, schema: &str) -> usize {
        let names = called().into_iter().collect::<Vec<_>>().join(",");
        let sql = include_str!("hostile/plant.sql")
            .replace("{schema}", schema)
            .replace("{maker}", maker)
            .replace("{caught}", self.caught.to_str().unwrap())
            .replace("{types}", &TYPES.join(","))
            .replace("{operators}", &OPERATORS.join(" "))
            .replace("{names}", &names);
        let url = self.cluster.superuser().with_database(database).url();
        let run = psql(&url, &["-v", "ON_ERROR_STOP=1"], &format!("SET ROLE {maker};\n{sql}")).exits(0);
        run.stdout.lines().last().unwrap().parse().unwrap()
    }

    /// Nobody has more rights than before, and no superuser has run a trap.
    #[track_caller]
    fn is_safe(&self, after: &str) {
        let caught = fs::read_to_string(&self.caught).unwrap_or_default();
        assert_eq!(caught, "", "a superuser has run this in {after}");
        let risen = "SELECT pg_catalog.string_agg(rolname, ', ') FROM pg_catalog.pg_roles
                     WHERE rolname IN ('mallory', 'aura_user') AND (rolsuper OR rolcreaterole OR rolcreatedb)";
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
    let Trapped { cluster, workspace, .. } = trapped;
    let admin = cluster.admin_url();
    let run = |arguments: &[&str], code: i32| {
        let run = workspace.run(arguments).exits(code);
        trapped.is_safe(&run.command);
        run
    };
    run(&["db-setup"], 0);
    run(&["db-verify"], 0);
    run(&["db-status"], 0);
    run(&["db-verify", "--fix"], 0);
    cluster.sql("aura_db", "REVOKE SELECT ON aura.artworks_artist FROM aura_user");
    let found = workspace.verify().exits(3);
    assert_eq!(found.with_status("fail"), ["table-privileges"]);
    trapped.is_safe("db-verify that finds something");
    psql(
        &cluster.superuser().with_database("aura_db").url(),
        &["-v", "ON_ERROR_STOP=1"],
        &found.fix("table-privileges"),
    )
    .exits(0);
    trapped.is_safe("the printed SQL");
    cluster.sql("aura_db", "ALTER TABLE aura.artworks_artist OWNER TO postgres");
    run(&["db-verify", "--fix"], 0);
    run(&["db-migrate"], 0);
    let script = run(&["db-setup", "--dry-run"], 0).stdout;
    for _ in 0..2 {
        psql(&admin, &["-v", "ON_ERROR_STOP=1"], &script).exits(0);
        trapped.is_safe("the script of --dry-run");
    }
    run(&["db-clone", "one"], 0);
    run(&["db-drop", "one", "--yes", "--host", "127.0.0.1"], 0);
    workspace.testdb(&["sql", "INSERT INTO taggit_tag (name, slug) VALUES ('a', 'a')"]).exits(0);
    workspace.testdb(&["suite", "1", "3"]).exits(0);
    trapped.is_safe("TestDb");
    run(&["db-reset", "--yes", "--host", "127.0.0.1"], 0);
    run(&["db-verify"], 0);
}

#[test]
fn another_role_that_may_create_in_public() {
    every_command(&Trapped::by("mallory", &["public"]));
}

#[test]
fn the_apps_role_in_its_schema() {
    every_command(&Trapped::by("aura_user", &["aura"]));
}

/// A list setting's stored text is not SQL, whatever stands in it: `set_config` and `FROM CURRENT` store it as it was
/// given.
#[test]
fn the_text_of_a_stored_path_is_never_run() {
    let (cluster, workspace) = Cluster::set_up();
    let app = cluster.url("aura_user", "the-app's", "aura_db");
    let text = "aura, public, x;ALTER/**/ROLE/**/aura_user/**/SUPERUSER;--";
    let store = format!(
        "SELECT set_config('search_path', '{text}', false);
         ALTER ROLE aura_user IN DATABASE aura_db SET search_path FROM CURRENT;
         CREATE FUNCTION aura.f() RETURNS int LANGUAGE sql SET search_path FROM CURRENT AS 'SELECT 1';"
    );
    psql(&app, &["-v", "ON_ERROR_STOP=1"], &store).exits(0);
    let is_super = || cluster.value("postgres", "SELECT rolsuper FROM pg_roles WHERE rolname = 'aura_user'");
    // What is printed for a person is as harmless as what is run.
    let found = workspace.verify();
    for check in found.json()["checks"].as_array().unwrap() {
        let fix = found.fix(check["id"].as_str().unwrap());
        psql(&cluster.superuser().with_database("aura_db").url(), &[], &fix);
        assert_eq!(is_super(), "f", "{fix}");
    }
    psql(&app, &["-v", "ON_ERROR_STOP=1"], &store.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")).exits(0);
    workspace.run(&["db-verify", "--fix"]);
    workspace.run(&["db-clone", "one"]);
    workspace.testdb(&["sql"]);
    // A test that stores it, after which its role is restored.
    workspace.testdb(&[
        "sql",
        &format!("SELECT set_config('search_path', '{text}', false)"),
        "ALTER ROLE aura_user SET search_path FROM CURRENT",
    ]);
    workspace.testdb(&["sql"]);
    assert_eq!(is_super(), "f");
}

/// Where the path names another schema before pg_catalog, that schema's functions decide what the app reads.
#[test]
fn a_path_that_hides_the_catalog_is_a_failure() {
    let (cluster, workspace) = Cluster::set_up();
    cluster.sql(
        "aura_db",
        "CREATE FUNCTION aura.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT 'aura, public'::text $$;
         ALTER FUNCTION aura.current_setting(text) OWNER TO aura_user",
    );
    for broken in [
        "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aura, pg_catalog, public",
        "ALTER DATABASE aura_db SET search_path = aura, pg_catalog, public",
        "ALTER ROLE aura_user SET search_path = aura, public, pg_catalog",
    ] {
        cluster.sql("aura_db", broken);
        let found = workspace.verify().exits(3);
        assert_eq!(found.with_status("fail"), ["search-path"], "{broken}");
        if !broken.contains("aura_user SET") {
            workspace.run(&["db-verify", "--fix"]).exits(0);
        }
    }
    cluster.sql("aura_db", "ALTER ROLE aura_user RESET search_path");
    let options = workspace.setting("DATABASE_URL").to_owned() + "&options=-csearch_path%3Daura,pg_catalog,public";
    let asked = workspace.with("DATABASE_URL", &options);
    assert_eq!(asked.verify().exits(3).with_status("fail"), ["search-path"]);
}
