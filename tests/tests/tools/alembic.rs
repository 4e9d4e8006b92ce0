//! Alembic, with the models of SQLAlchemy.

use tests::Python;

use crate::project::{Project, source, within};

const TABLES: [&str; 3] = ["alembic_version", "artist", "artwork"];

fn project() -> Option<Project> {
    let python = Python::with(&source("alembic").join("requirements.txt"))?;
    Some(Project::new("Alembic", "alembic", &python.environment()))
}

#[test]
fn f02_what_the_recipe_makes_lands_in_the_schema_and_models_without_migrations_fail_it() {
    let Some(project) = project() else { return };
    project.is_set_up(&TABLES);
    let place =
        "class Place(Base):\n    __tablename__ = \"place\"\n    id: Mapped[int] = mapped_column(primary_key=True)";
    project.edit("models.py", "class Artwork", &format!("{place}\n\n\nclass Artwork"));
    project.makes_nothing().complains("New upgrade operations detected");
    let variables = [("DATABASE_URL", project.url())];
    project.runs_by_itself("python3 -m alembic revision --autogenerate --rev-id 0003 -m place", &variables);
    project.makes("place");
    project.needs(&variables);
}

#[test]
fn f01_a_missing_migration_fails_the_command() {
    let Some(project) = project() else { return };
    project.remove("migrations/versions/0001_artist.py");
    project.makes_nothing().complains("KeyError: '0001'");
}

/// What alembic's own template does, with a password that must be encoded.
#[test]
fn a_url_by_way_of_the_ini_file_is_no_success() {
    let Some(project) = project() else { return };
    let by_the_file = "context.config.set_main_option(\"sqlalchemy.url\", environ[\"DATABASE_URL\"])";
    project.edit("migrations/env.py", "engine = ", &format!("{by_the_file}\nengine = "));
    project.setup().exits(1).complains("invalid interpolation syntax").never_says("the-app");
}

#[test]
fn f06_a_path_of_its_own_is_found() {
    let Some(project) = project() else { return };
    project.open_attic();
    project.edit(
        "migrations/env.py",
        r#"drivername="postgresql+psycopg")"#,
        r#"drivername="postgresql+psycopg"), connect_args={"options": "-c search_path=attic"}"#,
    );
    assert_eq!(project.is_found_out(), ["tables-landed", "strays", "bookkeeping"]);
    assert_eq!(project.tables(), within("attic", &TABLES));
}

#[test]
fn f06_a_schema_of_the_books_or_of_a_migration_is_found() {
    let Some(project) = project() else { return };
    project.open_attic();
    project.edit("migrations/env.py", "Base.metadata", "Base.metadata, version_table_schema=\"attic\"");
    assert_eq!(project.is_found_out(), ["tables-landed", "bookkeeping"]);
    assert_eq!(project.tables(), ["attic.alembic_version", "aura.artist", "aura.artwork"]);

    let Some(project) = self::project() else { return };
    project.open_attic();
    project.edit("migrations/versions/0001_artist.py", "\n    )", "\n        schema=\"attic\",\n    )");
    project.edit("migrations/versions/0002_artwork.py", "artist.id", "attic.artist.id");
    // Alembic, which looks nowhere but in the app's schema, misses the table.
    project.setup().exits(1).complains("New upgrade operations detected");
    assert_eq!(project.workspace.verify().exits(3).with_status("fail"), ["strays", "migrations"]);
    assert_eq!(project.tables(), ["attic.artist", "aura.alembic_version", "aura.artwork"]);
}
