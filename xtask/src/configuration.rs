//! The configuration for people: each value, and the source that won.

use pg_config::{Config, Environment, Password, Source};

/// A name, a value, and a remark.
pub(crate) type Row = (&'static str, String, String);

/// Each key's value and the source that won.
pub(crate) fn rows(config: &Config) -> Vec<Row> {
    let row = |name, value: String, source: &Source| (name, value, source.to_string());
    let unset = || "(none)".to_owned();
    let none = Source::Default;
    let named = config.named.as_ref();
    let inputs = config.migrations.inputs.as_ref();
    vec![
        row("DB_SERVER", config.server.value.to_string(), &config.server.source),
        row(
            "host",
            named.map_or_else(unset, |found| found.value.host.to_string()),
            named.map_or(&none, |found| &found.source),
        ),
        row("port", named.map_or_else(unset, |found| found.value.port.to_string()), &config.port_source),
        row("role", config.role.value.as_str().to_owned(), &config.role.source),
        match &config.password {
            Some(found) => row("password", Password::to_string(&found.value), &found.source),
            None => ("password", unset(), "generated on servers that we start".to_owned()),
        },
        row("database", config.database.value.as_str().to_owned(), &config.database.source),
        row("sslmode", config.session.ssl_mode.as_str().to_owned(), &config.session.ssl_mode_source),
        row("options", options(config), &config.session.options_source),
        row("DB_SCHEMA", config.schema.value.as_str().to_owned(), &config.schema.source),
        match &config.admin {
            Some(found) => row("ADMIN_DATABASE_URL", found.value.masked_url(), &found.source),
            None => row("ADMIN_DATABASE_URL", unset(), &none),
        },
        row(
            "DB_EXTENSIONS",
            match config.extensions.value.is_empty() {
                true => unset(),
                false => config.extensions.value.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", "),
            },
            &config.extensions.source,
        ),
        row(
            "MIGRATE_COMMAND",
            pg_config::mask_urls(&config.migrations.command.value),
            &config.migrations.command.source,
        ),
        row(
            "MIGRATE_INPUTS",
            inputs.map_or_else(unset, |found| found.value.join(", ")),
            inputs.map_or(&none, |found| &found.source),
        ),
        row("POSTGRES_IMAGE", config.image.value.clone(), &config.image.source),
        match &config.bin_dir {
            Some(found) => row("PG_BIN_DIR", found.value.display().to_string(), &found.source),
            None => ("PG_BIN_DIR", "(found)".to_owned(), none.to_string()),
        },
        row("DB_DATA_DIR", config.data_dir.value.display().to_string(), &config.data_dir.source),
    ]
}

/// The app's own keys, as far as they are set: their values are nobody's business here.
pub(crate) fn passed_through(environment: &Environment) -> Vec<Row> {
    ["DEBUG", "SECRET_KEY"]
        .into_iter()
        .map(|key| match environment.get(key) {
            Some((_, source)) => (key, "(set)".to_owned(), format!("{source}, passed through")),
            None => (key, "(none)".to_owned(), "passed through".to_owned()),
        })
        .collect()
}

fn options(config: &Config) -> String {
    match config.session.options.is_empty() {
        true => "(none)".to_owned(),
        false => config.session.options.to_string(),
    }
}
