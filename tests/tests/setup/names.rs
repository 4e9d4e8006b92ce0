//! Names that must be quoted, everywhere.

use tests::{Cluster, Workspace, shows};

use crate::state;

/// A workspace whose names are these, in parts.
pub(crate) fn named(cluster: &Cluster, role: &str, database: &str, schema: &str) -> Workspace {
    Workspace::new()
        .with("DB_HOST", "127.0.0.1")
        .with("DB_PORT", &cluster.port().to_string())
        .with("DB_USER", role)
        .with("DB_PASSWORD", "a 'strange' \"pass%20word\"")
        .with("DB_NAME", database)
        .with("DB_SCHEMA", schema)
}

/// Names that careless tools do not quote: role, database, schema.
pub(crate) const STRANGE: &[(&str, &str, &str)] = &[
    ("aura_user", "œuvres d'\"été\" = ü\\n", "aura"),
    ("\"; drop schema aura; --", "aura_db", "aura"),
    ("Aura User", "Aura DB", "Aura Été 2"),
    ("l'été, \"$user\"", "postgres://x?y#z=1", "a, b"),
    ("user", "select", "table"),
    ("%n", "%s%d", "'; SELECT 1 \\gexec"),
    ("r\u{1b}[2J\u{202e}", "d\u{1b}[0m\u{2066}'##[x]", "s\u{7}\\\u{200b}"),
];

#[test]
fn strange_names_end_verified_and_stay_so() {
    let cluster = Cluster::start();
    for (role, database, schema) in STRANGE {
        let workspace = named(&cluster, role, database, schema).with("ADMIN_DATABASE_URL", &cluster.admin_url());
        assert_set_up(&cluster, &workspace, role, database, schema);
    }
}

#[test]
fn names_of_63_bytes_are_taken_and_of_64_refused() {
    let cluster = Cluster::start();
    let long = |letter: &str| format!("{}{}", "é".repeat(31), letter);
    let (role, database, schema) = (long("r"), long("d"), long("s"));
    assert_eq!(role.len(), 63);
    let workspace = named(&cluster, &role, &database, &schema).with("ADMIN_DATABASE_URL", &cluster.admin_url());
    assert_set_up(&cluster, &workspace, &role, &database, &schema);
    let before = (cluster.globals(), cluster.inventory());
    let runs = ["DB_USER", "DB_NAME", "DB_SCHEMA"].map(|key| {
        let workspace =
            named(&cluster, "r", "d", "s").with("ADMIN_DATABASE_URL", &cluster.admin_url()).with(key, &"x".repeat(64));
        workspace.run(&["db-setup"]).exits(1)
    });
    shows("long-names", &runs.map(|run| run.screen()).concat());
    assert_eq!((cluster.globals(), cluster.inventory()), before);
}

#[test]
fn names_that_the_app_cannot_have_are_refused_first() {
    let cluster = Cluster::start();
    let before = (cluster.globals(), cluster.inventory());
    let mut screens = String::new();
    for (key, name) in [
        ("DB_SCHEMA", "public"),
        ("DB_SCHEMA", "pg_aura"),
        ("DB_SCHEMA", "$user"),
        ("DB_USER", "public"),
        ("DB_USER", "none"),
        ("DB_USER", "pg_aura"),
        ("DB_USER", "a\nb"),
        ("DB_NAME", "a\r\nb"),
    ] {
        let workspace = named(&cluster, "aura_user", "aura_db", "aura")
            .with("ADMIN_DATABASE_URL", &cluster.admin_url())
            .with(key, name);
        screens += &workspace.run(&["db-setup"]).exits(1).screen();
        assert_eq!((cluster.globals(), cluster.inventory()), before, "{key}={name}");
    }
    shows("refused-names", &screens);
}

#[track_caller]
fn assert_set_up(cluster: &Cluster, workspace: &Workspace, role: &str, database: &str, schema: &str) {
    workspace.run(&["db-setup"]).exits(0);
    workspace.verify().exits(0);
    state::assert_lands(workspace, schema, schema);
    assert_eq!(workspace.value("SELECT current_user"), role);
    assert_eq!(workspace.value("SELECT current_database()"), database);
    assert_eq!(
        workspace.value("SELECT nspname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relname = 'artworks_artwork'"),
        schema
    );
    let before = cluster.globals() + &cluster.dump(database);
    let again = workspace.run(&["db-setup"]).exits(0);
    assert!(!again.stderr.contains("ALTER"), "{}", again.stderr);
    assert_eq!(cluster.globals() + &cluster.dump(database), before);
}
