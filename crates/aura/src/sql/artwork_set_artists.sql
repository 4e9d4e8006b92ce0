-- Artwork $1 is by the artists $2, and by no other.
WITH gone AS (
    DELETE FROM artworks_artwork_artists WHERE artwork_id = $1 AND artist_id <> ALL ($2::bigint[])
)
INSERT INTO artworks_artwork_artists (artwork_id, artist_id)
SELECT DISTINCT $1::uuid, wanted
FROM unnest($2::bigint[]) AS wanted
WHERE NOT EXISTS (SELECT FROM artworks_artwork_artists WHERE artwork_id = $1 AND artist_id = wanted)
