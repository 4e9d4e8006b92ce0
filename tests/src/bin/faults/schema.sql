-- Migrations that psql can run again after it was interrupted.
CREATE TABLE IF NOT EXISTS artist (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS work (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    artist bigint NOT NULL REFERENCES artist,
    title text NOT NULL
);
CREATE INDEX IF NOT EXISTS work_title ON work (title);
CREATE OR REPLACE VIEW works AS SELECT work.title, artist.name FROM work JOIN artist ON artist.id = work.artist;
INSERT INTO artist (name) SELECT 'Hilma' WHERE NOT EXISTS (SELECT FROM artist);
