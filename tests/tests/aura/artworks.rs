//! Artworks with their artists, tags and collections: added, found, changed, each user's own.

use aura::{
    Error,
    artworks::{Artwork, NewArtwork, Record, add, change, find},
};
use postgres::Client;
use tests::Cluster;

use crate::{count, migrated, person};

fn artist(client: &mut Client, name: &str) -> i64 {
    let sql = "INSERT INTO artworks_artist (name, nationality, biography, created_at, updated_at) VALUES ($1, '', '', now(), now()) RETURNING id";
    client.query_one(sql, &[&name]).unwrap().get(0)
}

fn collection(client: &mut Client, owner: i64, name: &str) -> i64 {
    let sql = "INSERT INTO artworks_collection (name, description, created_at, user_id) VALUES ($1, '', now(), $2) RETURNING id";
    client.query_one(sql, &[&name, &owner]).unwrap().get(0)
}

fn titled(title: &str, artists: &[i64], tags: &[&str], collections: &[i64]) -> NewArtwork {
    NewArtwork {
        record: Record::titled(title),
        artists: artists.to_vec(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        collections: collections.to_vec(),
    }
}

#[track_caller]
fn titles(client: &mut Client, owner: i64, text: &str) -> Vec<String> {
    find(client, owner, text).unwrap().into_iter().map(|artwork| artwork.record.title).collect()
}

#[test]
fn an_artwork_is_added_found_and_changed_with_all_that_is_tied_to_it() {
    let cluster = Cluster::start();
    let mut client = migrated(&cluster, "whole");
    let anna = person(&mut client, "anna");
    let (monet, degas) = (artist(&mut client, "Claude Monet"), artist(&mut client, "Edgar Degas"));
    let (blue, green) = (collection(&mut client, anna, "Bleue"), collection(&mut client, anna, "Verte"));
    let mut new = titled("Nymphéas", &[monet, degas, monet], &["jardin", " eau ", "", "jardin"], &[green, blue]);
    new.record.creation_year = Some(1906);
    new.record.height = Some("89.90".parse().unwrap());
    new.record.price = Some("12345678.90".parse().unwrap());
    new.record.art_type_id = Some(client.query_one("SELECT min(id) FROM artworks_arttype", &[]).unwrap().get(0));
    let id = add(&mut client, anna, &new).unwrap();

    let found: Artwork = find(&mut client, anna, "").unwrap().remove(0);
    assert_eq!((found.id, &found.record), (id, &new.record));
    let names = |artwork: &Artwork| artwork.artists.iter().map(|artist| artist.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found), ["Claude Monet", "Edgar Degas"]);
    assert_eq!(found.tags, ["eau", "jardin"]);
    let collections: Vec<_> = found.collections.iter().map(|collection| collection.id).collect();
    assert_eq!(collections, [blue, green], "by name");

    let mut other = titled("Le pont", &[degas], &["eau", "pont"], &[]);
    other.record.notes = "vu à Giverny".into();
    change(&mut client, anna, id, &other).unwrap();
    let changed = find(&mut client, anna, "").unwrap().remove(0);
    assert_eq!((changed.id, &changed.record), (id, &other.record));
    assert_eq!(
        (names(&changed), changed.tags, changed.collections),
        (vec!["Edgar Degas".into()], vec!["eau".into(), "pont".into()], vec![])
    );
    assert!(changed.updated_at > found.updated_at && changed.created_at == found.created_at);
    assert_eq!(count(&mut client, "SELECT count(*) FROM taggit_tag"), 3, "a tag that nobody uses stays");
}

