//! Which source wins, what contradicts, and which password goes to which server.

mod servers;

use super::*;

fn project() -> Project {
    Project {
        name: "aura".into(),
        root: "/nowhere".into(),
        database: "aura_db".into(),
        role: "aura_user".into(),
        schema: "aura".into(),
        migrate_command: "run".into(),
        migrate_inputs: "migrations/**".into(),
        other_schemas: None,
        migrate_build: None,
        container_helper: None,
    }
}

fn resolve(process: &[(&str, &str)], file: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut process = process.to_vec();
    process.push(("HOME", "/home/somebody"));
    Config::resolve(&project(), &Environment::of(&process, file), None)
}

fn summary(config: &Config) -> String {
    let named = config.named.as_ref().map_or("none".to_owned(), |found| found.value[0].to_string());
    let password = config.password.as_ref().map_or("none", |found| found.value.reveal());
    format!("{} {} {named} {password}", config.role.value.as_str(), config.database.value.as_str())
}

#[test]
fn nothing_said_names_no_server() {
    let config = resolve(&[], &[]).unwrap();
    assert_eq!(summary(&config), "aura_user aura_db none none");
    assert_eq!(config.schema.value.as_str(), "aura");
    assert_eq!(config.migrations.inputs.unwrap().value, ["migrations/**"]);
}

#[test]
fn f03_both_spellings_are_read() {
    let parts = [("DB_NAME", "d"), ("DB_USER", "u"), ("DB_PASSWORD", "p"), ("DB_HOST", "h"), ("DB_PORT", "5433")];
    let url = ("DATABASE_URL", "postgres://u:p@h:5433/d");
    for file in [parts.to_vec(), vec![url], [parts.to_vec(), vec![url]].concat()] {
        assert_eq!(summary(&resolve(&[], &file).unwrap()), "u d h:5433 p");
    }
}

#[test]
fn a_contradiction_within_one_source_is_an_error_and_shows_no_password() {
    for (part, what) in
        [(("DB_NAME", "x"), "database"), (("DB_PASSWORD", "s3cret"), "password"), (("DB_PORT", "5433"), "port")]
    {
        let error = resolve(&[], &[("DATABASE_URL", "postgres://u:s3cr3t@h/d"), part]).unwrap_err().to_string();
        assert!(error.contains(what) && error.contains(part.0), "{error}");
        assert!(!error.contains("s3cr"), "{error}");
    }
}

#[test]
fn a_higher_source_replaces_a_lower_one() {
    let file = [("DATABASE_URL", "postgres://u:p@h/d")];
    assert_eq!(summary(&resolve(&[("DB_NAME", "other")], &file).unwrap()), "u other h:5432 p");
    let config = resolve(&[("DATABASE_URL", "postgres://me@elsewhere/x")], &file).unwrap();
    assert_eq!(summary(&config), "me x elsewhere:5432 none");
    assert_eq!(config.ignored, ["DATABASE_URL in .env: DATABASE_URL in the environment replaces it"]);
}

#[test]
fn a_lower_sources_password_is_not_sent_to_a_higher_sources_server() {
    let url = ("DATABASE_URL", "postgres://u:p@h/d?sslmode=require&options=-cwork_mem=1MB");
    let parts = [("DB_HOST", "h"), ("DB_USER", "u"), ("DB_PASSWORD", "p"), ("DB_NAME", "d")];
    let by_default = ("DATABASE_URL", "postgres://u:p@/d");
    for (process, file, expected) in [
        (&[("DB_HOST", "127.0.0.1")][..], &[url][..], "u d 127.0.0.1:5432 none"),
        (&[("DB_HOST", "127.0.0.1")], &parts, "u d 127.0.0.1:5432 none"),
        (&[("DB_HOST", "elsewhere")], &[by_default], "u d elsewhere:5432 none"),
        (&[("DB_HOST", "x"), ("DB_PASSWORD", "own")], &[url], "u d x:5432 own"),
        // The same server, said again.
        (&[("DB_HOST", "h"), ("DB_PORT", "5432")], &[url], "u d h:5432 p"),
        (&[("DB_NAME", "x"), ("DB_USER", "y")], &[url], "y x h:5432 p"),
        (&[("DB_PASSWORD", "own")], &[url], "u d h:5432 own"),
        // A password that is for no server in particular; libpq's variable only fills.
        (&[("DB_HOST", "x")], &[("DB_PASSWORD", "p")], "aura_user aura_db x:5432 p"),
        (&[("PGHOST", "x")], &[url], "u d h:5432 p"),
    ] {
        let config = resolve(process, file).unwrap();
        assert_eq!(summary(&config), expected, "{process:?} {file:?}");
        if file.contains(&url) {
            let stays = expected.contains(" h:5432 ");
            assert_eq!(config.ssl_mode() == SslMode::Require, stays, "{process:?}");
            assert_eq!(config.app.options.get("work_mem").is_some(), stays, "{process:?}");
            let is_dropped = config.ignored.iter().any(|line| line.contains("names another server"));
            assert_eq!(is_dropped, !stays, "{:?}", config.ignored);
        }
    }
    let config = resolve(&[("DB_HOST", "x")], &[url]).unwrap();
    assert_eq!(
        config.ignored,
        [("host", "the"), ("options", "another"), ("password", "another"), ("sslmode", "another")].map(
            |(what, which)| format!(
                "the {what} of DATABASE_URL in .env: DB_HOST in the environment names {which} server"
            )
        )
    );
    assert!(!config.ignored.iter().any(|line| line.contains("p@")), "{:?}", config.ignored);
}

