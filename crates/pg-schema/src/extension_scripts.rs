//! What the scripts of extensions must not meet.

use pg_config::Session;

use crate::{query::query, sql_error::SqlError};

/// Routines and operators of other roles in `public`, in words: the script of an extension runs with more rights than
/// theirs, and could run them (CVE-2020-14350).
pub(crate) fn objects_of_others_in_public(session: &mut Session) -> Result<Option<String>, SqlError> {
    let rows = query(session, OBJECTS_OF_OTHERS_IN_PUBLIC, &[])?;
    let names: Vec<String> = rows.iter().take(3).map(|row| row.get(0)).collect();
    let more = if rows.len() > 3 { format!(" and {} more", rows.len() - 3) } else { String::new() };
    Ok((!names.is_empty()).then(|| names.join(", ") + &more))
}

/// The query.
pub(crate) const OBJECTS_OF_OTHERS_IN_PUBLIC: &str = include_str!("sql/objects_of_others_in_public.sql");
