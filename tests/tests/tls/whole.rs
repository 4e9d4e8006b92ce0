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
    let status = workspace.run(&["db-status"]).exits(0);
    assert!(
        status.stdout.contains("encryption     TLSv1.3; the certificate and its name were verified"),
        "{}",
        status.stdout
    );
    let asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(workspace.run(&["db-psql", "--", "-XAtc", asked]).exits(0).line(), "t");
    let printed = workspace.run(&["db-url"]).exits(0);
    assert_eq!(tests::psql(printed.line(), &["-c", asked], "").exits(0).line(), "t");

    // What is wrong with the other side is an error of its own, not a server that is missing.
    for (server_shows, root, says) in [
        ("valid", "other", "whom nobody in"),
        ("wrong-name", "root", "and not for 127.0.0.1"),
        ("expired", "root", "expired on 2020-02-01"),
        ("off", "root", "the server offers none"),
    ] {
        server.set_up(server_shows);
        workspace.write(".env", format!("DATABASE_URL='{}'\n", verified.replace("root.crt", &format!("{root}.crt"))));
        for command in ["db-setup", "db-verify", "db-url"] {
            let run = workspace.run(&[command]).exits(1).complains(says).complains("sslmode=verify-full");
            run.never_says("the-app");
        }
    }
}
