//! A server that we started is stopped, and another program listens on its port.

use tests::{Run, Workspace, shows};

use crate::listener::{ASKS, Ask, listen};

/// Why no login succeeded: the line that says so, and what led to it.
pub(crate) fn reason(run: &Run) -> String {
    let text = format!("{}{}", run.stderr, run.stdout);
    let mut lines = text.lines().skip_while(|line| !line.contains("cannot log in"));
    let first = lines.next().unwrap_or_else(|| panic!("{text}")).trim();
    let below = lines.take_while(|line| line.starts_with("  cause:") || line.starts_with("         "));
    below.fold(first.to_owned(), |reason, line| format!("{reason} {}", line.trim())).replace(" cause: ", ": ")
}

/// The password of the URL, as a listener would hear it.
fn password(url: &str) -> String {
    url.split_once("aura_user:").unwrap().1.split_once('@').unwrap().0.to_owned()
}

fn never_heard(ask: Ask, heard: &[u8], password: &str) {
    let text = String::from_utf8_lossy(heard);
    assert!(!text.contains(password), "{}: {text:?}", ask.name);
    // Nor its hash: of SCRAM alone a client says the first word, which tells nothing of the password.
    let hash = text.find("md5");
    assert!(hash.is_none(), "{}: {text:?}", ask.name);
}

#[test]
fn who_listens_in_its_place_gets_no_password() {
    let mut screens = String::new();
    for ask in ASKS {
        let workspace = Workspace::new().with("DB_SERVER", "local");
        workspace.run(&["db-setup"]).exits(0);
        let (app, admin) = (workspace.run(&["db-url"]).exits(0), workspace.run(&["db-url", "--admin"]).exits(0));
        let port = app.line().rsplit_once(':').unwrap().1.split_once('/').unwrap().0.parse().unwrap();
        let password = password(app.line());
        let admins = admin.line().split_once("postgres:").unwrap().1.split_once('@').unwrap().0.to_owned();
        workspace.run(&["db-stop"]).exits(0);

        let heard = listen(port, ask);
        // Nobody goes there by themselves.
        for command in ["db-status", "db-verify", "db-url"] {
            workspace.run(&[command, "--wait", "0"]);
        }
        assert_eq!(String::from_utf8_lossy(&heard.bytes()), "", "{}", ask.name);
        // The URL may still be in a file.
        let workspace = workspace.without("DB_SERVER");
        workspace.write(".env", format!("DATABASE_URL={}\nADMIN_DATABASE_URL={}\n", app.line(), admin.line()));
        for command in ["db-status", "db-verify", "db-setup", "db-migrate"] {
            let run = workspace.run(&[command, "--wait", "0"]).never_says(&password).never_says(&admins);
            assert!(command == "db-status" || run.code == 1 || run.code == 3, "{command}: {}", run.code);
            // That one has findings on its screen, not their reasons.
            if command == "db-status" {
                continue;
            }
            screens += &format!("{} of {command}: {}\n", ask.name, reason(&run));
        }
        never_heard(ask, &heard.bytes(), &password);
        never_heard(ask, &heard.bytes(), &admins);
        assert!(!heard.bytes().is_empty(), "{}: nobody came", ask.name);
    }
    shows("another-at-our-port", &screens);
}

/// The migrate command, and psql, are held to it too: an older libpq passes the variable by.
#[test]
fn what_we_run_asks_for_scram_there() {
    let workspace = Workspace::new().with("DB_SERVER", "local");
    workspace.run(&["db-setup"]).exits(0);
    let workspace = workspace.with("MIGRATE_COMMAND", "echo REQUIRED: $PGREQUIREAUTH; false");
    workspace.run(&["db-migrate"]).complains("REQUIRED: scram-sha-256");
    let said = workspace.run(&["db-psql", "--", "-XAtc", "\\! echo $PGREQUIREAUTH"]);
    assert_eq!(said.exits(0).line(), "scram-sha-256");
    // Printed for programs that we do not know: none of them must know the parameter.
    for command in ["db-url", "db-env"] {
        let run = workspace.run(&[command]).exits(0);
        assert!(!run.stdout.to_ascii_lowercase().contains("require"), "{}", run.stdout);
    }
}
