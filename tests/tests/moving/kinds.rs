//! All kinds of object, by both ways and back.

use tests::{Cluster, Run, Workspace};

use crate::place::{THEIRS, in_public, left_in_public};

const EXTENSIONS: &str = "CREATE EXTENSION citext; CREATE EXTENSION pg_trgm;";

fn everything(more: &str) -> (Cluster, Workspace) {
    in_public(&format!("{EXTENSIONS}{}{more}", include_str!("everything.sql")))
}

/// The rows of every table of a schema.
fn rows(cluster: &Cluster, schema: &str) -> String {
    cluster.value(
        "aura_db",
        &format!(
            "SELECT md5(string_agg(t::text, ';' ORDER BY t.id)) || (SELECT string_agg(w::text, ';' ORDER BY w.id) FROM {schema}.work w) \
                 || (SELECT string_agg(p::text, ';' ORDER BY p.id) FROM {schema}.part p) || (SELECT last_value FROM {schema}.artist_id_seq)
             FROM {schema}.artist t"
        ),
    )
}

/// Prepares, moves and takes back: the rows are what they were, and the dump is the first one.
#[track_caller]
fn there_and_back(cluster: &Cluster, workspace: &Workspace, way: &str) {
    workspace.run(&["db-move", "--prepare"]).exits(0);
    let (before, contents) = (cluster.dump("aura_db"), rows(cluster, "public"));
    let dry = workspace.run(&["db-move", "--dry-run", "--format", "json"]).exits(3);
    assert!(before == cluster.dump("aura_db"), "--dry-run changed something");
    let plan: serde_json::Value = serde_json::from_str(&dry.stdout).unwrap();
    assert_eq!(plan["way"], way, "{plan}");
    assert!(
        plan["in_the_way"].as_array().unwrap().is_empty() && plan["breaks"].as_array().unwrap().is_empty(),
        "{plan}"
    );

    let undo = workspace.root().join("back.sql");
    let moved = workspace.run(&["db-move", "--undo", undo.to_str().unwrap()]).exits(0);
    assert_eq!(rows(cluster, "aura"), contents);
    nothing_to_move(workspace, &moved);
    take_back(cluster, &undo);
    assert_eq!(rows(cluster, "public"), contents);
    let after = cluster.dump("aura_db");
    assert!(before == after, "the undo's dump differs:\n{}", difference(&before, &after));
    // And there once more.
    workspace.run(&["db-move"]).exits(0);
    works(cluster, workspace);
}

#[track_caller]
fn take_back(cluster: &Cluster, undo: &std::path::Path) {
    let url = cluster.superuser().with_database("aura_db").url();
    cluster.psql(&url, &["-v", "ON_ERROR_STOP=1", "-f", undo.to_str().unwrap()], "").exits(0);
}

fn difference(before: &str, after: &str) -> String {
    let lines = before.lines().zip(after.lines()).filter(|(one, other)| one != other).take(10);
    lines.map(|(one, other)| format!("- {one}\n+ {other}\n")).collect()
}

#[track_caller]
fn nothing_to_move(workspace: &Workspace, moved: &Run) {
    assert!(moved.stdout.contains("moved from public to aura"), "{}", moved.stdout);
    workspace.run(&["db-move", "--dry-run"]).exits(0);
    workspace.run(&["db-move"]).exits(0);
}

/// The app uses each kind by a bare name.
#[track_caller]
fn works(cluster: &Cluster, workspace: &Workspace) {
    for query in [
        "INSERT INTO artist (name, feels, whole) VALUES ('new', 'sad'::mood, (1, 'ok')); \
         SELECT (a.whole @+@ a.whole)::text FROM artist a WHERE name = 'new'",
        "SELECT total(id)::text FROM work",
        "SELECT of_row(w)::text FROM work w WHERE mail IS NULL LIMIT 1",
        "SELECT of_moods(ARRAY['ok'::mood])::text",
        "SELECT count(*)::text FROM works",
        "SELECT count::text FROM counted",
        "SELECT nextval('alone')::text",
        "SELECT to_tsvector('fr', 'x')::text",
        "SELECT span(1, 2)::text",
        "INSERT INTO part VALUES (1, 15); SELECT count(*)::text FROM part_2",
        "UPDATE work SET title = title COLLATE plain WHERE id = 1; DELETE FROM parent; DELETE FROM artist WHERE name = 'new'; \
         SELECT 'A@b.c'::citext = 'a@B.C'",
        "DELETE FROM part WHERE id = 1 AND y = 15; CALL nothing(1); SELECT similarity('a', 'a')::text",
    ] {
        assert_ne!(workspace.value(query), "", "{query}");
    }
    // A reader reads, in the new schema.
    cluster.sql("aura_db", "SET ROLE reader; SELECT count(*) FROM aura.work; RESET ROLE");
}

#[test]
fn m08_m13_all_kinds_by_rename_and_back() {
    let (cluster, workspace) = everything("");
    there_and_back(&cluster, &workspace, "rename");
    assert_eq!(left_in_public(&cluster), "");
}

#[test]
fn m08_m13_all_kinds_by_statements_and_back() {
    let (cluster, workspace) = everything(THEIRS);
    there_and_back(&cluster, &workspace, "statements");
    // The other role's table.
    assert_eq!(left_in_public(&cluster).split(", ").count(), 1, "{}", left_in_public(&cluster));
}

