//! Notes: add one, find some. Every note is one user's, and is found only for them.

use postgres::{GenericClient, Row};
use time::OffsetDateTime;

use crate::error::{Answer, Error, Result};
use crate::like;

/// A note to be written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewNote {
    /// At most 200 characters.
    pub title: String,
    /// The text; may be empty.
    pub content: String,
    /// Shown among the favourites.
    pub is_favorite: bool,
}

/// A note as it stands in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its key.
    pub id: i64,
    /// What its owner wrote.
    pub note: NewNote,
    /// When it was added.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

/// Adds a note of user `owner` (a key of `core_user`), and returns its key.
///
/// That the user exists is checked at commit (SQLSTATE 23503): by this call where `client` is a session, by the
/// caller's own commit where it is a transaction.
pub fn add(client: &mut impl GenericClient, owner: i64, note: &NewNote) -> Result<i64> {
    let values: [&(dyn postgres::types::ToSql + Sync); 4] = [&owner, &note.title, &note.content, &note.is_favorite];
    let row = client.query_one(include_str!("sql/note_add.sql"), &values);
    row.and_then(|row| row.try_get("id")).map_err(Error::server(format!("add note {:?} of user {owner}", note.title)))
}

/// The notes of user `owner` with `text` in title or content, the latest change first. Case is ignored as the
/// database's locale has it; an empty text finds all.
pub fn find(client: &mut impl GenericClient, owner: i64, text: &str) -> Result<Vec<Note>> {
    let rows = client.query(include_str!("sql/note_find.sql"), &[&owner, &like::containing(text)]);
    let notes = rows.and_then(|rows| rows.iter().map(read).collect());
    notes.map_err(Error::server(format!("find notes of user {owner}")))
}

fn read(row: &Row) -> Answer<Note> {
    Ok(Note {
        id: row.try_get("id")?,
        note: NewNote {
            title: row.try_get("title")?,
            content: row.try_get("content")?,
            is_favorite: row.try_get("is_favorite")?,
        },
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}
