//! Artworks with their artists, tags and collections: add one, change one, find some by text.
//!
//! Every artwork is one user's, and is changed and found only for them.

use postgres::types::ToSql;
use postgres::{GenericClient, Row, Transaction};
use rust_decimal::Decimal;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::error::{Answer, Error, Result};
use crate::{like, tags};

/// What a collector writes down of an artwork. A text that says nothing is empty; other unknowns are `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// At most 300 characters.
    pub title: String,
    /// The year in which it was made.
    pub creation_year: Option<i32>,
    /// At most 100 characters.
    pub origin_country: String,
    /// Dimensions and weight are below 1,000,000, rounded to two decimals; the unit is the collector's own.
    pub height: Option<Decimal>,
    /// As `height`.
    pub width: Option<Decimal>,
    /// As `height`.
    pub depth: Option<Decimal>,
    /// As `height`.
    pub weight: Option<Decimal>,
    /// The day on which it was acquired.
    pub acquisition_date: Option<Date>,
    /// At most 200 characters.
    pub acquisition_place: String,
    /// Below 100,000,000, rounded to two decimals; the currency is the collector's own.
    pub price: Option<Decimal>,
    /// Whose it was before.
    pub provenance: String,
    /// It has a frame.
    pub is_framed: bool,
    /// It is somebody else's.
    pub is_borrowed: bool,
    /// It bears a signature.
    pub is_signed: bool,
    /// It was acquired, and is not merely known.
    pub is_acquired: bool,
    /// One of the application's own words: `domicile`, `stockage`, `pretee` … At most 50 characters.
    pub current_location: String,
    /// At most 500 characters.
    pub owners: String,
    /// Books, catalogues, other works.
    pub contextual_references: String,
    /// Anything else; [`find`] looks here too.
    pub notes: String,
    /// The day on which it was last exhibited.
    pub last_exhibited: Option<Date>,
    /// A key of `artworks_arttype`.
    pub art_type_id: Option<i64>,
    /// The artwork of which this one is a part.
    pub parent_artwork_id: Option<Uuid>,
    /// A key of `artworks_support`.
    pub support_id: Option<i64>,
    /// A key of `artworks_technique`.
    pub technique_id: Option<i64>,
}

impl Record {
    /// A record with a title, acquired and at home, as the application begins one; nothing else is known.
    pub fn titled(title: impl Into<String>) -> Record {
        Record {
            title: title.into(),
            creation_year: None,
            origin_country: String::new(),
            height: None,
            width: None,
            depth: None,
            weight: None,
            acquisition_date: None,
            acquisition_place: String::new(),
            price: None,
            provenance: String::new(),
            is_framed: false,
            is_borrowed: false,
            is_signed: false,
            is_acquired: true,
            current_location: "domicile".to_owned(),
            owners: String::new(),
            contextual_references: String::new(),
            notes: String::new(),
            last_exhibited: None,
            art_type_id: None,
            parent_artwork_id: None,
            support_id: None,
            technique_id: None,
        }
    }

    /// `$1` to `$24` of `artwork_add.sql` and `artwork_change.sql`.
    fn values(&self) -> [&(dyn ToSql + Sync); 24] {
        [
            &self.title,
            &self.creation_year,
            &self.origin_country,
            &self.height,
            &self.width,
            &self.depth,
            &self.weight,
            &self.acquisition_date,
            &self.acquisition_place,
            &self.price,
            &self.provenance,
            &self.is_framed,
            &self.is_borrowed,
            &self.is_signed,
            &self.is_acquired,
            &self.current_location,
            &self.owners,
            &self.contextual_references,
            &self.notes,
            &self.last_exhibited,
            &self.art_type_id,
            &self.parent_artwork_id,
            &self.support_id,
            &self.technique_id,
        ]
    }
}

/// An artwork to be added, or what one is to become. The three sets are whole: what is not in them is taken away.
#[derive(Clone, Debug, PartialEq)]
pub struct NewArtwork {
    /// Its own fields.
    pub record: Record,
    /// Keys of `artworks_artist`, in any order.
    pub artists: Vec<i64>,
    /// Names, at most 100 characters each, in any order; new ones become tags.
    pub tags: Vec<String>,
    /// Keys of `artworks_collection`, in any order.
    pub collections: Vec<i64>,
}

