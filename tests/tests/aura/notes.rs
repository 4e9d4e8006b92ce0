//! Notes: each user's own, found by literal text.

use aura::notes::{NewNote, add, find};
use tests::Cluster;

use crate::{count, migrated, person};

#[test]
fn notes_are_added_and_found() {
    let cluster = Cluster::start();
    let mut client = migrated(&cluster, "notes");
    let (anna, bert) = (person(&mut client, "anna"), person(&mut client, "bert"));
    let note = |title: &str, content: &str| NewNote { title: title.into(), content: content.into(), is_favorite: true };
    let frame = add(&mut client, anna, &note("Cadre", "à redorer, 100 % or")).unwrap();
    let path = add(&mut client, anna, &note("Chemin", r"C:\images_2026")).unwrap();
    add(&mut client, bert, &note("Cadre", "de Bert")).unwrap();

    let mut titles =
        |owner, text: &str| find(&mut client, owner, text).unwrap().into_iter().map(|note| note.id).collect::<Vec<_>>();
    assert_eq!(titles(anna, ""), [path, frame], "the latest first");
    assert_eq!(titles(anna, "REDORER"), [frame]);
    assert_eq!(titles(anna, "cadr"), [frame], "and none of another user's");
    assert_eq!(titles(anna, "%"), [frame]);
    assert_eq!(titles(anna, "_"), [path]);
    assert_eq!(titles(anna, "\\"), [path]);
    assert_eq!(titles(anna, "'; DROP TABLE notes_note; --"), [0; 0]);
    assert_eq!(titles(bert, "redorer"), [0; 0]);

    let found = find(&mut client, anna, "redorer").unwrap().remove(0);
    assert_eq!(found.note, note("Cadre", "à redorer, 100 % or"));
    assert_eq!(found.created_at, found.updated_at);
}

#[test]
fn what_cannot_be_written_is_an_error_and_no_note() {
    let cluster = Cluster::start();
    let mut client = migrated(&cluster, "notes");
    let anna = person(&mut client, "anna");
    let error = add(&mut client, anna + 1, &NewNote::default()).unwrap_err();
    assert_eq!(error.code().map(postgres::error::SqlState::code), Some("23503"), "{error}");
    let long = NewNote { title: "x".repeat(201), ..NewNote::default() };
    let error = add(&mut client, anna, &long).unwrap_err();
    assert_eq!(error.code().map(postgres::error::SqlState::code), Some("22001"), "{error}");
    assert_eq!(count(&mut client, "SELECT count(*) FROM notes_note"), 0);

    // In a caller's transaction nothing is written until the caller commits.
    let mut transaction = client.transaction().unwrap();
    add(&mut transaction, anna, &NewNote::default()).unwrap();
    transaction.rollback().unwrap();
    assert_eq!(count(&mut client, "SELECT count(*) FROM notes_note"), 0);
}
