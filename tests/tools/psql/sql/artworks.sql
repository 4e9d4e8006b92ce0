CREATE TABLE IF NOT EXISTS artwork (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    artist_id int NOT NULL REFERENCES artist
);
