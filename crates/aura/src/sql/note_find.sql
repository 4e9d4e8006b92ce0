-- The notes of user $1 whose title or text is like $2, the latest first.
SELECT id, title, content, is_favorite, created_at, updated_at
FROM notes_note
WHERE user_id = $1 AND (title ILIKE $2 OR content ILIKE $2)
ORDER BY updated_at DESC, id DESC
