//! The statements and the script as text, without a server.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use pg_config::Identifier;
use pg_schema::{Expected, Kind, Object, ddl, script};

fn name(text: &str) -> Identifier {
    Identifier::new(text).unwrap()
}

fn object(kind: Kind, schema: &str, text: &str) -> Object {
    Object { kind, schema: Some(name(schema)), name: name(text), arguments: None, table: None, owner: None }
}

#[test]
fn every_name_is_quoted_where_it_must_be() {
    let (role, database, schema) = (name("\"; drop schema aura; --"), name("œuvres d'été"), name("Aura"));
    for (statement, text) in [
        (
            ddl::create_role(&role, Some("SCRAM-SHA-256$x")),
            r#"CREATE ROLE """; drop schema aura; --" LOGIN PASSWORD 'SCRAM-SHA-256$x'"#,
        ),
        (ddl::create_database(&database), r#"CREATE DATABASE "œuvres d'été" ENCODING 'UTF8' TEMPLATE template0"#),
        (ddl::create_schema(&schema), r#"CREATE SCHEMA "Aura""#),
        (
            ddl::set_role_search_path(&name("me"), &database, &schema),
            r#"ALTER ROLE me IN DATABASE "œuvres d'été" SET search_path = "Aura", public"#,
        ),
        (
            ddl::alter_owner(&object(Kind::MaterializedView, "Aura", "user"), &name("me")),
            r#"ALTER MATERIALIZED VIEW "Aura"."user" OWNER TO me"#,
        ),
        (ddl::set_schema(&object(Kind::Table, "public", "t"), &schema), r#"ALTER TABLE public.t SET SCHEMA "Aura""#),
        (ddl::comment_on_schema(&schema, r"it's \ odd"), r#"COMMENT ON SCHEMA "Aura" IS E'it''s \\ odd'"#),
    ] {
        assert_eq!(statement, text);
    }
}

#[test]
fn a_handful_of_grants_is_named_and_a_host_of_them_is_not() {
    let (schema, role) = (name("aura"), name("me"));
    let few = [object(Kind::Table, "aura", "a"), object(Kind::Sequence, "aura", "s"), object(Kind::View, "aura", "v")];
    assert_eq!(
        ddl::grant_all(&few, &schema, &role),
        [
            "GRANT ALL PRIVILEGES ON TABLE aura.a TO me",
            "GRANT ALL PRIVILEGES ON SEQUENCE aura.s TO me",
            "GRANT ALL PRIVILEGES ON TABLE aura.v TO me",
        ]
    );
    let many: Vec<_> = (0..21).map(|number| object(Kind::Table, "aura", &format!("t{number}"))).collect();
    assert_eq!(ddl::grant_all(&many, &schema, &role), ["GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA aura TO me"]);
}

/// The script that administrators read: look at `script.sql` when this fails, and keep it readable.
#[test]
fn the_script_is_the_one_in_the_repository() {
    let expected = Expected {
        role: name("aura_user"),
        database: name("aura_db"),
        schema: name("aura"),
        extensions: vec![name("pg_trgm"), name("uuid-ossp")],
        write_roles: Vec::new(),
        read_roles: Vec::new(),
        other_schemas: Vec::new(),
        administrator: None,
        digest: None,
        drift_ignore: Vec::new(),
    };
    let printed = script(&expected, Some("SCRAM-SHA-256$4096:…"));
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/script.sql");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if printed != kept {
        // The new text lies beside the old one, to be looked at and renamed.
        std::fs::write(path.with_extension("new.sql"), &printed).unwrap();
    }
    assert_eq!(printed, kept);
}
