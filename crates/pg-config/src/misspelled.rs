//! Names that are nearly keys of the configuration: what is set by them is not read, and a person should know.

use std::collections::BTreeMap;

use crate::{Environment, KEYS, environment::Layer};

/// libpq's variables that people look for under `DB_`.
const OF_LIBPQ: [&str; 6] = ["APPNAME", "OPTIONS", "PASSFILE", "SERVICE", "SSLMODE", "SSLROOTCERT"];

/// One warning for each name in the environment or in `.env` that is not read and looks like a key: an unknown `DB_*`,
/// and what is within two letters of a key.
///
/// Where the key itself is set too, the other name is taken for another program's. The app's own keys (`DEBUG`,
/// `SECRET_KEY`) and libpq's (`PG*`) are not compared.
pub(crate) fn warnings(environment: &Environment) -> Vec<String> {
    // A name that both sources have is told of once, at the place that would win.
    let mut places = BTreeMap::new();
    for layer in Layer::ALL {
        for name in environment.names(layer) {
            places.entry(name).or_insert_with(|| environment.place(layer, name));
        }
    }
    let warning = |(name, place): (&str, String)| {
        if KEYS.iter().any(|key| key.name == name) {
            return None;
        }
        match meant(name) {
            Some(key) if name.starts_with("DB_") || environment.get_any(&key).is_none() => {
                Some(format!("{name} {place} is not read: did you mean {key}?"))
            }
            None if name.starts_with("DB_") => {
                Some(format!("{name} {place} is not read: there is no such key (.env.example lists all keys)"))
            }
            _ => None,
        }
    };
    places.into_iter().filter_map(warning).collect()
}

/// The key that is meant by a name, if there is one near it.
fn meant(name: &str) -> Option<String> {
    let upper = name.to_uppercase();
    let compared = KEYS.iter().map(|key| key.name).filter(|key| key.contains('_') && *key != "SECRET_KEY");
    let near = compared.filter_map(|key| Some((distance(&upper, key)?, key))).min();
    if let Some((_, key)) = near {
        return Some(key.to_owned());
    }
    let of_libpq = name.strip_prefix("DB_")?.replace('_', "");
    OF_LIBPQ.contains(&of_libpq.as_str()).then(|| format!("PG{of_libpq}"))
}

/// How many letters a name is away from a key; nothing where it is another word.
///
/// Word by word: two letters in one of three would make `GH_HOST` of `DB_HOST`, and `CI_SERVER` of `DB_SERVER`.
fn distance(name: &str, key: &str) -> Option<usize> {
    let (words, of_key): (Vec<_>, Vec<_>) = (name.split('_').collect(), key.split('_').collect());
    if words.len() != of_key.len() {
        let joined = |words: &[&str]| words.concat();
        return (joined(&words) == joined(&of_key)).then_some(1);
    }
    let mut whole = 0;
    for (word, of_key) in words.into_iter().zip(of_key) {
        let letters = edits(word.as_bytes(), of_key.as_bytes());
        let is_near = match of_key.len() {
            // Letters that changed places.
            ..=2 => letters <= 1 && word.len() == 2 && word.bytes().rev().eq(of_key.bytes()) || letters == 0,
            3..=4 => letters <= 1,
            _ => letters <= 2,
        };
        if !is_near {
            return None;
        }
        whole += letters;
    }
    (whole <= 2).then_some(whole)
}

