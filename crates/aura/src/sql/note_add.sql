INSERT INTO notes_note (user_id, title, content, is_favorite, created_at, updated_at)
VALUES ($1, $2, $3, $4, now(), now())
RETURNING id
