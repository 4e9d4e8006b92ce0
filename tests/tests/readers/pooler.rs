//! What PgBouncer leaves of a connection: by the URL that `db-url` prints all of it, by one with options nothing
//! or too little.

use std::{net::Ipv4Addr, time::Duration};

use pg_connect::{ConnInfo, Host, Options};
use serde_json::Value;
use tests::{Cluster, Workspace, connection, has, psql, shows};

use crate::{
    pgbouncer::PgBouncer,
    reader::{Question, READERS, SESSION},
};

const ROLES: [(&str, &str); 1] = [("aura_user", "the-app's")];

/// Debian's defaults refuse what sqlx always asks for.
const REFUSES_OPTIONS: (&str, &str) = ("ignore_startup_parameters", "extra_float_digits");
const IGNORES_OPTIONS: (&str, &str) = ("ignore_startup_parameters", "extra_float_digits, options");

/// A database that was set up by us, and what `db-url` prints.
struct SetUp {
    cluster: Cluster,
    workspace: Workspace,
    printed: ConnInfo,
}

impl SetUp {
    /// Where there is no PgBouncer there is nothing to do.
    fn new() -> Option<Self> {
        if !has("pgbouncer", "pgbouncer") {
            return None;
        }
        let (cluster, workspace) = Cluster::set_up();
        let printed = connection(workspace.run(&["db-url"]).exits(0).line());
        Some(Self { cluster, workspace, printed })
    }

    /// Starts a PgBouncer; the same connection through it.
    fn through(&self, settings: &[(&str, &str)]) -> (PgBouncer, ConnInfo) {
        let pgbouncer = PgBouncer::start(&self.cluster, &self.workspace, &ROLES, settings);
        let through = ConnInfo { port: pgbouncer.port, ..self.printed.clone() };
        (pgbouncer, through)
    }

    /// A workspace whose `DATABASE_URL` names this connection.
    fn named(&self, connection: &ConnInfo) -> Workspace {
        Workspace::on(&self.cluster).with("DATABASE_URL", &connection.url())
    }

    /// A database of the app's role for which nobody has set a path.
    fn unsettled(&self) -> &'static str {
        self.cluster.sql("postgres", "CREATE DATABASE unsettled OWNER aura_user");
        "unsettled"
    }
}

fn with_path(connection: &ConnInfo) -> ConnInfo {
    ConnInfo { options: Options::default().with("search_path", "aura, public"), ..connection.clone() }
}

