//! `db-verify --fix`: what it runs, by whom, and what it leaves.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use tests::{Cluster, Passage, Proxy, Sender, Workspace, psql, shows};

use crate::case::{CASE, set_up, set_up_on};

/// Breakages of every kind that `--fix` may fix.
const BROKEN: &str = "
    ALTER ROLE aura_user IN DATABASE aura_db RESET search_path; ALTER DATABASE aura_db RESET search_path;
    REVOKE ALL ON SCHEMA aura FROM aura_user; REVOKE INSERT ON ALL TABLES IN SCHEMA aura FROM aura_user;
    ALTER TABLE aura.notes_note OWNER TO other; GRANT CREATE ON SCHEMA public TO PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA aura REVOKE ALL ON TABLES FROM aura_user;
    INSERT INTO aura.artworks_support (id, name, created_at) VALUES (4711, 'a', now());
    ALTER TABLE aura.notes_note ADD CONSTRAINT has_title CHECK (title <> '') NOT VALID";

#[test]
fn everything_at_once_is_fixed_and_verified_again() {
    let (cluster, workspace) = set_up(&CASE);
    let intact = workspace.verify().exits(0);
    cluster.sql("aura_db", BROKEN);

    let before = (cluster.dump("aura_db"), cluster.globals());
    let dry = workspace.run(&["db-verify", "--fix", "--dry-run"]).exits(3).shows("script");
    assert!(before == (cluster.dump("aura_db"), cluster.globals()), "--dry-run changed something");
    assert!(dry.stdout.contains("BEGIN;") && dry.stdout.contains("COMMIT;\n"), "{}", dry.stdout);

    // The file has what needs a person too, as comments: run as it is, it does what --fix does.
    cluster
        .sql("aura_db", "CREATE TABLE public.notes_other (id int); ALTER TABLE public.notes_other OWNER TO aura_user");
    workspace.run(&["db-verify", "-q", "--sql", "all.sql"]).exits(3);
    let all = std::fs::read_to_string(workspace.root().join("all.sql")).unwrap();
    shows("all-findings", &all);
    psql(&cluster.admin_url().replace("/postgres?", "/aura_db?"), &["-v", "ON_ERROR_STOP=1", "-f", "-"], &all).exits(0);
    cluster.sql(
        "aura_db",
        "DROP TABLE public.notes_other; ALTER TABLE aura.notes_note DROP CONSTRAINT has_title;
         DELETE FROM aura.artworks_support WHERE id = 4711",
    );
    cluster.sql("aura_db", BROKEN);

    let fixed = workspace.run(&["db-verify", "--fix", "--format", "json"]).exits(0).shows("everything");
    assert_eq!(fixed.with_status("pass"), intact.with_status("pass"), "{}", fixed.stdout);
    // Once more there is nothing to do, and nothing is done.
    let after = (cluster.dump("aura_db"), cluster.globals());
    let again = workspace.run(&["db-verify", "--fix"]).exits(0);
    assert_eq!(again.stderr, "");
    workspace.run(&["db-setup"]).exits(0);
    assert!(after == (cluster.dump("aura_db"), cluster.globals()));
}

#[test]
fn the_script_of_dry_run_fixes_by_psql() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("aura_db", BROKEN);
    let superuser = cluster.superuser().with_database("aura_db").url();
    let run_script = |url: &str| {
        let script = workspace.run(&["db-verify", "--fix", "--dry-run"]).stdout;
        psql(url, &["-v", "ON_ERROR_STOP=1"], &script).exits(0)
    };
    // A finding may hide another one.
    for _ in 0..3 {
        run_script(&superuser).complains("only the app's role may run it");
    }
    // A superuser has left what runs the app's code.
    let left = workspace.verify().exits(3);
    assert_eq!(
        (left.with_status("fail"), left.with_status("warn")),
        (vec!["sequence-values".to_owned()], vec!["invalid-indexes".to_owned()])
    );
    assert_eq!(run_script(workspace.setting("DATABASE_URL")).stderr, "");
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}

#[test]
fn a_locked_table_is_left_and_the_rest_is_fixed() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("aura_db", BROKEN);
    let mut other = pg_config::connect(&cluster.superuser().with_database("aura_db")).unwrap();
    other.client.batch_execute("BEGIN; LOCK TABLE aura.notes_note IN ACCESS SHARE MODE").unwrap();
    let run = workspace.run(&["db-verify", "--fix", "--format", "json"]).exits(3).shows("locked-table");
    assert_eq!(run.with_status("fail"), ["ownership"], "{}", run.stdout);
    drop(other);
    workspace.run(&["db-verify", "--fix"]).exits(0);
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}

