-- Artwork $1 is in the collections $2, and in no other.
WITH gone AS (
    DELETE FROM artworks_artwork_collections WHERE artwork_id = $1 AND collection_id <> ALL ($2::bigint[])
)
INSERT INTO artworks_artwork_collections (artwork_id, collection_id)
SELECT DISTINCT $1::uuid, wanted
FROM unnest($2::bigint[]) AS wanted
WHERE NOT EXISTS (SELECT FROM artworks_artwork_collections WHERE artwork_id = $1 AND collection_id = wanted)
