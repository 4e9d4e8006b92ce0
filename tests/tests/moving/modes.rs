//! The ways in which moving by hand fails, each by its number.

use tests::{Cluster, Workspace, connection, shows};

use crate::place::{THEIRS, by_app, in_public, left_in_public, schema_of};

/// Runs `db-move`, which must refuse and leave everything as it is.
#[track_caller]
fn refuses(cluster: &Cluster, workspace: &Workspace, arguments: &[&str]) -> String {
    let before = cluster.dump("aura_db");
    let run = workspace.run(arguments).exits(1);
    assert!(before == cluster.dump("aura_db"), "it changed something: {}", run.stderr);
    run.screen()
}

#[test]
fn m01_both_copies_are_named_before_anything_moves() {
    let (cluster, workspace) = in_public(&by_app(
        "CREATE TABLE public.artist (id serial PRIMARY KEY); INSERT INTO public.artist VALUES (1), (2); \
         CREATE TABLE public.work (id serial PRIMARY KEY); INSERT INTO public.work VALUES (1)",
    ));
    workspace.run(&["db-move", "--prepare"]).exits(0);
    cluster.sql(
        "aura_db",
        &by_app(
            "CREATE TABLE aura.artist (id serial PRIMARY KEY); CREATE TABLE aura.work (id serial PRIMARY KEY); \
             INSERT INTO aura.work VALUES (7), (8), (9)",
        ),
    );
    let mut screens = refuses(&cluster, &workspace, &["db-move"]);
    screens += &refuses(&cluster, &workspace, &["db-move", "--replace-empty"]);
    shows("both-copies", &screens);
    cluster.sql("aura_db", "DROP TABLE aura.work");
    let run = workspace.run(&["db-move", "--replace-empty", "--dry-run"]).exits(3);
    assert!(run.stdout.contains("drops: table aura.artist"), "{}", run.stdout);
    workspace.run(&["db-move", "--replace-empty"]).exits(0);
    assert_eq!(cluster.value("aura_db", "SELECT count(*) FROM aura.artist"), "2");
    assert_eq!(left_in_public(&cluster), "");
}

#[test]
fn m02_all_that_the_app_and_its_migrations_need_moves() {
    let tables = ["artist", "work", "django_migrations", "auth_user", "note"];
    let create: Vec<_> =
        tables.iter().map(|name| format!("CREATE TABLE public.{name} (id serial PRIMARY KEY)")).collect();
    let (cluster, workspace) = in_public(&by_app(&create.join("; ")));
    workspace.run(&["db-move"]).exits(0);
    for table in tables {
        assert_eq!(schema_of(&cluster, table), "aura");
        assert_eq!(workspace.value(&format!("INSERT INTO {table} DEFAULT VALUES RETURNING id")), "1");
    }
    assert_eq!(left_in_public(&cluster), "");
    let run = workspace.verify();
    assert!(!run.with_status("fail").iter().any(|id| ["strays", "bookkeeping", "duplicates"].contains(&id.as_str())));
}

#[test]
fn m03_an_idle_reader_leaves_all_or_nothing() {
    let tables = "CREATE TABLE public.a (id serial); CREATE TABLE public.b (id serial); CREATE VIEW public.v AS SELECT * FROM public.b";
    for (theirs, tries) in [(THEIRS, "2"), ("", "1")] {
        let (cluster, workspace) = in_public(&(by_app(tables) + theirs));
        workspace.run(&["db-move", "--prepare"]).exits(0);
        let app = connection(&cluster.url("aura_user", "the-app's", "aura_db"));
        let mut reader = pg_config::connect(&app).unwrap();
        reader.client.batch_execute("BEGIN; SELECT * FROM public.b").unwrap();
        if theirs.is_empty() {
            // A schema that is renamed locks no table.
            workspace.run(&["db-move", "--tries", tries]).exits(0);
            reader.client.batch_execute("SELECT * FROM aura.b; COMMIT").unwrap();
        } else {
            let screen = refuses(&cluster, &workspace, &["db-move", "--tries", tries]);
            shows("idle-reader", &screen);
            assert_eq!([schema_of(&cluster, "a"), schema_of(&cluster, "b")], ["public", "public"]);
            reader.client.batch_execute("COMMIT").unwrap();
            workspace.run(&["db-move"]).exits(0);
        }
        assert_eq!([schema_of(&cluster, "a"), schema_of(&cluster, "b"), schema_of(&cluster, "v")], ["aura"; 3]);
    }
}

