-- The artworks of user $1 in which $2 is like the title, the notes, an artist's name or a tag, by title.
-- NOT MATERIALIZED: else each would be read whole for every artwork, and no index serve it.
WITH
    authored AS NOT MATERIALIZED (
        SELECT artwork_id, artworks_artist.id, name
        FROM artworks_artwork_artists
        JOIN artworks_artist ON artworks_artist.id = artist_id
    ),
    collected AS NOT MATERIALIZED (
        SELECT artwork_id, artworks_collection.id, name
        FROM artworks_artwork_collections
        JOIN artworks_collection ON artworks_collection.id = collection_id
    ),
    tagged AS NOT MATERIALIZED (
        SELECT object_id AS artwork_id, name
        FROM artworks_uuidtaggeditem
        JOIN django_content_type ON django_content_type.id = content_type_id
        JOIN taggit_tag ON taggit_tag.id = tag_id
        WHERE app_label = 'artworks' AND model = 'artwork'
    )
SELECT
    artwork.*,
    ARRAY(SELECT id FROM authored WHERE artwork_id = artwork.id ORDER BY name, id) AS artist_ids,
    ARRAY(SELECT name FROM authored WHERE artwork_id = artwork.id ORDER BY name, id) AS artist_names,
    ARRAY(SELECT id FROM collected WHERE artwork_id = artwork.id ORDER BY name, id) AS collection_ids,
    ARRAY(SELECT name FROM collected WHERE artwork_id = artwork.id ORDER BY name, id) AS collection_names,
    ARRAY(SELECT DISTINCT name FROM tagged WHERE artwork_id = artwork.id ORDER BY name) AS tags
FROM artworks_artwork AS artwork
WHERE user_id = $1
    AND (
        title ILIKE $2
        OR notes ILIKE $2
        OR artwork.id IN (SELECT artwork_id FROM authored WHERE name ILIKE $2)
        OR artwork.id IN (SELECT artwork_id FROM tagged WHERE name ILIKE $2)
    )
ORDER BY title, artwork.id
