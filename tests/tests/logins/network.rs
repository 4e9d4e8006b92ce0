//! Over a network and without TLS no password goes in clear text, nor as a hash, unless the URL says so.

use std::net::{IpAddr, UdpSocket};

use tests::{Cluster, Workspace, connection, shows, skipped};

use crate::ours::reason;

/// An address of this machine's that is none of its loopback: no packet is sent to learn it.
fn interface() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.77:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[test]
fn a_password_in_clear_text_goes_over_no_network_by_itself() {
    let Some(ip) = interface() else { return skipped("no network interface but loopback") };
    let cluster = Cluster::start_with(&[("listen_addresses", "*")]);
    cluster.sql(
        "postgres",
        "SET password_encryption = 'md5'; CREATE ROLE hashed LOGIN PASSWORD 's3cret';
         SET password_encryption = 'scram-sha-256'; CREATE ROLE clear LOGIN PASSWORD 's3cret';
         CREATE ROLE scrambled LOGIN PASSWORD 's3cret'; CREATE ROLE trusted LOGIN PASSWORD 's3cret'",
    );
    cluster.let_in(
        "host all clear all password\nhost all hashed all md5\nhost all scrambled all scram-sha-256\nhost all trusted all trust",
    );
    let port = cluster.port();
    let try_by = |host: &str, role: &str, more: &str| {
        let url = format!("postgres://{role}:s3cret@{host}:{port}/postgres?connect_timeout=60{more}");
        pg_connect::connect(&connection(&url)).map(drop).map_err(|error| error.to_string())
    };
    let there = ip.to_string();
    for (role, method) in [("clear", "password"), ("hashed", "md5")] {
        for more in ["", "&sslmode=disable", "&sslmode=allow", "&require_auth=!none"] {
            let error = try_by(&there, role, more).unwrap_err();
            assert!(error.contains(&format!("require_auth={method}")), "{role} {more}: {error}");
            assert!(error.contains("sslmode=require") && !error.contains("s3cret"), "{role} {more}: {error}");
        }
        assert_eq!(try_by(&there, role, &format!("&require_auth={method}")), Ok(()));
        assert_eq!(try_by(&there, role, &format!("&require_auth=scram-sha-256,{method}")), Ok(()));
        assert_eq!(try_by("127.0.0.1", role, ""), Ok(()));
        assert_eq!(try_by("localhost", role, ""), Ok(()));
    }
    assert_eq!(try_by(&there, "scrambled", ""), Ok(()));
    assert_eq!(try_by(&there, "trusted", ""), Ok(()));
}

#[test]
fn the_whole_setup_says_how_it_may_go() {
    let Some(ip) = interface() else { return skipped("no network interface but loopback") };
    let cluster = Cluster::start_with(&[("listen_addresses", "*")]);
    cluster.let_in("host all aura_user all password\nhost all all all scram-sha-256");
    let there = |url: &str| url.replace("127.0.0.1", &ip.to_string()).replace("sslmode=disable", "");
    let workspace = Workspace::on(&cluster);
    let (app, admin) = (there(workspace.setting("DATABASE_URL")), there(workspace.setting("ADMIN_DATABASE_URL")));
    let workspace = workspace.with("DATABASE_URL", &app).with("ADMIN_DATABASE_URL", &admin);
    let screens = ["db-setup", "db-verify"].map(|command| {
        let run = workspace.run(&[command]).never_says("the-app");
        reason(&run).replace(&ip.to_string(), "INTERFACE").replace(&cluster.port().to_string(), "[PORT]")
    });
    shows("clear-text-over-a-network", &screens.join("\n"));
    workspace.with("DATABASE_URL", &format!("{app}&require_auth=password")).run(&["db-setup"]).exits(0);
}