#[test]
fn m04_m05_the_app_may_use_what_a_superuser_moves() {
    for theirs in ["", THEIRS] {
        let (cluster, workspace) =
            in_public(&(by_app("CREATE TABLE public.a (id serial PRIMARY KEY, x int)") + theirs));
        // Neither the schema nor a grant is there, and the app may make none.
        cluster.sql("postgres", "REVOKE CREATE ON DATABASE aura_db FROM aura_user");
        workspace.run(&["db-move"]).exits(0);
        assert_eq!(workspace.value("INSERT INTO a (x) VALUES (1) RETURNING id"), "1");
        assert_eq!(workspace.value("CREATE TABLE later (id int); SELECT 'later'::regclass"), "later");
        assert_eq!(schema_of(&cluster, "later"), "aura");
        assert_eq!(
            cluster.value("aura_db", "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'aura'"),
            "aura_user"
        );
    }
}

#[test]
fn m06_sessions_with_the_old_path_are_named_or_waited_for() {
    let (cluster, workspace) = in_public(&by_app("CREATE TABLE public.a (id int)"));
    let app = connection(&cluster.url("aura_user", "the-app's", "aura_db"));
    let worker = pg_config::ConnInfo { application_name: Some("worker 1".to_owned()), ..app.clone() };
    let mut worker = pg_config::connect(&worker).unwrap();
    workspace.run(&["db-move", "--prepare"]).exits(0);
    // The app goes on.
    worker.client.batch_execute("SELECT * FROM a").unwrap();
    let mut later = pg_config::connect(&app).unwrap();
    let waited = refuses(&cluster, &workspace, &["db-move", "--wait-for-sessions", "0"]);
    let moved = workspace.run(&["db-move"]).exits(0);
    shows("older-session", &(waited + &moved.screen()));
    // The one is lost until it reconnects, and the other one notices nothing.
    assert!(worker.client.batch_execute("SELECT * FROM a").is_err());
    later.client.batch_execute("SELECT * FROM a").unwrap();
}

#[test]
fn m07_no_text_in_data_is_changed() {
    let (cluster, workspace) = in_public(&by_app(
        "CREATE TABLE public.note (id int, text text, json jsonb); \
         INSERT INTO public.note VALUES (1, 'see public.note and \"public\".artist', '{\"public.note\": \"public.\"}')",
    ));
    let digest = |schema| cluster.value("aura_db", &format!("SELECT md5(n::text) FROM {schema}.note n"));
    let before = digest("public");
    workspace.run(&["db-move", "--rewrite-functions"]).exits(0);
    assert_eq!(digest("aura"), before);
}