#[test]
fn text_is_found_as_it_is_written() {
    let cluster = Cluster::start();
    let mut client = migrated(&cluster, "text");
    let (anna, bert) = (person(&mut client, "anna"), person(&mut client, "bert"));
    let percent = artist(&mut client, "Studio 100%");
    for (title, artists, tags) in [
        ("Étude", vec![percent], vec![]),
        ("a_b", vec![], vec!["dos\\verso"]),
        ("Nature morte", vec![], vec!["l'hiver"]),
    ] {
        add(&mut client, anna, &titled(title, &artists, &tags, &[])).unwrap();
    }
    add(&mut client, bert, &titled("Étude de Bert", &[percent], &["l'hiver"], &[])).unwrap();

    assert_eq!(titles(&mut client, anna, "100%"), ["Étude"], "an artist's name");
    assert_eq!(titles(&mut client, anna, "%"), ["Étude"]);
    assert_eq!(titles(&mut client, anna, "_"), ["a_b"]);
    assert_eq!(titles(&mut client, anna, "\\"), ["a_b"], "a tag");
    assert_eq!(titles(&mut client, anna, "MORTE"), ["Nature morte"]);
    assert_eq!(titles(&mut client, anna, "l'hiver"), ["Nature morte"], "none of another user's");
    assert_eq!(titles(&mut client, anna, "' OR true --"), [""; 0]);
    assert_eq!(titles(&mut client, bert, ""), ["Étude de Bert"]);
}

#[test]
fn what_is_another_users_is_not_there() {
    let cluster = Cluster::start();
    let mut client = migrated(&cluster, "owners");
    let (anna, bert) = (person(&mut client, "anna"), person(&mut client, "bert"));
    let id = add(&mut client, anna, &titled("Autoportrait", &[], &["moi"], &[])).unwrap();
    let error = change(&mut client, bert, id, &titled("Volé", &[], &["lui"], &[])).unwrap_err();
    assert!(matches!(error, Error::NoArtwork(found) if found == id), "{error}");
    assert_eq!(titles(&mut client, anna, ""), ["Autoportrait"]);
    assert_eq!(find(&mut client, anna, "").unwrap()[0].tags, ["moi"]);
    assert_eq!(count(&mut client, "SELECT count(*) FROM taggit_tag"), 1);
}

#[test]
fn an_unknown_artist_writes_nothing() {
    let cluster = Cluster::start();
    let mut client = migrated(&cluster, "unknown");
    let anna = person(&mut client, "anna");
    let error = add(&mut client, anna, &titled("Sans nom", &[4711], &["neuf"], &[])).unwrap_err();
    assert_eq!(error.code().map(postgres::error::SqlState::code), Some("23503"), "{error}");
    tests::shows("unknown-artist", &error.to_string());

    let id = add(&mut client, anna, &titled("Connu", &[], &["vieux"], &[])).unwrap();
    change(&mut client, anna, id, &titled("Changé", &[], &[], &[4711])).unwrap_err();
    assert_eq!(titles(&mut client, anna, ""), ["Connu"]);
    assert_eq!(find(&mut client, anna, "").unwrap()[0].tags, ["vieux"]);
    for table in ["artworks_artwork_artists", "artworks_artwork_collections"] {
        assert_eq!(count(&mut client, &format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
    assert_eq!(count(&mut client, "SELECT count(*) FROM taggit_tag"), 1);
}

#[test]
fn eight_writers_of_the_same_new_tags_do_not_wait_in_a_circle() {
    let cluster = Cluster::start();
    let anna = person(&mut migrated(&cluster, "tags"), "anna");
    let url = cluster.url(crate::ROLE, crate::PASSWORD, "tags");
    let writers: Vec<_> = (0..8)
        .map(|number| {
            let url = url.clone();
            std::thread::spawn(move || {
                let mut client = aura::connect(&url).unwrap();
                let mut tags = ["bleu", "Bleu", "vert", "rouge", "jaune", "noir"];
                tags.rotate_left(number % 6);
                for turn in 0..5 {
                    add(&mut client, anna, &titled(&format!("{number}.{turn}"), &[], &tags, &[])).unwrap();
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let mut client = aura::connect(&url).unwrap();
    assert_eq!(count(&mut client, "SELECT count(*) FROM taggit_tag"), 6);
    assert_eq!(count(&mut client, "SELECT count(*) FROM artworks_uuidtaggeditem"), 8 * 5 * 6);
    assert!(find(&mut client, anna, "").unwrap().iter().all(|artwork| artwork.tags.len() == 6));
}