#[test]
fn libpqs_password_of_a_file_is_not_sent_to_a_higher_sources_server() {
    let file = [("PGHOST", "h"), ("PGPASSWORD", "p"), ("PGUSER", "u"), ("PGSSLMODE", "require")];
    assert_eq!(summary(&resolve(&[], &file).unwrap()), "u aura_db h:5432 p");
    for process in [("DB_HOST", "x"), ("PGHOST", "x"), ("DATABASE_URL", "postgres://x")] {
        let config = resolve(&[process], &file).unwrap();
        assert_eq!(summary(&config), "u aura_db x:5432 none", "{process:?}");
        assert_eq!(config.ssl_mode(), SslMode::Prefer);
        let dropped = |line: &String| line.starts_with("the password of PGPASSWORD in .env: ");
        assert!(config.ignored.iter().any(dropped), "{:?}", config.ignored);
    }
    assert_eq!(summary(&resolve(&[("PGHOST", "h")], &file).unwrap()), "u aura_db h:5432 p");
}

#[test]
fn the_administrators_password_is_not_sent_to_a_higher_sources_server() {
    let admin = ("ADMIN_DATABASE_URL", "postgres://root:pw@/");
    let url = ("DATABASE_URL", "postgres://u:p@h/d");
    for process in [("DB_HOST", "x"), ("DATABASE_URL", "postgres://u@x/d")] {
        let config = resolve(&[process], &[url, admin]).unwrap();
        assert_eq!(config.admin.unwrap().value[0].masked_url(), "postgresql://root@x:5432/postgres");
        assert!(config.ignored.iter().any(|line| line.contains("ADMIN_DATABASE_URL")), "{:?}", config.ignored);
        let config = resolve(&[process], &[("ADMIN_DATABASE_URL", "postgres://root:pw@h/"), url]).unwrap();
        assert_eq!(config.admin.unwrap().value[0].masked_url(), "postgresql://root:***@h:5432/postgres");
    }
    let file =
        [("DATABASE_URL", "postgres://u:p@h/d?sslmode=require"), ("ADMIN_DATABASE_URL", "postgres://root:pw@h/")];
    let config = resolve(&[("DB_HOST", "x")], &file).unwrap();
    assert_eq!(config.admin.unwrap().value[0].ssl_mode, SslMode::Require, "its own server's");
    assert_eq!(
        resolve(&[("DB_HOST", "x")], &[admin]).unwrap().admin.unwrap().value[0].password,
        Some(Password::new("pw"))
    );
}

#[test]
fn names_alone_only_rename() {
    let config = resolve(&[("PGUSER", "me"), ("PGPASSWORD", "x")], &[("DB_NAME", "d"), ("DB_USER", "u")]).unwrap();
    assert_eq!(summary(&config), "u d none none");
}

#[test]
fn libpq_fills_what_is_open() {
    let process = [("PGHOST", "pg"), ("PGPORT", "6000"), ("PGPASSWORD", "x"), ("PGDATABASE", "other")];
    assert_eq!(summary(&resolve(&process, &[("DB_NAME", "d")]).unwrap()), "aura_user d pg:6000 x");
    let error = resolve(&[("PGSERVICE", "s")], &[]).unwrap_err().to_string();
    assert!(error.starts_with("PGSERVICE in the environment: the service `s` is defined in none of"), "{error}");
    let error = resolve(&[("PGHOST", "h"), ("PGREQUIREPEER", "f")], &[]).unwrap_err().to_string();
    assert!(error.starts_with("PGREQUIREPEER in the environment: the parameter `requirepeer`"), "{error}");
}

