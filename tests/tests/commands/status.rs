//! `db-status`: one screen, with the source of each value.

use tests::{Cluster, Workspace, seen};

#[test]
fn one_screen_with_sources_and_without_passwords() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    let run = workspace.run(&["db-status"]).exits(0).never_says("the-app").never_says(&admin_password(&cluster));
    assert!(run.stdout.lines().count() <= 40, "one screen: {}", run.stdout);
    let line = |name: &str| {
        let found = run.stdout.lines().find(|line| line.trim_start().starts_with(name));
        found.unwrap_or_else(|| panic!("no {name}: {}", run.stdout)).to_owned()
    };
    assert!(line("address").contains(&format!("127.0.0.1:{}", cluster.port())));
    assert!(line("address").contains("DATABASE_URL in the environment"));
    assert!(line("password").contains("***") && line("password").contains("DATABASE_URL in the environment"));
    assert!(line("ADMIN_DATABASE_URL").contains("***"), "{}", line("ADMIN_DATABASE_URL"));
    assert!(line("DB_SCHEMA").contains("aura") && line("DB_SCHEMA").contains("(default)"));
    assert!(line("state").ends_with("verified"));
    let version = format!("PostgreSQL {}", cluster.value("postgres", "SHOW server_version"));
    assert!(line("version").contains(&version), "{}", line("version"));

    cluster.sql("aura_db", "CREATE TABLE public.sketch (id int)");
    let run = workspace.run(&["db-status"]).exits(0);
    assert!(run.stdout.contains("not verified: strays (cargo xtask db-verify says more)"), "{}", run.stdout);
}

#[test]
fn the_source_that_won_is_named() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).without("DATABASE_URL").with("DB_SCHEMA", "from_process");
    let url = cluster.url("aura_user", "in-the-file", "aura_db");
    workspace.write(".env", format!("DATABASE_URL={url}\nDB_SCHEMA=from_file\nPOSTGRES_IMAGE=postgres:16\n"));
    let run = workspace.run(&["db-status", "--server", "env"]).exits(0).never_says("in-the-file");
    let row = |name: &str| run.stdout.lines().find(|line| line.trim_start().starts_with(name)).unwrap().to_owned();
    assert!(
        row("DB_SCHEMA").contains("from_process") && row("DB_SCHEMA").contains("in the environment"),
        "{}",
        row("DB_SCHEMA")
    );
    assert!(
        row("POSTGRES_IMAGE").contains("postgres:16") && row("POSTGRES_IMAGE").contains(".env"),
        "{}",
        row("POSTGRES_IMAGE")
    );
    assert!(row("DB_SERVER").contains("--server"), "{}", row("DB_SERVER"));
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
        format!(
            "DATABASE_URL=postgres://aura_user:pw-in-file@127.0.0.1:{}/aura_db?sslmode=disable&options=-cwork_mem=2MB\nDEBUG=s3cret-debug\n",
            cluster.port()
        ),
    );
    let run = workspace.run(&["db-status", "--env-file", "a.env"]).exits(0);
    let run = run.never_says("pw-in-file").never_says("s3cret");
    let configuration = run.stdout.split("configuration").nth(1).unwrap();
    for (name, value, source) in [
        ("host", "127.0.0.1", "(DATABASE_URL in a.env)"),
        ("port", &cluster.port().to_string(), "(DB_PORT in the environment)"),
        ("sslmode", "disable", "(DATABASE_URL in a.env)"),
        ("options", "-c work_mem=2MB", "(DATABASE_URL in a.env)"),
        ("DEBUG", "(set)", "(DEBUG in a.env, passed through)"),
        ("SECRET_KEY", "(set)", "(SECRET_KEY in the environment, passed through)"),
    ] {
        let row =
            configuration.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_else(|| panic!("{name}"));
        assert!(row.contains(value) && row.ends_with(source), "{row}");
    }
}

#[test]
fn f03_both_spellings_are_read_and_a_contradiction_is_an_error() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).with("DB_NAME", "another");
    workspace.run(&["db-status"]).exits(1).complains("DB_NAME").complains("DATABASE_URL").never_says("the-app");
    let parts = workspace
        .without("DATABASE_URL")
        .with("DB_HOST", "127.0.0.1")
        .with("DB_PORT", &cluster.port().to_string())
        .with("DB_USER", "another_role")
        .with("DB_PASSWORD", "the-app's");
    let run = parts.run(&["db-status"]).exits(0);
    let row = run.stdout.lines().find(|line| line.contains("another ") && line.contains("DB_NAME")).unwrap();
    // What is said is what is used.
    parts.run(&["db-setup"]).exits(0);
    let used = parts.value("SELECT current_user || ' in ' || current_database()");
    assert_eq!(used, "another_role in another");
    assert_eq!(cluster.inventory(), "database another, role another_role");
    seen(&format!("db-status: {}; in use: {used}", row.trim()));
}

#[test]
fn no_server_is_said_with_exit_code_4() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    drop(cluster);
    let run = workspace.run(&["db-status", "--wait", "0"]).exits(4).never_says("the-app");
    assert!(run.stdout.contains("no server answers") && run.stdout.contains("configuration"), "{}", run.stdout);
}

fn admin_password(cluster: &Cluster) -> String {
    cluster.superuser().password.unwrap().reveal().to_owned()
}