#[test]
fn a_session_that_the_server_ends_changes_nothing() {
    let (cluster, workspace) = set_up(&CASE);
    // The server ends the session that grants.
    cluster.sql(
        "aura_db",
        "CREATE SCHEMA ops; GRANT USAGE ON SCHEMA ops TO PUBLIC; \
         CREATE FUNCTION ops.end_it() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN \
             PERFORM pg_terminate_backend(pg_backend_pid()); END $$; \
         REVOKE INSERT ON aura.notes_note FROM aura_user; REVOKE CREATE ON SCHEMA aura FROM aura_user; \
         CREATE EVENT TRIGGER end_it ON ddl_command_end WHEN TAG IN ('GRANT') EXECUTE FUNCTION ops.end_it()",
    );
    let before = (cluster.dump("aura_db"), cluster.globals());
    let run = workspace.run(&["db-verify", "--fix"]).exits(1);
    // The first line is the server's last message, or says that the connection is closed.
    // What the server said comes through, or the end of the connection before it.
    let lines = run.stderr.lines().skip(1).filter(|line| !line.starts_with("  cause:"));
    shows("ended-session", &lines.collect::<Vec<_>>().join("\n"));
    assert!(before == (cluster.dump("aura_db"), cluster.globals()), "half of it was changed");
    cluster.sql("aura_db", "DROP EVENT TRIGGER end_it");
    workspace.run(&["db-verify", "--fix"]).exits(0);
}

#[test]
fn functions_of_the_app_never_run_with_more_rights() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        "SET ROLE aura_user; CREATE FUNCTION aura.evil(i int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN \
             IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN ALTER ROLE aura_user SUPERUSER; END IF; \
             RETURN true; END $$; \
         CREATE TABLE aura.trap (i int); INSERT INTO aura.trap VALUES (1); \
         ALTER TABLE aura.trap ADD CONSTRAINT evil CHECK (aura.evil(i)) NOT VALID",
    );
    let not_valid = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated";
    assert_eq!(cluster.value("aura_db", not_valid), "1");
    workspace.run(&["db-verify", "--fix"]).exits(0);
    assert_eq!(cluster.value("aura_db", not_valid), "0");
    assert_eq!(cluster.value("postgres", "SELECT rolsuper FROM pg_roles WHERE rolname = 'aura_user'"), "f");
    // The constraint of another role's table is left as it is.
    cluster.sql(
        "aura_db",
        "ALTER TABLE aura.trap DROP CONSTRAINT evil; ALTER TABLE aura.trap ADD CONSTRAINT evil CHECK (aura.evil(i)) NOT VALID; \
         REVOKE CREATE ON SCHEMA aura FROM aura_user; ALTER SCHEMA aura OWNER TO postgres; ALTER TABLE aura.trap OWNER TO postgres; \
         GRANT ALL ON aura.trap TO aura_user",
    );
    workspace.run(&["db-verify", "--fix"]);
    assert_eq!(cluster.value("postgres", "SELECT rolsuper FROM pg_roles WHERE rolname = 'aura_user'"), "f");
}

#[test]
fn names_that_end_a_line_stay_in_the_comment() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        "SET ROLE aura_user; CREATE TABLE aura.U&\"a\\000DALTER ROLE aura_user SUPERUSER; --\" (id serial PRIMARY KEY); \
         INSERT INTO aura.U&\"a\\000DALTER ROLE aura_user SUPERUSER; --\" VALUES (1)",
    );
    let script = workspace.run(&["db-verify", "--fix", "--dry-run"]).exits(3).stdout;
    psql(&cluster.superuser().with_database("aura_db").url(), &[], &script).exits(0);
    assert_eq!(cluster.value("postgres", "SELECT rolsuper FROM pg_roles WHERE rolname = 'aura_user'"), "f");
}

#[test]
fn an_administrator_without_access_changes_no_other_database() {
    // Its files are on this machine, on each rung.
    let cluster = Cluster::start_with(&[]);
    let workspace = set_up_on(&cluster, &CASE);
    cluster.sql("aura_db", "GRANT CREATE ON SCHEMA public TO PUBLIC");
    cluster.sql("postgres", "GRANT CREATE ON SCHEMA public TO PUBLIC");
    cluster.let_in("host aura_db postgres 127.0.0.1/32 reject");
    let acl = "SELECT nspacl FROM pg_namespace WHERE nspname = 'public'";
    let before = cluster.value("postgres", acl);
    workspace.run(&["db-verify", "--fix"]).exits(0);
    assert_eq!(cluster.value("postgres", acl), before);
}

#[test]
fn the_app_fixes_its_own_objects() {
    let (cluster, workspace) = set_up(&CASE);
    let workspace = workspace.without("ADMIN_DATABASE_URL");
    cluster.sql(
        "aura_db",
        "REVOKE INSERT ON aura.notes_note FROM aura_user; ALTER ROLE aura_user IN DATABASE aura_db RESET search_path; \
         ALTER TABLE aura.core_user OWNER TO postgres; REVOKE ALL ON DATABASE aura_db FROM aura_user",
    );
    let fixed = workspace.run(&["db-verify", "--fix", "--format", "json"]).exits(3).shows("without-an-administrator");
    assert_eq!(fixed.with_status("fail"), ["table-privileges", "sequence-privileges", "ownership"], "{}", fixed.stdout);
    // The administrator fixes the rest.
    Workspace::on(&cluster).run(&["db-verify", "--fix"]).exits(0);
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}

