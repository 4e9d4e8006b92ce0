//! `db-verify` changes nothing, whatever it finds.

use tests::{Cluster, Workspace};

use crate::case::{CASE, Case, set_up};

/// A dump with owners, privileges, settings and data, the roles, and how many rows the catalog holds.
fn state(cluster: &Cluster) -> (String, String, String) {
    let catalog = "SELECT pg_catalog.concat_ws(' ', (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_type), \
                   (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_default_acl), (SELECT count(*) FROM pg_depend), \
                   (SELECT count(*) FROM pg_namespace))";
    (cluster.dump("aura_db"), cluster.globals(), cluster.value("aura_db", catalog))
}

#[track_caller]
fn leaves_nothing(cluster: &Cluster, workspace: &Workspace, code: i32) {
    let before = state(cluster);
    for format in ["text", "json"] {
        workspace.run(&["db-verify", "--format", format]).exits(code);
    }
    let after = state(cluster);
    assert!(before == after, "db-verify changed something");
}

#[test]
fn verifying_leaves_nothing_behind() {
    let (cluster, workspace) = set_up(&CASE);
    leaves_nothing(&cluster, &workspace, 0);

    let broken =
        Case { breaks: "CREATE TABLE public.sketch (id int); GRANT CREATE ON SCHEMA public TO PUBLIC", ..CASE };
    cluster.sql("aura_db", broken.breaks);
    cluster.sql("aura_db", "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = public, aura");
    leaves_nothing(&cluster, &workspace, 3);
}

#[test]
fn eight_at_once_do_not_disturb_each_other() {
    let (cluster, workspace) = set_up(&CASE);
    let before = state(&cluster);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| workspace.verify().code)).collect();
        assert!(runs.into_iter().all(|run| run.join().unwrap() == 0));
    });
    assert!(before == state(&cluster), "db-verify changed something");
}

#[test]
fn a_role_that_reads_only_by_default_is_found_and_left_so() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("postgres", "ALTER ROLE aura_user SET default_transaction_read_only = on");
    assert_eq!(workspace.value("SHOW transaction_read_only"), "on");
    leaves_nothing(&cluster, &workspace, 3);
    // No INSERT of the app's works; a person may have wanted that.
    let run = workspace.run(&["db-verify", "--fix", "--format", "json"]).exits(3);
    assert_eq!(run.with_status("fail"), ["database"]);
    cluster.sql("postgres", &run.fix("database"));
    assert_eq!(workspace.value("SHOW transaction_read_only"), "off");
    workspace.verify().exits(0);
}

#[test]
fn a_superuser_as_the_app_is_verified_and_warned_of() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("postgres", "ALTER ROLE aura_user SUPERUSER");
    leaves_nothing(&cluster, &workspace, 0);
    let run = workspace.verify().shows("superuser");
    assert_eq!(run.with_status("warn"), ["role", "public-create"]);
}

#[test]
fn what_a_trigger_writes_goes_with_the_probe() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql(
        "aura_db",
        "CREATE SCHEMA ops; GRANT USAGE ON SCHEMA ops TO PUBLIC; CREATE TABLE ops.ddl (tag text, at timestamptz DEFAULT now()); \
         GRANT INSERT ON ops.ddl TO PUBLIC; CREATE FUNCTION ops.log() RETURNS event_trigger LANGUAGE plpgsql \
         AS 'BEGIN INSERT INTO ops.ddl VALUES (tg_tag); END'; \
         CREATE EVENT TRIGGER log ON ddl_command_end EXECUTE FUNCTION ops.log()",
    );
    leaves_nothing(&cluster, &workspace, 0);
    assert_eq!(cluster.value("aura_db", "SELECT count(*) FROM ops.ddl"), "0");
}

#[test]
fn it_waits_for_no_lock() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("aura_db", "CREATE TABLE public.notes_note (LIKE aura.notes_note)");
    assert!(workspace.verify().exits(3).fix("duplicates").contains("DROP TABLE public.notes_note"));

    // The lock is held for as long as the verification takes: it could not end if it waited for it.
    let mut holder = pg_config::connect(&cluster.superuser().with_database("aura_db")).unwrap().into_client();
    for table in ["public.notes_note", "aura.notes_note"] {
        let mut holding = holder.transaction().unwrap();
        holding.batch_execute(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).unwrap();
        let run = workspace.verify().exits(3);
        holding.rollback().unwrap();
        assert_eq!(run.with_status("fail"), ["duplicates"]);
        let run = run.shows(&format!("lock-on-{}", table.replace('.', "-")));
        assert_eq!(run.fix("duplicates"), "");
    }
}
