//! No false alarm: all that a grown database holds, and nothing wrong with any of it.

use tests::{Cluster, connection};

use crate::case::{CASE, Case, set_up_on};

const EXTENSIONS: &str = "CREATE EXTENSION pg_trgm SCHEMA public; CREATE EXTENSION \"uuid-ossp\" SCHEMA public; \
     CREATE EXTENSION postgres_fdw SCHEMA public; CREATE EXTENSION pg_stat_statements SCHEMA public; \
     CREATE SCHEMA extensions; CREATE EXTENSION hstore SCHEMA extensions";

/// What the app's own migrations may make.
const OURS: &str = "
    CREATE TABLE visit (id bigserial, at date NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE visit_2026 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE visit_rest PARTITION OF visit DEFAULT;
    CREATE TABLE base (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    CREATE TABLE derived (extra text) INHERITS (base);
    CREATE TABLE secret (id serial PRIMARY KEY, owner text, name citext);
    ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
    ALTER TABLE secret FORCE ROW LEVEL SECURITY;
    CREATE POLICY own ON secret USING (owner = current_user);
    CREATE INDEX ON secret USING gin (owner gin_trgm_ops);
    CREATE VIEW titles AS SELECT title FROM artworks_artwork;
    CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM artworks_artwork;
    CREATE UNLOGGED TABLE cache (key text PRIMARY KEY);
    CREATE SEQUENCE invoice;
    CREATE TYPE mood AS ENUM ('calm', 'loud');
    CREATE TYPE span AS RANGE (SUBTYPE = timestamptz);
    CREATE TYPE pair AS (a int, b mood);
    CREATE DOMAIN email AS citext CHECK (VALUE LIKE '%@%');
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE ON secret FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE AGGREGATE sum_of (bigint) (SFUNC = int8pl, STYPE = bigint);
    CREATE PROCEDURE tidy() LANGUAGE sql AS 'SELECT 1';
    CREATE STATISTICS visit_statistics ON id, at FROM visit;
    CREATE TABLE \"Œuvre \"\"neuve\"\"\" (\"Größe\" int);
    COMMENT ON TABLE secret IS 'nobody''s business'";

/// What others have in the same database, and beside it.
const THEIRS: &str = "
    CREATE ROLE shop LOGIN; CREATE ROLE shop_reader;
    CREATE SCHEMA shop AUTHORIZATION shop; CREATE SCHEMA \"Archive 2020\";
    CREATE TABLE shop.notes_note (id int); ALTER TABLE shop.notes_note OWNER TO shop;
    CREATE TABLE \"Archive 2020\".artworks_artwork (id int);
    CREATE TABLE shop.schema_migrations (version text); ALTER TABLE shop.schema_migrations OWNER TO shop;
    ALTER DEFAULT PRIVILEGES FOR ROLE shop IN SCHEMA shop GRANT SELECT ON TABLES TO shop_reader;
    GRANT USAGE ON SCHEMA aura TO shop_reader; GRANT SELECT ON ALL TABLES IN SCHEMA aura TO shop_reader;
    ALTER ROLE shop IN DATABASE aura_db SET search_path = shop;
    CREATE SCHEMA ops; GRANT USAGE ON SCHEMA ops TO PUBLIC;
    CREATE FUNCTION ops.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
    CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION ops.watch();
    CREATE PUBLICATION everything FOR ALL TABLES;
    CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'postgres');
    GRANT USAGE ON FOREIGN SERVER elsewhere TO aura_user;
    SELECT lo_create(4711)";

#[test]
fn a_grown_database_is_verified_without_a_finding() {
    let cluster = Cluster::start_with(&[("shared_preload_libraries", "pg_stat_statements")]);
    let case = Case { environment: &[("DB_EXTENSIONS", "citext")], ..CASE };
    let workspace = set_up_on(&cluster, &case);
    cluster.sql("aura_db", EXTENSIONS);
    cluster.sql("aura_db", THEIRS);
    let mut app =
        pg_config::connect(&connection(&cluster.url("aura_user", "the-app's", "aura_db"))).unwrap().into_client();
    app.batch_execute(OURS).unwrap();
    app.batch_execute(
        "CREATE FOREIGN TABLE far (id int) SERVER elsewhere; CREATE USER MAPPING FOR aura_user SERVER elsewhere",
    )
    .unwrap();
    app.batch_execute("CREATE TEMPORARY TABLE notes_note (id int); CREATE TEMPORARY TABLE sketch (id serial)").unwrap();

    let run = workspace.verify().exits(0);
    assert!(run.with_status("fail").is_empty() && run.with_status("warn").is_empty(), "{}", run.stdout);
    assert!(run.with_status("skip").is_empty(), "{}", run.stdout);

    // A setup finds nothing to change either.
    let before = (cluster.dump("aura_db"), cluster.globals());
    workspace.run(&["db-setup"]).exits(0);
    assert!(before == (cluster.dump("aura_db"), cluster.globals()), "db-setup changed something");
}