/// An artwork as it stands in the database.
#[derive(Clone, Debug, PartialEq)]
pub struct Artwork {
    /// Its key.
    pub id: Uuid,
    /// Its own fields.
    pub record: Record,
    /// Its artists, by name.
    pub artists: Vec<Named>,
    /// Its tags, by name.
    pub tags: Vec<String>,
    /// The collections it is in, by name.
    pub collections: Vec<Named>,
    /// When it was added.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

/// An artist or a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its key.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// Adds an artwork of user `owner` (a key of `core_user`) with all that is tied to it, in one transaction, and
/// returns its key.
///
/// That what it refers to exists is checked at commit (SQLSTATE 23503): by this call where `client` is a session, by
/// the caller's own commit where it is a transaction.
pub fn add(client: &mut impl GenericClient, owner: i64, artwork: &NewArtwork) -> Result<Uuid> {
    let id = Uuid::new_v4();
    let done = client.transaction().and_then(|mut transaction| {
        write(&mut transaction, include_str!("sql/artwork_add.sql"), id, owner, artwork)?;
        transaction.commit()
    });
    done.map_err(Error::server(format!("add artwork {:?} of user {owner}", artwork.record.title)))?;
    Ok(id)
}

/// Changes an artwork of user `owner` to what `artwork` says, in one transaction: every field, and the whole sets of
/// artists, tags and collections. [`Error::NoArtwork`] where the user has none with this key.
pub fn change(client: &mut impl GenericClient, owner: i64, id: Uuid, artwork: &NewArtwork) -> Result<()> {
    let done = client.transaction().and_then(|mut transaction| {
        let found = write(&mut transaction, include_str!("sql/artwork_change.sql"), id, owner, artwork)?;
        transaction.commit().map(|()| found)
    });
    match done.map_err(Error::server(format!("change artwork {id} of user {owner}")))? {
        true => Ok(()),
        false => Err(Error::NoArtwork(id)),
    }
}

/// The artworks of user `owner` with `text` in title, notes, an artist's name or a tag, by title. Case is ignored as
/// the database's locale has it; an empty text finds all.
pub fn find(client: &mut impl GenericClient, owner: i64, text: &str) -> Result<Vec<Artwork>> {
    let rows = client.query(include_str!("sql/artwork_find.sql"), &[&owner, &like::containing(text)]);
    let artworks = rows.and_then(|rows| rows.iter().map(read).collect());
    artworks.map_err(Error::server(format!("find artworks of user {owner}")))
}

/// Writes the row, then the sets: false where there is no such row. The row comes first, so that of two changes at the
/// same time the second waits and then replaces all that the first wrote.
fn write(transaction: &mut Transaction<'_>, sql: &str, id: Uuid, owner: i64, artwork: &NewArtwork) -> Answer<bool> {
    let mut values = artwork.record.values().to_vec();
    values.extend([&id as &(dyn ToSql + Sync), &owner]);
    if transaction.execute(sql, &values)? == 0 {
        return Ok(false);
    }
    transaction.execute(include_str!("sql/artwork_set_artists.sql"), &[&id, &artwork.artists])?;
    transaction.execute(include_str!("sql/artwork_set_collections.sql"), &[&id, &artwork.collections])?;
    tags::set(transaction, id, &artwork.tags)?;
    Ok(true)
}

fn read(row: &Row) -> Answer<Artwork> {
    Ok(Artwork {
        id: row.try_get("id")?,
        record: Record {
            title: row.try_get("title")?,
            creation_year: row.try_get("creation_year")?,
            origin_country: row.try_get("origin_country")?,
            height: row.try_get("height")?,
            width: row.try_get("width")?,
            depth: row.try_get("depth")?,
            weight: row.try_get("weight")?,
            acquisition_date: row.try_get("acquisition_date")?,
            acquisition_place: row.try_get("acquisition_place")?,
            price: row.try_get("price")?,
            provenance: row.try_get("provenance")?,
            is_framed: row.try_get("is_framed")?,
            is_borrowed: row.try_get("is_borrowed")?,
            is_signed: row.try_get("is_signed")?,
            is_acquired: row.try_get("is_acquired")?,
            current_location: row.try_get("current_location")?,
            owners: row.try_get("owners")?,
            contextual_references: row.try_get("contextual_references")?,
            notes: row.try_get("notes")?,
            last_exhibited: row.try_get("last_exhibited")?,
            art_type_id: row.try_get("art_type_id")?,
            parent_artwork_id: row.try_get("parent_artwork_id")?,
            support_id: row.try_get("support_id")?,
            technique_id: row.try_get("technique_id")?,
        },
        artists: named(row.try_get("artist_ids")?, row.try_get("artist_names")?),
        tags: row.try_get("tags")?,
        collections: named(row.try_get("collection_ids")?, row.try_get("collection_names")?),
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

fn named(ids: Vec<i64>, names: Vec<String>) -> Vec<Named> {
    ids.into_iter().zip(names).map(|(id, name)| Named { id, name }).collect()
}
