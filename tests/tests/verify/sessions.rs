//! Sessions that began before the path was set.

use tests::{Cluster, connection};

use crate::case::{CASE, set_up, set_up_on};

#[test]
fn f25_sessions_that_keep_the_old_path() {
    let (cluster, workspace) = set_up(&CASE);
    let app = connection(&cluster.url("aura_user", "the-app's", "aura_db"));
    cluster.sql("aura_db", "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = public");
    let mut worker =
        pg_config::connect(&pg_config::ConnInfo { application_name: Some("worker 1".to_owned()), ..app.clone() })
            .unwrap();
    workspace.run(&["db-setup"]).exits(0);

    // New sessions land in aura; the one that was there does not.
    let path = |session: &mut pg_config::Session| -> String {
        session.client.query_one("SHOW search_path", &[]).unwrap().get(0)
    };
    assert_eq!(path(&mut worker), "public");
    let mut later = pg_config::connect(&app).unwrap();
    assert_eq!(path(&mut later), "aura, public");

    let run = workspace.verify().exits(0);
    assert_eq!(run.with_status("warn"), ["search-path"]);
    let run = run.shows("older-session");
    let check = run.check("search-path");
    assert_eq!(check["objects"].as_array().unwrap().len(), 1, "{check}");
    // `--fix` ends no session; the SQL that is printed does.
    workspace.run(&["db-verify", "--fix"]).exits(0);
    assert_eq!(path(&mut worker), "public");
    cluster.sql("aura_db", &run.fix("search-path"));
    assert!(worker.client.query_one("SHOW search_path", &[]).is_err());
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
    assert_eq!(path(&mut later), "aura, public");

    // Another role sets the path, and no time is recorded.
    cluster.sql("aura_db", "ALTER ROLE aura_user IN DATABASE aura_db SET work_mem = '8MB'");
    assert!(workspace.verify().exits(0).with_status("warn").is_empty(), "that was another setting");
    cluster.sql("aura_db", "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aura, public, pg_temp");
    let run = workspace.verify().exits(0).shows("session-of-unknown-age");
    assert_eq!(run.with_status("warn"), ["search-path"]);
    drop(later);
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
    // Once db-setup has recorded the time, sessions that began later do not warn.
    workspace.run(&["db-setup"]).exits(0);
    let _later = pg_config::connect(&app).unwrap();
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}

#[test]
fn a_server_that_keeps_track_of_commits_knows_the_time() {
    let cluster = Cluster::start_with(&[("track_commit_timestamp", "on")]);
    let workspace = set_up_on(&cluster, &CASE);
    let app = connection(&cluster.url("aura_user", "the-app's", "aura_db"));
    let older = pg_config::connect(&app).unwrap();
    cluster.sql("aura_db", "ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aura, public, pg_temp");
    let _later = pg_config::connect(&app).unwrap();
    let run = workspace.verify().exits(0);
    assert_eq!(run.check("search-path")["objects"].as_array().unwrap().len(), 1, "{}", run.stdout);
    drop(older);
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}