#[test]
fn the_administrator_fixes_the_login() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("postgres", "REVOKE CONNECT ON DATABASE aura_db FROM PUBLIC, aura_user");
    workspace.run(&["db-verify", "--fix"]).exits(0).shows("no-connect");
    workspace.verify().exits(0);
    // The app's own connection runs its part once it may connect; read-only sessions prevent nothing.
    cluster.sql("aura_db", BROKEN);
    cluster.sql("postgres", "REVOKE CONNECT ON DATABASE aura_db FROM PUBLIC, aura_user");
    workspace.run(&["db-verify", "--fix"]).exits(0).shows("no-connect-and-everything");
    cluster.sql(
        "aura_db",
        "ALTER ROLE aura_user SET default_transaction_read_only = on; REVOKE INSERT ON aura.notes_note FROM aura_user",
    );
    let run = workspace.run(&["db-verify", "--fix", "--format", "json"]).exits(3);
    assert_eq!(run.with_status("fail"), ["database"], "{}", run.stdout);
    cluster.sql("postgres", "ALTER ROLE aura_user RESET default_transaction_read_only");
    workspace.verify().exits(0);
    workspace.run(&["db-verify", "--dry-run"]).exits(2).shows("dry-run-alone");
}

/// Whether a COMMIT was done whose answer is lost, the server is asked by a new session.
#[test]
fn a_commit_without_an_answer_is_looked_up() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        "CREATE FUNCTION public.ends() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
             AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
         CREATE TABLE public.granted (tag text);
         CREATE CONSTRAINT TRIGGER ends AFTER INSERT ON public.granted DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION public.ends();
         CREATE FUNCTION public.notes() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
             AS $$ BEGIN INSERT INTO granted VALUES (tg_tag); END $$;
         CREATE EVENT TRIGGER notes ON ddl_command_end WHEN TAG IN ('GRANT') EXECUTE FUNCTION public.notes();
         REVOKE SELECT ON aura.notes_note FROM aura_user",
    );
    // Whether the server's last words arrive is not ours to say.
    workspace.run(&["db-verify", "--fix"]).exits(1).complains("statement: COMMIT, which was rolled back");
}

/// What was committed counts, though the connection ended before the server's answer came.
#[test]
fn a_commit_whose_answer_is_lost_on_its_way_is_done() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("aura_db", "REVOKE INSERT ON aura.notes_note FROM aura_user");
    let (granted_on, is_cut) = (AtomicU64::new(0), Arc::new(AtomicBool::new(false)));
    let proxy = Proxy::before(cluster.port(), {
        let is_cut = is_cut.clone();
        move |message| {
            let completes = |tag: &[u8]| message.tag == Some(b'C') && message.bytes[5..].starts_with(tag);
            match message.sender {
                Sender::Server if completes(b"GRANT") => granted_on.store(message.connection, SeqCst),
                Sender::Server if completes(b"COMMIT") && granted_on.load(SeqCst) == message.connection => {
                    is_cut.store(true, SeqCst);
                    return Passage::Close;
                }
                _ => {}
            }
            Passage::Pass
        }
    });
    let through = format!(":{}/", proxy.port);
    let url = workspace.setting("DATABASE_URL").replace(&format!(":{}/", cluster.port()), &through);
    workspace
        .with("DATABASE_URL", &url)
        .run(&["db-verify", "--fix"])
        .exits(0)
        .complains("aura_user: GRANT ALL PRIVILEGES ON TABLE aura.notes_note");
    assert!(is_cut.load(SeqCst), "the answer was not lost");
}

/// One transaction cannot lock them all: the server has room for 500 locks or so.
#[test]
fn more_objects_than_a_transaction_can_lock() {
    let cluster = Cluster::start_with(&[
        ("max_locks_per_transaction", "10"),
        ("max_connections", "20"),
        ("shared_buffers", "16MB"),
    ]);
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    cluster.sql("postgres", "CREATE ROLE team");
    for part in 0..40 {
        cluster.sql(
            "aura_db",
            &format!(
                "DO $$ BEGIN FOR n IN {0}..{0} + 49 LOOP EXECUTE format('CREATE TABLE aura.many_%s (id int PRIMARY KEY)', n); \
                 EXECUTE format('ALTER TABLE aura.many_%s OWNER TO team', n); END LOOP; END $$",
                part * 50
            ),
        );
    }
    workspace.verify().exits(3);
    let script = workspace.run(&["db-verify", "--fix", "--dry-run"]).exits(3);
    assert!(script.stdout.matches("BEGIN;").count() > 10, "{}", script.stdout);
    workspace.run(&["db-verify", "--fix"]).exits(0);
    assert_eq!(cluster.value("aura_db", "SELECT count(*) FROM pg_class WHERE relowner = 'team'::regrole"), "0");
}
