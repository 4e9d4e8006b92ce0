-- Artwork $1, a thing of kind $2, has the tags $3, and no other.
WITH gone AS (
    DELETE FROM artworks_uuidtaggeditem
    WHERE object_id = $1 AND content_type_id = $2 AND tag_id <> ALL ($3::integer[])
)
INSERT INTO artworks_uuidtaggeditem (object_id, content_type_id, tag_id)
SELECT DISTINCT $1::uuid, $2::integer, wanted
FROM unnest($3::integer[]) AS wanted
WHERE NOT EXISTS (
    SELECT FROM artworks_uuidtaggeditem WHERE object_id = $1 AND content_type_id = $2 AND tag_id = wanted
)
