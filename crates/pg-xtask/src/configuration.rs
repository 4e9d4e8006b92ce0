//! The configuration for people: each value, and the source that won.

use pg_config::{Address, Config, Environment, Identifier, Password, Source};

/// A name, a value, and a remark.
pub(crate) type Row = (&'static str, String, String);

/// Each key's value and the source that won. `command` is shown as the migrate command, which may hold passwords.
pub(crate) fn rows(config: &Config, command: &str) -> Vec<Row> {
    [connection(config), database(config), migrations(config, command), started(config)].concat()
}

fn row(name: &'static str, value: String, source: &Source) -> Row {
    (name, value, source.to_string())
}

fn unset() -> String {
    "(none)".to_owned()
}

/// The server, and the app's login. What was said for a server that is named is not for one that this tool starts.
fn connection(config: &Config) -> Vec<Row> {
    let named = config.named.as_ref();
    let choice = &config.server;
    let is_started = choice.value.is_started();
    let hosts = |each: fn(&Address) -> String| match named {
        _ if is_started => "(the started server's)".to_owned(),
        Some(found) => found.value.iter().map(each).collect::<Vec<_>>().join(", "),
        None => unset(),
    };
    let host_source = named.map_or(&Source::Default, |found| if is_started { &choice.source } else { &found.source });
    let port_source = if is_started { &choice.source } else { &config.port_source };
    let mut rows = vec![
        row("DB_SERVER", choice.value.to_string(), &choice.source),
        row("host", hosts(|address| address.host.to_string()), host_source),
        row("port", hosts(|address| address.port.to_string()), port_source),
        row("role", config.role.value.as_str().to_owned(), &config.role.source),
        match &config.password {
            Some(found) => row("password", Password::to_string(&found.value), &found.source),
            None => ("password", unset(), without_password(config)),
        },
        row("database", config.database.value.as_str().to_owned(), &config.database.source),
    ];
    if !is_started && config.parameters.iter().all(|(name, _)| *name != "sslmode") {
        rows.push(row("sslmode", config.ssl_mode().to_string(), &Source::Default));
    }
    let stays = |name: &str| !is_started || ["options", "application_name", "connect_timeout"].contains(&name);
    let further = config.parameters.iter().filter(|(name, _)| stays(name));
    rows.extend(further.map(|(name, found)| row(name, found.value.clone(), &found.source)));
    rows
}

/// What is expected inside the database, and who may make it.
fn database(config: &Config) -> Vec<Row> {
    let names = |found: &[Identifier]| match found {
        [] => unset(),
        names => names.iter().map(Identifier::as_str).collect::<Vec<_>>().join(", "),
    };
    let administrator = match &config.admin {
        Some(_) if config.server.value.is_started() => {
            row("ADMIN_DATABASE_URL", "(the started server's superuser)".to_owned(), &config.server.source)
        }
        Some(found) => {
            let urls = found.value.iter().map(pg_config::ConnInfo::masked_url).collect::<Vec<_>>();
            row("ADMIN_DATABASE_URL", urls.join(", "), &found.source)
        }
        None => row("ADMIN_DATABASE_URL", unset(), &Source::Default),
    };
    let mut rows = vec![
        row("DB_SCHEMA", config.schema.value.as_str().to_owned(), &config.schema.source),
        administrator,
        row("DB_EXTENSIONS", names(&config.extensions.value), &config.extensions.source),
    ];
    // Most projects have none.
    for (key, found) in [
        ("DB_WRITE_ROLES", &config.write_roles),
        ("DB_READ_ROLES", &config.read_roles),
        ("DB_OTHER_SCHEMAS", &config.other_schemas),
    ] {
        if !found.value.is_empty() {
            rows.push(row(key, names(&found.value), &found.source));
        }
    }
    if !config.drift_ignore.value.is_empty() {
        let patterns: Vec<_> = config.drift_ignore.value.iter().map(|pattern| pattern.as_str()).collect();
        rows.push(row("DB_DRIFT_IGNORE", patterns.join(", "), &config.drift_ignore.source));
    }
    rows
}

fn migrations(config: &Config, command: &str) -> Vec<Row> {
    let inputs = match &config.migrations.inputs {
        Some(found) => row("MIGRATE_INPUTS", found.value.join(", "), &found.source),
        None => row("MIGRATE_INPUTS", unset(), &Source::Default),
    };
    vec![row("MIGRATE_COMMAND", command.to_owned(), &config.migrations.command.source), inputs]
}

/// How servers are started here.
fn started(config: &Config) -> Vec<Row> {
    vec![
        row("POSTGRES_IMAGE", config.image.value.clone(), &config.image.source),
        row("DB_DURABLE", config.durability.value.to_string(), &config.durability.source),
        match &config.bin_dir {
            Some(found) => row("PG_BIN_DIR", found.value.display().to_string(), &found.source),
            None => row("PG_BIN_DIR", "(found)".to_owned(), &Source::Default),
        },
        row("DB_DATA_DIR", config.data_dir.value.display().to_string(), &config.data_dir.source),
    ]
}

/// The app's own keys that are set; their values are not shown.
pub(crate) fn passed_through(environment: &Environment) -> Vec<Row> {
    ["DEBUG", "SECRET_KEY"]
        .into_iter()
        .map(|key| match environment.get(key) {
            Some((_, source)) => (key, "(set)".to_owned(), format!("{source}, passed through")),
            None => (key, "(none)".to_owned(), "passed through".to_owned()),
        })
        .collect()
}

/// Where a password would come from that no source of ours says.
fn without_password(config: &Config) -> String {
    let Some(named) = &config.named else { return "generated on servers that we start".to_owned() };
    match named.value.iter().find(|address| config.app(address).password.is_some()) {
        Some(address) => format!("{} has one for {address}", config.passfile.path().display()),
        None => "neither a key nor a password file says one".to_owned(),
    }
}