/// The number of letters to insert, delete, replace, or swap with the next (optimal string alignment).
fn edits(one: &[u8], other: &[u8]) -> usize {
    let mut rows = vec![(0..=other.len()).collect::<Vec<_>>()];
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut least = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_key_names_the_key_that_is_meant() {
        for (name, key) in [
            ("DATABASE_ULR", "DATABASE_URL"),
            ("DATABSE_URL", "DATABASE_URL"),
            ("DATABASEURL", "DATABASE_URL"),
            ("database_url", "DATABASE_URL"),
            ("DB_PASSWD", "DB_PASSWORD"),
            ("DB_PASWORD", "DB_PASSWORD"),
            ("DB_SHEMA", "DB_SCHEMA"),
            ("DB_SSLMODE", "PGSSLMODE"),
            ("DB_SSL_MODE", "PGSSLMODE"),
            ("DB_PROT", "DB_PORT"),
            ("BD_HOST", "DB_HOST"),
            ("DBUSER", "DB_USER"),
            ("DB_USERS", "DB_USER"),
            ("ADMIN_DATABASE_URI", "ADMIN_DATABASE_URL"),
            ("ADMN_DATABSE_URL", "ADMIN_DATABASE_URL"),
            ("MIGRATE_COMAND", "MIGRATE_COMMAND"),
            ("MIGRATE_INPUT", "MIGRATE_INPUTS"),
            ("POSTGRE_IMAGE", "POSTGRES_IMAGE"),
            ("PG_BINDIR", "PG_BIN_DIR"),
            ("DB_EXTENSION", "DB_EXTENSIONS"),
            ("DB_DATADIR", "DB_DATA_DIR"),
        ] {
            let found = warnings(&Environment::of(&[(name, "s3cret")], &[]));
            assert_eq!(found, [format!("{name} in the environment is not read: did you mean {key}?")]);
        }
    }

    #[test]
    fn an_unknown_key_of_ours_is_told_of_and_its_value_is_not() {
        let found = warnings(&Environment::of(&[], &[("DB_POOL_SIZE", "s3cret"), ("DB_PASSWD", "s3cret")]));
        assert_eq!(
            found,
            [
                "DB_PASSWD in .env is not read: did you mean DB_PASSWORD?",
                "DB_POOL_SIZE in .env is not read: there is no such key (.env.example lists all keys)",
            ]
        );
    }

    /// What machines, CI services and other programs have in their environments.
    #[test]
    fn other_programs_names_are_left_alone() {
        for name in [
            "PGHOST PGHOSTADDR PGPORT PGUSER PGPASSWORD PGDATABASE PGSSLMODE PGSSLROOTCERT PGDATA PGOPTIONS PGSERVICE",
            "PGTZ PGAPPNAME PGPASSFILE PGCONNECT_TIMEOUT PG_CONFIG PG_COLOR PG_COLORS PG_MAJOR PG_VERSION PG_SHA256",
            "POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB POSTGRES_HOST POSTGRES_PORT POSTGRES_INITDB_ARGS POSTGRES_URL",
            "TEST_DATABASE_URL DATABASE_URL_TEST A_DATABASE_URL DATABASE_URL_2 SHADOW_DATABASE_URL DATABASE_HOST",
            "DATABASE_PORT DATABASE_USER DATABASE_NAME DATABASE_PASSWORD DATABASE_PATH DATABASE_DSN DATABASES REDIS_URL",
            "CI_SERVER CI_SERVER_HOST CI_NAME CI_PORT CI_USER GH_HOST GH_TOKEN DD_HOST DD_SERVICE DD_ENV TZ_NAME MY_HOST",
            "DBUS_SESSION_BUS_ADDRESS LOGNAME HOSTNAME USERNAME HOST USER NAME PORT PASSWORD SERVER SCHEMA MYSQL_HOST",
            "DEBUG DEBUGS SECRET_KEY SECRET_KEYS SECRETS_KEY DJANGO_SECRET_KEY DOCKER_HOST DOCKER_IMAGE PATH HOME SHELL",
            "MIGRATE MIGRATIONS MIGRATION_COMMANDLINE IMAGE_POSTGRES RUST_LOG CARGO_HOME GITHUB_ACTIONS RUNNER_NAME",
        ]
        .into_iter()
        .flat_map(str::split_whitespace)
        {
            assert_eq!(warnings(&Environment::of(&[(name, "x")], &[(name, "x")])), [""; 0], "{name}");
        }
        for key in KEYS {
            assert_eq!(warnings(&Environment::of(&[(key.name, "x")], &[])), [""; 0]);
        }
    }

    #[test]
    fn beside_the_key_itself_another_name_is_another_programs() {
        let both = [("DATABASE_URL", "x"), ("DATABASE_URI", "y")];
        assert_eq!(warnings(&Environment::of(&both, &[])), [""; 0]);
        assert_eq!(warnings(&Environment::of(&both[1..], &[])).len(), 1);
        let both = [("DB_PASSWORD", "x"), ("DB_PASSWD", "y")];
        assert_eq!(warnings(&Environment::of(&both, &[])).len(), 1, "DB_* is ours");
    }
}
