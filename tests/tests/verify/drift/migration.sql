SELECT to_regclass('artist') IS NULL AS is_new \gset
\if :is_new
CREATE TYPE mood AS ENUM ('calm', 'loud');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE span AS RANGE (SUBTYPE = timestamptz);
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE SEQUENCE invoice;
CREATE TABLE artist (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(80) NOT NULL DEFAULT '');
CREATE TABLE work (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    artist int,
    title varchar(80) NOT NULL UNIQUE,
    made date,
    price numeric(9, 2) NOT NULL DEFAULT 1,
    doubled numeric GENERATED ALWAYS AS (price * 2) STORED,
    felt mood,
    state varchar(20) DEFAULT 'new',
    CONSTRAINT work_artist_fkey FOREIGN KEY (artist) REFERENCES artist ON DELETE CASCADE,
    CONSTRAINT work_price_check CHECK (price > 0),
    -- A restore writes these with other casts and brackets.
    CONSTRAINT work_state_check CHECK (state IN ('new', 'sold (paid)', 'it''s lent')),
    CONSTRAINT work_state_more CHECK (state::text <> ALL (ARRAY['a'::varchar, 'b'::varchar]::text[]) OR (price > 1 AND made IS NULL))
);
CREATE INDEX work_made ON work (made);
CREATE INDEX work_open ON work (lower(title)) WHERE state IN ('new', 'old') AND made > '2020-01-01'::date;
CREATE STATISTICS work_statistics ON artist, made FROM work;
CREATE TABLE note (id bigserial PRIMARY KEY, body text NOT NULL DEFAULT '', owner text);
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON note USING (owner = current_user AND owner IN ('a', 'b'));
CREATE TABLE tag (label text);
CREATE RULE keep AS ON DELETE TO tag DO INSTEAD NOTHING;
CREATE TABLE base (id int PRIMARY KEY, CHECK (id > 0));
CREATE TABLE derived (extra text) INHERITS (base);
CREATE TABLE visit (at date NOT NULL, work int REFERENCES work, PRIMARY KEY (at)) PARTITION BY RANGE (at);
CREATE INDEX visit_work ON visit (work);
CREATE TABLE visit_2026 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE "Œuvre ""neuve""" ("Größe" int, "back\slash	tab" int);
CREATE VIEW titled AS SELECT id, title FROM work WHERE state IN ('new', 'old');
CREATE VIEW joined AS SELECT w.*, a.name FROM work w JOIN artist a ON a.id = w.artist;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM work;
CREATE FUNCTION half(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n / 2';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE PROCEDURE tidy() LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE longest (text) (SFUNC = text_larger, STYPE = text);
CREATE TRIGGER touch BEFORE UPDATE ON work FOR EACH ROW WHEN (NEW.state::text = 'new') EXECUTE FUNCTION touch();
CREATE TRIGGER seen AFTER INSERT ON visit FOR EACH ROW EXECUTE FUNCTION touch();
\endif
