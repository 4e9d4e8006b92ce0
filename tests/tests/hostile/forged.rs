//! Somebody between the app's session and the server, who answers what he likes: he is asked for names, and is given no
//! administrator's session to run SQL by.

use tests::{Cluster, Passage, Proxy, Sender};

#[test]
fn what_the_apps_session_is_told_is_never_run_by_the_administrator() {
    let (cluster, workspace) = Cluster::set_up();
    cluster.sql(
        "aura_db",
        "CREATE FUNCTION aura.audit() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER audit ON ddl_command_end EXECUTE FUNCTION aura.audit()",
    );
    let session = include_str!("../../../crates/pg-schema/src/facts/session.sql");
    let foreign = include_str!("../../../crates/pg-schema/src/facts/used_elsewhere.sql");
    let public_create = "coalesce(pg_catalog.has_schema_privilege(p.oid, 'CREATE'), false)";
    let grantee = "CASE entry.grantee WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(entry.grantee)::text END";
    let grants = "FROM pg_catalog.aclexplode(coalesce(p.nspacl, pg_catalog.acldefault('n', p.nspowner))) AS entry";
    let nothing_uses =
        "SELECT used.class, used.oid AS object, pg_catalog.min(used.by) AS used_by FROM used GROUP BY 1, 2";
    for (query, text) in [(session, public_create), (session, grantee), (session, grants), (foreign, nothing_uses)] {
        assert!(query.contains(text), "{text}");
    }
    // Each text takes the place of another of at least its length.
    let forged = [
        (public_create, "true"),
        (grantee, "'PUBLIC; ALTER ROLE aura_user SUPERUSER'::text"),
        (grants, "FROM (VALUES (0::oid, 'CREATE')) AS entry (grantee, privilege_type)"),
        (nothing_uses, "SELECT 0::oid AS class, 0::oid AS object, '' AS used_by FROM used WHERE false"),
    ];
    let proxy = Proxy::before(cluster.port(), move |message| {
        for (text, other) in forged {
            let at = message.bytes.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(at) = at.filter(|_| message.sender == Sender::Client) {
                let padded = format!("{other:<width$}", width = text.len());
                message.bytes[at..at + text.len()].copy_from_slice(padded.as_bytes());
            }
        }
        Passage::Pass
    });
    let through = format!(":{}/", proxy.port);
    let url = workspace.setting("DATABASE_URL").replace(&format!(":{}/", cluster.port()), &through);
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
