-- $1 to $24 are the fields, as in artwork_change.sql; $25 the key, $26 the owner.
INSERT INTO artworks_artwork (
    title, creation_year, origin_country, height, width, depth, weight, acquisition_date, acquisition_place, price,
    provenance, is_framed, is_borrowed, is_signed, is_acquired, current_location, owners, contextual_references, notes,
    last_exhibited, art_type_id, parent_artwork_id, support_id, technique_id, id, user_id, created_at, updated_at
)
VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
    $25, $26, now(), now()
)