#[test]
fn f07_options_are_refused_or_silently_lost() {
    let Some(set_up) = SetUp::new() else { return };
    let unsettled = set_up.unsettled();
    let path = |connection: &ConnInfo| psql(&connection.url(), &[], "SHOW search_path");
    assert_eq!(path(&with_path(&set_up.printed).with_database(unsettled)).exits(0).line(), "aura, public");

    let (_refusing, through) = set_up.through(&[REFUSES_OPTIONS]);
    // Since 1.20: `unsupported startup parameter in options: search_path`.
    path(&with_path(&through)).exits(2).complains("options");

    let (_ignoring, through) = set_up.through(&[IGNORES_OPTIONS]);
    let lost = path(&with_path(&through).with_database(unsettled)).exits(0);
    assert_eq!((lost.line(), &*lost.stderr), (r#""$user", public"#, ""));
    assert_eq!(path(&with_path(&through)).exits(0).line(), "aura, public", "not where we have set it");
}

#[test]
fn f07_what_db_url_prints_works_in_every_mode() {
    let Some(set_up) = SetUp::new() else { return };
    assert!(set_up.printed.options.is_empty());
    for mode in ["session", "transaction"] {
        let (_pgbouncer, through) = set_up.through(&[("pool_mode", mode), REFUSES_OPTIONS]);
        for reader in &READERS {
            let Some(answers) = (reader.read)(&[Question { url: through.url(), query: Some(SESSION) }]) else {
                continue;
            };
            let session = &answers[0]["session"];
            assert_eq!(session["database"], Value::from("aura_db"), "{} in mode {mode}: {}", reader.name, answers[0]);
            if reader.asks.contains(&"search_path") {
                assert_eq!(session["search_path"], Value::from("aura, public"), "{} in mode {mode}", reader.name);
            }
        }
    }
}

#[test]
fn f07_a_database_url_through_it_is_verified_and_the_pooler_named() {
    let Some(set_up) = SetUp::new() else { return };
    for mode in ["session", "transaction"] {
        let (_pgbouncer, through) = set_up.through(&[("pool_mode", mode), IGNORES_OPTIONS]);
        for connection in [&through, &with_path(&through)] {
            let workspace = set_up.named(connection);
            assert_eq!(workspace.verify().exits(0).shows("pooler").with_status("warn"), ["pooler"]);
            assert_eq!(tests::connection(workspace.run(&["db-url"]).exits(0).line()), through);
            workspace.run(&["db-status"]).exits(0);
        }
    }
}

#[test]
fn f07_a_database_url_whose_options_are_refused_is_explained() {
    let Some(set_up) = SetUp::new() else { return };
    let (_pgbouncer, through) = set_up.through(&[REFUSES_OPTIONS]);
    let workspace = set_up.named(&with_path(&through));
    assert_eq!(workspace.verify().exits(3).shows("refused-options").check("pooler")["status"], "fail");
    // Who takes that advice is done.
    let advised = workspace.run(&["db-url"]).exits(0);
    assert_eq!(connection(advised.line()), through);
    set_up.named(&through).verify().exits(0);
    workspace.run(&["db-setup"]).exits(1).shows("setup-with-refused-options");
}

#[test]
fn an_administrator_whose_options_are_refused_sets_them_first() {
    let Some(set_up) = SetUp::new() else { return };
    let (_pgbouncer, through) = set_up.through(&[("pool_mode", "session"), REFUSES_OPTIONS]);
    let mut session = pg_connect::connect_administrator(&through, Duration::ZERO).unwrap();
    let mut shown = |name: &str| -> String {
        let row = session.client.query_one("SELECT pg_catalog.current_setting($1)", &[&name]).unwrap();
        row.get(0)
    };
    assert_eq!(shown("search_path"), "pg_catalog, pg_temp");
    assert_eq!(shown("lock_timeout"), "10s");
}

#[test]
fn f07_options_that_do_not_arrive_are_found() {
    let Some(set_up) = SetUp::new() else { return };
    let (_pgbouncer, through) = set_up.through(&[IGNORES_OPTIONS]);
    let through = through.with_database(set_up.unsettled());
    let verdict = set_up.named(&with_path(&through)).verify().exits(3);
    assert_eq!(verdict.check("pooler")["status"], "fail");
    shows("lost-options", &verdict.message("pooler"));
}

/// A pool of transactions hands the app the very sessions in which the setup has been: its lock would keep nobody
/// out, and its settings would stay. So nothing is set up through one, and nothing is left in it.
#[test]
fn f07_nothing_is_set_up_through_a_pool() {
    let Some(set_up) = SetUp::new() else { return };
    let left = "SELECT name, setting FROM pg_settings WHERE source = 'session'
                    AND name IN ('lock_timeout', 'idle_session_timeout', 'search_path', 'role');
                SELECT locktype, classid, objid FROM pg_locks WHERE locktype = 'advisory'";
    for mode in ["session", "transaction"] {
        let (_pgbouncer, through) = set_up.through(&[("pool_mode", mode), REFUSES_OPTIONS]);
        let apps_own = set_up.named(&through).without("ADMIN_DATABASE_URL");
        let apps = set_up.named(&through);
        let administrators = set_up.named(&set_up.printed).with("ADMIN_DATABASE_URL", &through.with_database("").url());
        for (workspace, command) in [
            (&apps_own, "db-verify"),
            (&apps_own, "db-setup"),
            (&apps_own, "db-migrate"),
            (&apps, "db-setup"),
            (&administrators, "db-setup"),
        ] {
            let run = workspace.run(&[command]);
            if command == "db-verify" {
                run.exits(0);
            } else {
                run.exits(1).shows(&format!("{command}-through-a-pool"));
            }
            for database in ["aura_db", "postgres"] {
                let found = psql(&through.with_database(database).url(), &[], left).exits(0);
                assert_eq!(found.line(), "", "{command} in mode {mode}, database {database}");
            }
        }
        set_up.workspace.run(&["db-setup", "--lock-wait", "1"]).exits(0);
    }
}

/// In containers a pooler often has the very port number of its server: nothing but itself tells of it.
#[test]
fn f07_a_pooler_with_the_servers_own_port_is_known_by_itself() {
    let Some(set_up) = SetUp::new() else { return };
    let at = (Ipv4Addr::new(127, 0, 0, 2), set_up.cluster.port());
    let _pgbouncer = PgBouncer::start_at(
        at,
        &set_up.cluster,
        &set_up.workspace,
        &ROLES,
        &[("pool_mode", "transaction"), REFUSES_OPTIONS],
    );
    let through = ConnInfo { host: Host::Tcp("127.0.0.2".to_owned()), ..set_up.printed.clone() };
    let workspace = set_up.named(&through);
    assert_eq!(workspace.verify().exits(0).check("pooler")["status"], "warn");
    workspace.run(&["db-setup"]).exits(1).shows("pooler-with-the-port-of-the-server");
}
