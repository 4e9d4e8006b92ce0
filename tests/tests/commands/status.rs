//! `db-status`: one screen, with the source of each value.

use tests::{Cluster, Workspace};

#[test]
fn one_screen_with_sources_and_without_passwords() {
    let (cluster, workspace) = Cluster::set_up();
    let run = workspace.run(&["db-status"]).exits(0).never_says("the-app").never_says(&admin_password(&cluster));
    let run = run.shows("verified-server");
    assert!(run.stdout.lines().count() <= 40, "one screen: {}", run.stdout);
    // A screen has neither the port nor the version.
    for fact in [format!("127.0.0.1:{}", cluster.port()), cluster.value("postgres", "SHOW server_version")] {
        assert!(run.stdout.contains(&fact), "{fact}: {}", run.stdout);
    }

    cluster.sql("aura_db", "CREATE TABLE public.sketch (id int)");
    workspace.run(&["db-status"]).exits(0).shows("server-with-finding");
}

#[test]
fn the_source_that_won_is_named() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).without("DATABASE_URL").with("DB_SCHEMA", "from_process");
    let url = cluster.url("aura_user", "in-the-file", "aura_db");
    workspace.write(".env", format!("DATABASE_URL={url}\nDB_SCHEMA=from_file\nPOSTGRES_IMAGE=postgres:16\n"));
    workspace.run(&["db-status", "--server", "env"]).exits(0).never_says("in-the-file").shows("sources-that-won");
}

#[test]
fn each_value_has_its_own_source_and_the_files_name() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster)
        .without("DATABASE_URL")
        .with("DB_PORT", &cluster.port().to_string())
        .with("SECRET_KEY", "s3cret-of-the-app");
    workspace.write(
        "a.env",
        "DB_HOST=127.0.0.1\nDB_PORT=1\nDB_USER=aura_user\nDB_PASSWORD=pw-in-file\nDB_NAME=aura_db\n\
         PGSSLMODE=disable\nPGOPTIONS='-c work_mem=2MB'\nDEBUG=s3cret-debug\n",
    );
    let run = workspace.run(&["db-status", "--env-file", "a.env"]).exits(0);
    run.never_says("pw-in-file").never_says("s3cret").shows("source-of-each-value");
}

#[test]
fn f03_both_spellings_are_read_and_a_contradiction_is_an_error() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).with("DB_NAME", "another");
    workspace.run(&["db-status"]).exits(1).shows("contradiction").never_says("the-app");
    let parts = workspace
        .without("DATABASE_URL")
        .with("DB_HOST", "127.0.0.1")
        .with("DB_PORT", &cluster.port().to_string())
        .with("DB_USER", "another_role")
        .with("DB_PASSWORD", "the-app's");
    parts.run(&["db-status"]).exits(0).shows("values-in-parts");
    // What is said is what is used.
    parts.run(&["db-setup"]).exits(0);
    assert_eq!(parts.value("SELECT current_user || ' in ' || current_database()"), "another_role in another");
    assert_eq!(cluster.inventory(), "database another, role another_role");
}

#[test]
fn no_server_is_said_with_exit_code_4() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    drop(cluster);
    workspace.run(&["db-status", "--wait", "0"]).exits(4).never_says("the-app").shows("no-server");
}

#[test]
fn json_has_what_the_screen_has() {
    let (_cluster, workspace) = Cluster::set_up();
    workspace.write(".env", "DB_NAME=other\n");
    let text = workspace.run(&["db-status"]).exits(0);
    // What is ignored is said once.
    let count = text.stdout.matches("ignored: ").count() + text.stderr.matches("ignored: ").count();
    assert_eq!(count, 1, "{}{}", text.stderr, text.stdout);
    let json = workspace.run(&["db-status", "--format", "json"]).exits(0).never_says("the-app");
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["ignored"].as_array().unwrap().len(), 1);
    for section in ["server", "configuration"] {
        for row in document[section].as_array().unwrap() {
            for part in ["name", "value", "note"] {
                assert!(text.stdout.contains(row[part].as_str().unwrap()), "{row}: {}", text.stdout);
            }
        }
    }
    assert_eq!(document["server"].as_array().unwrap().last().unwrap()["value"], "verified");
    assert_eq!(document["kept_servers"], serde_json::json!([]));
}

fn admin_password(cluster: &Cluster) -> String {
    cluster.superuser().password.unwrap().reveal().to_owned()
}