#[test]
fn m09_bodies_and_paths_of_functions_are_found_and_rewritten() {
    let functions = "CREATE TABLE public.a (id int DEFAULT 7); INSERT INTO public.a VALUES (1); \
         CREATE FUNCTION public.by_body(x int DEFAULT 1) RETURNS bigint LANGUAGE plpgsql STABLE AS \
           $$BEGIN -- public.a in a comment\n RETURN (SELECT count(*) FROM public.a) + x; END$$; \
         CREATE FUNCTION public.by_path() RETURNS bigint LANGUAGE plpgsql SET search_path = public AS \
           $$BEGIN RETURN (SELECT count(*) FROM a); END$$; \
         CREATE FUNCTION public.innocent() RETURNS text LANGUAGE sql AS $$SELECT 'public.nothing'$$";
    for theirs in ["", THEIRS] {
        let (cluster, workspace) = in_public(&(by_app(functions) + theirs));
        workspace.run(&["db-move", "--prepare"]).exits(0);
        let before = cluster.dump("aura_db");
        let mut screens = refuses(&cluster, &workspace, &["db-move"]);
        screens += &workspace.run(&["db-move", "--rewrite-functions", "--dry-run"]).exits(3).screen();
        if theirs.is_empty() {
            shows("functions", &screens);
        }
        let undo = workspace.root().join("back.sql");
        workspace.run(&["db-move", "--rewrite-functions", "--undo", undo.to_str().unwrap()]).exits(0);
        assert_eq!(workspace.value("SELECT by_body() || ' ' || by_path() || ' ' || innocent()"), "2 1 public.nothing");
        let url = cluster.superuser().with_database("aura_db").url();
        cluster.psql(&url, &["-v", "ON_ERROR_STOP=1", "-f", undo.to_str().unwrap()], "").exits(0);
        assert!(before == cluster.dump("aura_db"), "the undo's dump differs");
        // As they were, they break when they are called: that may be meant.
        workspace.run(&["db-move", "--allow-broken"]).exits(0);
        assert!(
            cluster.value("aura_db", "SELECT prosrc FROM pg_proc WHERE proname = 'by_body'").contains("FROM public.a)")
        );
    }
}

#[test]
fn m09_texts_that_name_the_old_schema_are_found() {
    let (cluster, workspace) = in_public(&by_app(
        "CREATE TEXT SEARCH CONFIGURATION public.fr (COPY = pg_catalog.simple); CREATE SEQUENCE public.s; \
         CREATE TABLE public.a (id int DEFAULT nextval('public.s'::text), n int DEFAULT nextval('public.s'), \
                                body text, tsv tsvector, CHECK (body <> 'public.other')); \
         CREATE TRIGGER t BEFORE INSERT ON public.a FOR EACH ROW \
           EXECUTE FUNCTION tsvector_update_trigger('tsv', 'public.fr', 'body'); \
         CREATE VIEW public.v AS SELECT 'public.a'::text AS name; \
         CREATE FUNCTION public.f() RETURNS text LANGUAGE sql SET default_text_search_config = 'public.fr' AS 'SELECT 1::text'",
    ));
    cluster.sql(
        "aura_db",
        "CREATE EXTENSION postgres_fdw; CREATE SERVER there FOREIGN DATA WRAPPER postgres_fdw; \
         CREATE FOREIGN TABLE public.far (x int) SERVER there; \
         CREATE FOREIGN TABLE public.said (x int) SERVER there OPTIONS (schema_name 'public')",
    );
    cluster.sql("aura_db", "ALTER DATABASE aura_db SET default_text_search_config = 'public.fr'");
    cluster.sql("aura_db", "ALTER ROLE reader IN DATABASE aura_db SET search_path = public");
    shows("texts", &workspace.run(&["db-move", "--dry-run"]).exits(3).screen());
    refuses(&cluster, &workspace, &["db-move"]);
    workspace.run(&["db-move", "--allow-broken"]).exits(0);
    assert_eq!(workspace.value("SELECT nextval('s')"), "1");
}

#[test]
fn m10_types_and_operators_out_of_reach_of_the_path_are_found() {
    let (cluster, workspace) = in_public(&format!(
        "CREATE EXTENSION citext; {}",
        by_app("CREATE TABLE public.a (mail citext); INSERT INTO public.a VALUES ('a@b.c')")
    ));
    let url = workspace.setting("DATABASE_URL").to_owned() + "&options=-csearch_path%3Daura";
    let alone = Workspace::on(&cluster).with("DATABASE_URL", &url);
    shows("out-of-reach", &refuses(&cluster, &alone, &["db-move"]));
    // Where the path reaches both, or is the one that the setup stores, nothing is in the way.
    workspace.run(&["db-move"]).exits(0);
    assert_eq!(workspace.value("SELECT count(*) FROM a WHERE mail = 'A@B.C'"), "1");
}