#[test]
fn the_administrator_is_looked_for_on_the_same_server() {
    let config =
        resolve(&[], &[("DATABASE_URL", "postgres://u:p@h:5433/d"), ("ADMIN_DATABASE_URL", "postgres://root:pw@/")])
            .unwrap();
    assert_eq!(config.admin.unwrap().value[0].masked_url(), "postgresql://root:***@h:5433/postgres");
    let config = resolve(&[], &[("ADMIN_DATABASE_URL", "postgres://root@h:6000/")]).unwrap();
    assert_eq!(summary(&config), "aura_user aura_db h:6000 none");
}

#[test]
fn bad_values_name_their_key() {
    for (key, value) in [
        ("DB_SERVER", "docker"),
        ("DB_PORT", "99999"),
        ("DB_SCHEMA", "public"),
        ("DB_SCHEMA", "pg_aura"),
        ("DB_NAME", "a-name-of-sixty-four-bytes-which-postgresql-would-cut-in-silence"),
        ("DATABASE_URL", "nonsense"),
        ("ADMIN_DATABASE_URL", "mysql://h/d"),
    ] {
        let error = resolve(&[], &[(key, value)]).unwrap_err().to_string();
        assert!(error.contains(key), "{key}={value}: {error}");
    }
    assert_eq!(summary(&resolve(&[("DB_NAME", "")], &[("DB_NAME", "d")]).unwrap()), "aura_user d none none");
}

#[test]
fn another_command_has_no_inputs_of_ours() {
    assert!(resolve(&[], &[("MIGRATE_COMMAND", "manage.py migrate")]).unwrap().migrations.inputs.is_none());
}

#[test]
fn files_are_looked_for_where_their_source_is() {
    let file = [("DATABASE_URL", "postgres://u:p@h/d?sslmode=verify-full&sslrootcert=certs/ca.pem")];
    let config = resolve(&[], &file).unwrap();
    let address = &config.named.as_ref().unwrap().value[0];
    let here = std::env::current_dir().unwrap().join("certs/ca.pem");
    assert_eq!(config.app(address).more.get("sslrootcert"), Some(here.to_str().unwrap()));
    let config = resolve(&[("PGSSLROOTCERT", "system"), ("DATABASE_URL", "postgres://u:p@h/d")], &[]).unwrap();
    assert_eq!(config.app(address).more.get("sslrootcert"), Some("system"));
    assert_eq!(config.ssl_mode(), SslMode::VerifyFull, "nothing less makes sense with the system's roots");
}

#[test]
fn several_hosts_are_one_server() {
    let config = resolve(&[], &[("DB_HOST", "a,b"), ("DB_PORT", "1,2")]).unwrap();
    let named = config.named.unwrap().value;
    assert_eq!(named.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a:1", "b:2"]);
    let error = resolve(&[], &[("DB_HOST", "a,b"), ("DB_PORT", "1,2,3")]).unwrap_err().to_string();
    assert!(error.starts_with("DB_PORT in .env: `port` names 3 ports for 2 hosts"), "{error}");
    // A list that was for others goes with its host.
    let config = resolve(&[("DB_HOST", "x")], &[("DATABASE_URL", "postgres://u:p@a:1,b:2/d")]).unwrap();
    assert_eq!(summary(&config), "u d x:5432 none");
    let admin = ("ADMIN_DATABASE_URL", "postgres://root:pw@/");
    let config = resolve(&[], &[("DATABASE_URL", "postgres://u:p@a:1,b:2/d?sslmode=require"), admin]).unwrap();
    let admin = config.admin.unwrap().value;
    assert_eq!(
        admin.iter().map(ConnInfo::masked_url).collect::<Vec<_>>(),
        ["postgresql://root:***@a:1/postgres?sslmode=require", "postgresql://root:***@b:2/postgres?sslmode=require"]
    );
}

#[test]
fn a_bad_value_that_a_higher_source_hides_is_no_error() {
    let url = ("DATABASE_URL", "postgres://u:p@h:5433/d?sslmode=disable");
    let config = resolve(&[url, ("PGPORT", "nonsense"), ("PGSSLMODE", "nonsense")], &[]).unwrap();
    assert_eq!(summary(&config), "u d h:5433 p");
    let error = resolve(&[("DB_HOST", "h"), ("PGSSLMODE", "nonsense")], &[]).unwrap_err().to_string();
    assert!(error.starts_with("PGSSLMODE in the environment: `sslmode` is none of"), "{error}");
}

#[test]
fn what_only_looks_otherwise_is_passed_by() {
    let config = resolve(&[("PGHOST", "h"), ("PGCLIENTENCODING", "LATIN1")], &[]).unwrap();
    assert_eq!(config.unused, ["PGCLIENTENCODING in the environment: this program speaks UTF-8 alone"]);
}
