//! sqlx's own program, of `tests/peers`.

use tests::{path_with, peers};

use crate::project::{Project, within};

const TABLES: [&str; 3] = ["_sqlx_migrations", "artist", "artwork"];

fn project() -> Option<Project> {
    Some(Project::new("sqlx", "sqlx", &[("PATH", path_with(&peers()?))]))
}

#[test]
fn what_the_recipe_makes_lands_in_the_schema() {
    let Some(project) = project() else { return };
    project.is_set_up(&TABLES);
    project.workspace.write("migrations/3_places.sql", "CREATE TABLE place (id int GENERATED ALWAYS AS IDENTITY);");
    project.makes("place");
    project.needs(&[("DATABASE_URL", project.url())]);
}

#[test]
fn f01_a_migration_that_is_missing_or_changed_fails_the_command() {
    let Some(project) = project() else { return };
    project.is_set_up(&TABLES);
    project.edit("migrations/1_artists.sql", "name", "full_name");
    project.setup().exits(1).complains("migration 1 was previously applied but has been modified");
    project.remove("migrations/1_artists.sql");
    project.setup().exits(1).complains("migration 1 was previously applied but is missing");
}

#[test]
fn f06_a_path_set_by_a_migration_is_found_or_refused() {
    let Some(project) = project() else { return };
    project.open_attic();
    project.edit("migrations/2_artworks.sql", "CREATE", "SET search_path = attic, aura;\nCREATE");
    assert_eq!(project.is_found_out(), ["tables-landed", "strays"]);
    assert_eq!(project.tables(), ["attic.artwork", "aura._sqlx_migrations", "aura.artist"]);

    let Some(project) = self::project() else { return };
    project.edit("migrations/2_artworks.sql", "CREATE", "SET search_path = public;\nCREATE");
    project.setup().exits(1).complains("permission denied for schema public");
    assert_eq!(project.tables(), ["aura._sqlx_migrations", "aura.artist"]);
}

#[test]
fn f27_books_in_public_keep_all_from_being_made_once_more() {
    let Some(project) = project() else { return };
    project.open_public();
    let in_public = format!("{}&options=-csearch_path%3Dpublic", project.workspace.setting("DATABASE_URL"));
    project.needs(&[("DATABASE_URL", in_public)]);
    assert_eq!(project.tables(), [within("public", &TABLES), within("public", &["theirs"])].concat());
    // sqlx would look in aura alone, and make all of it once more.
    project.setup().exits(1).shows("tables-in-public");
    assert_eq!(project.workspace.verify().exits(3).with_status("fail")[..2], ["schema", "strays"]);
    assert_eq!(project.tables(), [within("public", &TABLES), within("public", &["theirs"])].concat());
}