#[test]
fn m11_other_roles_reach_what_they_reached() {
    for theirs in ["", THEIRS] {
        let (cluster, workspace) = in_public(
            &(by_app(
                "CREATE TABLE public.a (id int); GRANT SELECT ON public.a TO reader; \
                 ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reader",
            ) + theirs),
        );
        workspace.run(&["db-move"]).exits(0);
        workspace.value("CREATE TABLE later (id int); SELECT 1");
        cluster.sql("aura_db", "SET ROLE reader; SELECT * FROM aura.a; SELECT * FROM aura.later; RESET ROLE");
    }
}

#[test]
fn m12_publications_keep_their_tables() {
    for theirs in ["", THEIRS] {
        let (cluster, workspace) =
            in_public(&(by_app("CREATE TABLE public.a (id int); CREATE TABLE public.b (id int)") + theirs));
        workspace.run(&["db-move", "--prepare"]).exits(0);
        let version: u32 = cluster.value("postgres", "SHOW server_version_num").parse().unwrap();
        let of = if version < 150_000 { "FOR TABLE public.a, public.b" } else { "FOR TABLES IN SCHEMA public" };
        cluster.sql("aura_db", &format!("CREATE PUBLICATION p {of}"));
        let screen = refuses(&cluster, &workspace, &["db-move"]);
        if theirs.is_empty() {
            shows("publication", &screen);
        }
        workspace.run(&["db-move", "--move-publications"]).exits(0);
        let published = "SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY 1, tablename) FROM pg_publication_tables \
             WHERE tablename IN ('a', 'b')";
        assert_eq!(cluster.value("aura_db", published), "aura.a aura.b");
    }
}

#[test]
fn m13_partitions_and_children_go_with_their_parents() {
    let (cluster, workspace) = in_public(
        &(by_app(
            "CREATE TABLE public.p (y int) PARTITION BY RANGE (y); \
             CREATE TABLE public.p_1 PARTITION OF public.p FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (y); \
             CREATE TABLE public.q PARTITION OF public.p_1 FOR VALUES FROM (0) TO (5); \
             CREATE TABLE public.base (id int); CREATE TABLE public.child () INHERITS (public.base); \
             CREATE TABLE public.alone (id int)",
        )),
    );
    // Whatever their names are.
    workspace.run(&["db-move", "--only", "p", "--only", "base"]).exits(0);
    let places = ["p", "p_1", "q", "base", "child", "alone"].map(|name| schema_of(&cluster, name));
    assert_eq!(places, ["aura", "aura", "aura", "aura", "aura", "public"]);
}

#[test]
fn m14_what_belongs_to_an_extension_stays() {
    for (extensions, way) in [
        ("CREATE EXTENSION pg_stat_statements; CREATE EXTENSION citext;", "rename"),
        // One that cannot be moved back.
        ("CREATE EXTENSION xml2; CREATE EXTENSION citext;", "statements"),
    ] {
        let (cluster, workspace) = in_public(&(extensions.to_owned() + &by_app("CREATE TABLE public.a (mail citext)")));
        let members = "SELECT count(*) || md5(string_agg(format('%s %s', classid, objid), ', ' ORDER BY classid, objid)) FROM pg_depend \
             WHERE deptype = 'e' AND refobjid IN (SELECT oid FROM pg_extension WHERE extnamespace = 'public'::regnamespace)";
        let before = cluster.value("aura_db", members);
        let dry = workspace.run(&["db-move", "--dry-run", "--format", "json"]).exits(3);
        assert!(dry.stdout.contains(&format!("\"way\": \"{way}\"")), "{}", dry.stdout);
        workspace.run(&["db-move"]).exits(0);
        assert_eq!(cluster.value("aura_db", members), before);
        assert_eq!(schema_of(&cluster, "a"), "aura");
        assert_eq!(left_in_public(&cluster), "");
        workspace.value("INSERT INTO a VALUES ('A@b'); SELECT mail FROM a WHERE mail = 'a@B'");
    }
}
