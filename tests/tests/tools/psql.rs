//! psql, which keeps no books: the digest of the files does.

use tests::connection;

use crate::project::Project;

fn project() -> Project {
    Project::new("psql", "psql", &[])
}

#[test]
fn what_the_recipe_makes_lands_in_the_schema() {
    let project = project();
    project.is_set_up(&["artist", "artwork"]);
    project
        .workspace
        .write("sql/places.sql", "CREATE TABLE IF NOT EXISTS place (id int GENERATED ALWAYS AS IDENTITY);");
    project.edit("sql/all.sql", "\\ir artworks.sql", "\\ir artworks.sql\n\\ir places.sql");
    project.makes("place");
    project.needs(&connection(&project.url()).libpq_environment());
}

#[test]
fn f01_f20_a_file_that_fails_or_is_missing_leaves_nothing() {
    let project = project();
    project.edit("sql/artworks.sql", "title text", "title nothing");
    let failed = || project.makes_nothing();
    failed().complains("artworks.sql:5: ERROR:  type \"nothing\" does not exist");
    project.remove("sql/artworks.sql");
    failed().complains("artworks.sql: No such file or directory");
    assert_eq!(project.tables(), Vec::<String>::new());
}

#[test]
fn f06_a_path_set_by_a_file_is_refused_or_found() {
    let refused = project();
    refused.edit("sql/all.sql", "\\ir artists", "SET search_path = public;\n\\ir artists");
    refused.makes_nothing().complains("permission denied for schema public");
    // What pg_dump writes at the beginning of its files.
    refused.edit("sql/all.sql", "SET search_path = public", "SELECT pg_catalog.set_config('search_path', '', false)");
    refused.setup().exits(1).complains("no schema has been selected to create in");

    let found = project();
    found.open_attic();
    found.edit("sql/all.sql", "\\ir artworks", "SET search_path = attic, aura;\n\\ir artworks");
    assert_eq!(found.is_found_out(), ["tables-landed", "strays"]);
    assert_eq!(found.tables(), ["attic.artwork", "aura.artist"]);
    // Mended, the file makes the table a second time: psql knows nothing of the first.
    found.edit("sql/all.sql", "SET search_path = attic, aura;\n", "");
    assert_eq!(found.is_found_out(), ["duplicates"]);
}
