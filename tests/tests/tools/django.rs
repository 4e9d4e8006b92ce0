//! Django, with settings that keep the URL's options, that throw them away, and that have their own.

use std::fs;

use tests::{Python, seen};

use crate::project::{Project, source, within};

const TABLES: [&str; 10] = [
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "auth_user",
    "auth_user_groups",
    "auth_user_user_permissions",
    "django_content_type",
    "django_migrations",
    "gallery_artist",
    "gallery_artwork",
];

fn project() -> Option<Project> {
    let python = Python::with(&source("django").join("requirements.txt"))?;
    Some(Project::new("Django", "django", &python.environment()))
}

/// The same with a URL that has the path in its options, and with other settings.
fn project_with(settings: &'static str) -> Option<Project> {
    let project = project()?;
    let url = format!("{}&options=-csearch_path%3Daura", project.workspace.setting("DATABASE_URL"));
    Some(project.with("DATABASE_URL", &url).surrounded_by("DJANGO_SETTINGS_MODULE", settings))
}

/// A table that no migration makes.
fn add_a_model(project: &Project) {
    project.edit("gallery/models.py", "class Artwork", "class Place(models.Model):\n    pass\n\n\nclass Artwork");
}

/// Its migration.
fn make_migrations(project: &Project) {
    project.runs_by_itself("python3 manage.py makemigrations --name place", &[("DATABASE_URL", project.url())]);
    assert!(project.workspace.root().join("gallery/migrations/0003_place.py").is_file());
}

/// The path of the sessions that the settings make of the URL alone.
fn path(project: &Project) -> String {
    let asked = "from django.db import connection as c; print(c.cursor().execute('SHOW search_path').fetchone()[0])";
    let asked = format!("python3 manage.py shell --verbosity 0 --command \"{asked}\"");
    let url = project.workspace.setting("DATABASE_URL").to_owned();
    project.runs_by_itself(&asked, &[("DATABASE_URL", url)])
}

#[test]
fn f02_what_the_recipe_makes_lands_in_the_schema_and_models_without_migrations_fail_it() {
    let Some(project) = project() else { return };
    project.is_set_up(&TABLES);
    add_a_model(&project);
    project.setup().exits(1).complains("gallery/migrations/0003_place.py").complains("no new objects");
    make_migrations(&project);
    project.setup().exits(0).complains("new: 1 table, 1 sequence in aura");
    project.needs(&[("DATABASE_URL", project.url())]);
    seen(&project.came_to());
}

#[test]
fn f01_a_missing_migration_fails_the_command() {
    let Some(project) = project() else { return };
    project.remove("gallery/migrations/0001_artist.py");
    project.setup().exits(1).complains("NodeNotFoundError").complains("no new objects");
    // Django takes an app without the directory for one that has no tables.
    fs::remove_dir_all(project.workspace.root().join("gallery/migrations")).unwrap();
    project.setup().exits(1).complains("`gallery/migrations/*.py` matches no file");
    assert_eq!(project.tables(), Vec::<String>::new());
    seen(&project.came_to());
}

#[test]
fn f05_settings_that_drop_the_urls_options_land_in_the_schema() {
    let Some(kept) = project_with("gallery.settings") else { return };
    kept.is_set_up(&TABLES);
    assert_eq!(path(&kept), "aura", "the URL's");
    let Some(dropped) = project_with("gallery.settings_of_parts") else { return };
    dropped.is_set_up(&TABLES);
    assert_eq!(path(&dropped), "aura, public", "the role's");
    add_a_model(&dropped);
    make_migrations(&dropped);
    dropped.needs(&[("DATABASE_URL", dropped.workspace.setting("DATABASE_URL").to_owned())]);
    assert!(dropped.tables().contains(&"aura.gallery_place".to_owned()), "{:?}", dropped.tables());
    dropped.setup().exits(0).complains("no new objects");
    seen(&dropped.came_to());
}

#[test]
fn f06_settings_with_a_path_of_their_own_are_refused_by_the_server() {
    let Some(project) = project_with("gallery.settings_of_their_own") else { return };
    project.setup().exits(1).complains("permission denied for schema public").complains("no new objects");
    assert_eq!(path(&project), "public");
    assert_eq!(project.tables(), Vec::<String>::new());
    seen(&project.came_to());
}

#[test]
fn f06_f26_f27_what_settings_put_into_an_open_public_is_found() {
    let Some(project) = project_with("gallery.settings_of_their_own") else { return };
    project.open_public();
    assert_eq!(project.is_found_out(), ["tables-landed", "strays", "bookkeeping"]);
    assert_eq!(project.tables(), [within("public", &TABLES), within("public", &["theirs"])].concat());
    // The path `aura, public` finds those books: nothing is left to do.
    let plain = project.cluster.url("aura_user", "the-app's", "aura_db");
    let project = project.surrounded_by("DJANGO_SETTINGS_MODULE", "gallery.settings").with("DATABASE_URL", &plain);
    let refused = project.setup().exits(1).complains("schema aura has no table, and public.");
    // The path `aura` does not: everything would be made once more.
    let project = project.with("DATABASE_URL", &format!("{plain}&options=-csearch_path%3Daura"));
    project.setup().exits(1).complains("the migrations would make empty ones beside them");
    assert_eq!(project.tables(), [within("public", &TABLES), within("public", &["theirs"])].concat());
    seen(refused.said("schema aura has no table"));
}
