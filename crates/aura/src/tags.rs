//! Tags, as django-taggit keeps them: a row for each name, and a row that ties it to a thing of some kind.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Transaction;
use uuid::Uuid;

use crate::error::Answer;
use crate::slug::{choice, slug};

/// Gives the artwork these tags and no other. A tag that does not exist is made; a tag that nobody uses any more stays.
///
/// Names are compared as they are written, save for blanks around them; empty ones are left out.
pub(crate) fn set(transaction: &mut Transaction<'_>, artwork: Uuid, names: &[String]) -> Answer<()> {
    let names = names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
    let artworks = content_type(transaction)?;
    let tags = get_or_make(transaction, names)?;
    transaction.execute(include_str!("sql/artwork_set_tags.sql"), &[&artwork, &artworks, &tags])?;
    Ok(())
}

/// The keys of the tags with these names.
fn get_or_make(transaction: &mut Transaction<'_>, names: BTreeSet<&str>) -> Answer<Vec<i32>> {
    // One writer at a time, the present version's included. Two transactions that make tags would else wait for each
    // other's names and slugs in a circle: no order of names is an order of slugs too. Readers are not disturbed.
    const LOCK: &str = "LOCK TABLE taggit_tag IN SHARE ROW EXCLUSIVE MODE";
    const MAKE: &str = "INSERT INTO taggit_tag (name, slug) VALUES ($1, $2) ON CONFLICT (slug) DO NOTHING RETURNING id";

    let names: Vec<&str> = names.into_iter().collect();
    let mut tags = get(transaction, &names)?;
    if tags.len() < names.len() {
        transaction.batch_execute(LOCK)?;
        tags = get(transaction, &names)?;
        for name in names {
            if tags.contains_key(name) {
                continue;
            }
            let slug = slug(name);
            for n in 0.. {
                if let Some(row) = transaction.query_opt(MAKE, &[&name, &choice(&slug, n)])? {
                    tags.insert(name.to_owned(), row.try_get(0)?);
                    break;
                }
            }
        }
    }
    Ok(tags.into_values().collect())
}

/// Those of the names that are tags, with their keys.
fn get(transaction: &mut Transaction<'_>, names: &[&str]) -> Answer<BTreeMap<String, i32>> {
    let rows = transaction.query("SELECT name, id FROM taggit_tag WHERE name = ANY ($1::text[])", &[&names])?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The key of the kind "artwork", which the framework makes when it migrates, and we where it never did.
fn content_type(transaction: &mut Transaction<'_>) -> Answer<i32> {
    const FIND: &str = "SELECT id FROM django_content_type WHERE app_label = 'artworks' AND model = 'artwork'";
    const MAKE: &str = "INSERT INTO django_content_type (app_label, model) VALUES ('artworks', 'artwork') \
                        ON CONFLICT (app_label, model) DO NOTHING";
    if let Some(row) = transaction.query_opt(FIND, &[])? {
        return row.try_get(0);
    }
    transaction.execute(MAKE, &[])?;
    transaction.query_one(FIND, &[])?.try_get(0)
}