#[test]
fn from_a_schema_of_another_name_and_by_parts() {
    let (cluster, workspace) = in_public(
        "CREATE SCHEMA aura_old AUTHORIZATION aura_user; SET ROLE aura_user; CREATE TABLE aura_old.a (id serial); \
         CREATE TABLE aura_old.b (id int); CREATE TABLE aura_old.b_more (id int); RESET ROLE",
    );
    workspace.run(&["db-move", "--from", "aura_old", "--only", "b*"]).exits(0);
    let place = |name| crate::place::schema_of(&cluster, name);
    assert_eq!([place("a"), place("a_id_seq"), place("b"), place("b_more")], ["aura_old", "aura_old", "aura", "aura"]);
    workspace.run(&["db-move", "--from", "aura_old"]).exits(0);
    assert_eq!([place("a"), place("a_id_seq")], ["aura", "aura"]);
    workspace.run(&["db-move", "--from", "aura_old"]).exits(0);
    workspace.run(&["db-move", "--from", "nowhere"]).exits(1);
    workspace.run(&["db-move", "--from", "aura"]).exits(1);
    workspace.run(&["db-move", "--from", "pg_catalog"]).exits(1);
}

#[test]
fn the_apps_own_role_moves_what_it_owns() {
    // No administrator is named, and none is there by the operating system: the app's own rights suffice.
    let (cluster, workspace) =
        in_public(&crate::place::by_app("CREATE TABLE public.a (id serial PRIMARY KEY, x text)"));
    cluster.sql("postgres", "CREATE ROLE helper LOGIN PASSWORD 'helper' CREATEROLE CREATEDB");
    let workspace = workspace.with("ADMIN_DATABASE_URL", &cluster.url("helper", "helper", "postgres"));
    workspace.run(&["db-move"]).exits(0);
    assert_eq!(crate::place::schema_of(&cluster, "a"), "aura");
    assert_eq!(workspace.value("INSERT INTO a (x) VALUES ('x') RETURNING id"), "1");
}

#[test]
fn the_databases_owner_renames_from_version_15_on() {
    let (cluster, workspace) = in_public(&crate::place::by_app(
        "CREATE TABLE public.a (id serial PRIMARY KEY, x text); COMMENT ON TABLE public.a IS 'a'",
    ));
    cluster.sql("postgres", "ALTER DATABASE aura_db OWNER TO aura_user");
    let app = cluster.url("aura_user", "the-app's", "postgres");
    let workspace = workspace.with("ADMIN_DATABASE_URL", &app);
    workspace.run(&["db-move", "--prepare"]).exits(0);
    let before = cluster.dump("aura_db");
    let version: u32 = cluster.value("postgres", "SHOW server_version_num").parse().unwrap();
    let dry = workspace.run(&["db-move", "--dry-run", "--format", "json"]).exits(3);
    let way = if version < 150_000 { "statements" } else { "rename" };
    assert!(dry.stdout.contains(&format!("\"way\": \"{way}\"")), "{}", dry.stdout);
    let undo = workspace.root().join("back.sql");
    workspace.run(&["db-move", "--undo", undo.to_str().unwrap()]).exits(0);
    assert_eq!(crate::place::schema_of(&cluster, "a"), "aura");
    let url = cluster.url("aura_user", "the-app's", "aura_db");
    cluster.psql(&url, &["-v", "ON_ERROR_STOP=1", "-f", undo.to_str().unwrap()], "").exits(0);
    let after = cluster.dump("aura_db");
    assert!(before == after, "the undo's dump differs:\n{}", difference(&before, &after));
    workspace.run(&["db-move"]).exits(0);
    assert_eq!(workspace.value("INSERT INTO a (x) VALUES ('x') RETURNING id"), "1");
}

#[test]
fn names_of_any_kind_are_quoted() {
    for theirs in
        ["", "CREATE TABLE \"Old \"\"one\"\"\".theirs (x int); ALTER TABLE \"Old \"\"one\"\"\".theirs OWNER TO reader"]
    {
        let (cluster, workspace) = in_public(&format!(
            "CREATE SCHEMA \"Old \"\"one\"\"\" AUTHORIZATION aura_user; SET ROLE aura_user; SET search_path = \"Old \"\"one\"\"\"; \
             CREATE TYPE \"a type\" AS (\"select\" int); CREATE TABLE \"a; DROP TABLE b\" (\"Id\" serial PRIMARY KEY, x \"a type\"[]); \
             CREATE TABLE b (id int); CREATE DOMAIN \"user\" AS text; CREATE VIEW \"naïve ☃\" AS SELECT 1 AS n; \
             CREATE FUNCTION \"f'(x)\"(\"a type\"[], \"a; DROP TABLE b\") RETURNS int LANGUAGE sql AS 'SELECT 7'; RESET ROLE; RESET search_path; {theirs}"
        ));
        let workspace = workspace.with("DB_SCHEMA", "Au'ra; --");
        let undo = workspace.root().join("back.sql");
        workspace.run(&["db-move", "--prepare"]).exits(0);
        let before = cluster.dump("aura_db");
        let from = "Old \"one\"";
        workspace.run(&["db-move", "--from", from, "--undo", undo.to_str().unwrap()]).exits(0);
        assert_eq!(workspace.value("SELECT \"f'(x)\"(NULL, NULL)::text FROM \"naïve ☃\""), "7");
        assert_eq!(crate::place::schema_of(&cluster, "b"), "Au'ra; --");
        take_back(&cluster, &undo);
        let after = cluster.dump("aura_db");
        assert!(before == after, "the undo's dump differs:\n{}", difference(&before, &after));
    }
}
