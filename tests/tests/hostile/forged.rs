//! Somebody between the app's session and the server, who answers what he likes: he is asked for names, and is given no
//! administrator's session to run SQL by.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
};

use tests::Cluster;

/// Listens before a server; in each message of a client, one text takes the place of another of at least its length.
fn between(server: u16, forged: Vec<(&'static str, &'static str)>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let forged = forged.clone();
            // A client that has gone is no failure.
            thread::spawn(move || pass(client, server, &forged));
        }
    });
    port
}

fn pass(mut client: TcpStream, server: u16, forged: &[(&str, &str)]) -> io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", server))?;
    let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
    // The first messages have a length alone; that which asks for TLS has eight bytes.
    loop {
        let message = read(&mut client, Vec::new())?;
        if message.len() == 8 {
            client.write_all(b"N")?;
            continue;
        }
        server.write_all(&message)?;
        break;
    }
    thread::spawn(move || {
        let _ = io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    loop {
        let mut tag = [0];
        client.read_exact(&mut tag)?;
        let mut message = read(&mut client, tag.to_vec())?;
        for (text, other) in forged {
            assert!(other.len() <= text.len());
            if let Some(at) = message.windows(text.len()).position(|window| window == text.as_bytes()) {
                let padded = format!("{other:<width$}", width = text.len());
                message[at..at + text.len()].copy_from_slice(padded.as_bytes());
            }
        }
        server.write_all(&message)?;
    }
}

/// A message after its tag: a length, which counts itself, and the rest.
fn read(stream: &mut TcpStream, mut message: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    message.extend(length);
    let mut rest = vec![0; u32::from_be_bytes(length) as usize - 4];
    stream.read_exact(&mut rest)?;
    message.extend(rest);
    Ok(message)
}

#[test]
fn what_the_apps_session_is_told_is_never_run_by_the_administrator() {
    let (cluster, workspace) = Cluster::set_up();
    cluster.sql(
        "aura_db",
        "CREATE FUNCTION aura.audit() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER audit ON ddl_command_end EXECUTE FUNCTION aura.audit()",
    );
    let session = include_str!("../../../crates/pg-schema/src/sql/session.sql");
    let foreign = include_str!("../../../crates/pg-schema/src/sql/used_elsewhere.sql");
    let public_create = "coalesce(pg_catalog.has_schema_privilege(p.oid, 'CREATE'), false)";
    let grantee = "CASE entry.grantee WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(entry.grantee)::text END";
    let grants = "FROM pg_catalog.aclexplode(coalesce(p.nspacl, pg_catalog.acldefault('n', p.nspowner))) AS entry";
    let nothing_uses =
        "SELECT used.class, used.oid AS object, pg_catalog.min(used.by) AS used_by FROM used GROUP BY 1, 2";
    for (query, text) in [(session, public_create), (session, grantee), (session, grants), (foreign, nothing_uses)] {
        assert!(query.contains(text), "{text}");
    }
    let port = between(
        cluster.port(),
        vec![
            (public_create, "true"),
            (grantee, "'PUBLIC; ALTER ROLE aura_user SUPERUSER'::text"),
            (grants, "FROM (VALUES (0::oid, 'CREATE')) AS entry (grantee, privilege_type)"),
            (nothing_uses, "SELECT 0::oid AS class, 0::oid AS object, '' AS used_by FROM used WHERE false"),
        ],
    );
    let url = workspace.setting("DATABASE_URL").replace(&format!(":{}/", cluster.port()), &format!(":{port}/"));
    let workspace = workspace.with("DATABASE_URL", &url);
    for command in [&["db-setup"][..], &["db-verify", "--fix"]] {
        let run = workspace.run(command);
        let forged = run.stdout + &run.stderr;
        assert!(forged.contains("ALTER ROLE aura_user SUPERUSER"), "{command:?} was not told it: {forged}");
        let rose = "SELECT rolsuper FROM pg_roles WHERE rolname = 'aura_user'";
        assert_eq!(cluster.value("postgres", rose), "f", "{command:?}");
        let owner = "SELECT proowner::regrole FROM pg_proc WHERE proname = 'audit'";
        assert_eq!(cluster.value("aura_db", owner), "postgres", "{command:?}");
    }
}
