//! The whole setup over TLS: the program, the migrations that it runs, and psql, each by the same URL.

use std::fs;

use tests::Workspace;

use crate::tables::server;

#[test]
fn everything_goes_over_a_verified_connection() {
    let Some(server) = server() else { return };
    server.set_up("valid");
    let url = server.cluster.url("aura_user", "the-app's", "aura_db").replace("?sslmode=disable", "?");
    assert!(!url.contains("sslmode"), "{url}");
    let verified = format!("{url}&sslmode=verify-full&sslrootcert=certs/root.crt");
    let workspace = Workspace::on(&server.cluster).without("DATABASE_URL");
    workspace.write("certs/root.crt", fs::read(server.papers.path("root.crt")).unwrap());
    workspace.write("certs/other.crt", fs::read(server.papers.path("other-root.crt")).unwrap());
    // A path of the file is relative to it, whoever uses it from where.
    workspace.write(".env", format!("DATABASE_URL='{verified}'\n"));
    workspace.run(&["db-setup"]).exits(0);
    workspace.run(&["db-status"]).exits(0).shows("status-over-tls");
    let asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(workspace.run(&["db-psql", "--", "-XAtc", asked]).exits(0).line(), "t");
    let printed = workspace.run(&["db-url"]).exits(0);
    assert_eq!(tests::psql(printed.line(), &["-c", asked], "").exits(0).line(), "t");

    // What is wrong with the other side is an error of its own, not a server that is missing.
    for (server_shows, root, name) in [
        ("valid", "other", "unknown-issuer"),
        ("wrong-name", "root", "wrong-name"),
        ("expired", "root", "expired"),
        ("off", "root", "no-tls"),
    ] {
        server.set_up(server_shows);
        workspace.write(".env", format!("DATABASE_URL='{}'\n", verified.replace("root.crt", &format!("{root}.crt"))));
        let commands = ["db-setup", "db-verify", "db-url"];
        let screens = commands.map(|command| workspace.run(&[command]).exits(1).never_says("the-app").screen());
        tests::shows(name, &screens.concat());
    }
}
