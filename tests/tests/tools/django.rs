//! Django, with settings that keep the URL's options, that throw them away, and that have their own.

use std::fs;

use tests::Python;

use crate::{
    project::{Project, source, within},
    recipe,
};

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
    project_in("django")
}

fn project_in(directory: &str) -> Option<Project> {
    let python = Python::with(&source(directory).join("requirements.txt"))?;
    Some(Project::new("Django", directory, &python.environment()))
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
    project.makes_nothing().complains("gallery/migrations/0003_place.py");
    make_migrations(&project);
    project.makes("gallery_place");
    project.needs(&[("DATABASE_URL", project.url())]);
}

#[test]
fn f01_a_missing_migration_fails_the_command() {
    let Some(project) = project() else { return };
    project.remove("gallery/migrations/0001_artist.py");
    project.makes_nothing().complains("NodeNotFoundError");
    // Django takes an app without the directory for one that has no tables.
    fs::remove_dir_all(project.workspace.root().join("gallery/migrations")).unwrap();
    project.setup().exits(1).shows("inputs-without-a-file");
    assert_eq!(project.tables(), Vec::<String>::new());
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
    dropped.setup().exits(0);
}

#[test]
fn f06_settings_with_a_path_of_their_own_are_refused_by_the_server() {
    let Some(project) = project_with("gallery.settings_of_their_own") else { return };
    project.makes_nothing().complains("permission denied for schema public");
    assert_eq!(path(&project), "public");
    assert_eq!(project.tables(), Vec::<String>::new());
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
    project.setup().exits(1).shows("tables-in-public");
    // The path `aura` does not: everything would be made once more.
    let project = project.with("DATABASE_URL", &format!("{plain}&options=-csearch_path%3Daura"));
    project.setup().exits(1).shows("tables-in-public-and-a-path-of-the-url");
    assert_eq!(project.tables(), [within("public", &TABLES), within("public", &["theirs"])].concat());
}

/// As it was before there was a schema: its own command, and no path.
#[test]
fn what_its_own_command_made_in_public_is_moved() {
    let Some(project) = project() else { return };
    project.open_attic();
    project.cluster.sql("aura_db", "DROP SCHEMA attic; GRANT CREATE ON SCHEMA public TO aura_user");
    let url = [("DATABASE_URL", project.workspace.setting("DATABASE_URL").to_owned())];
    project.runs_by_itself("python3 manage.py migrate", &url);
    assert_eq!(project.tables(), within("public", &TABLES));
    // Its rows go along: those of its own books, and of people.
    let user = "from django.contrib.auth.models import User; User.objects.create_user('ada')";
    project.runs_by_itself(&format!("python3 manage.py shell --command \"{user}\""), &url);
    project.workspace.run(&["db-move"]).exits(0);
    assert_eq!(project.tables(), within("aura", &TABLES));
    for command in ["check", "migrate --check", "makemigrations --check"] {
        project.runs_by_itself(&format!("python3 manage.py {command}"), &url);
    }
    let asks = "from django.contrib.auth.models import User; print(User.objects.get().username)";
    assert_eq!(
        project.runs_by_itself(&format!("python3 manage.py shell --verbosity 0 --command \"{asks}\""), &url),
        "ada"
    );
    project.setup().exits(0);
    assert!(project.workspace.verify().exits(0).with_status("fail").is_empty());
}

/// Some fifty tables that others wrote: wagtail's, with their tree of pages, and those of
/// django-guardian, whose rows name objects of other tables by type and key.
#[test]
fn a_wagtail_site_with_guardian_is_moved() {
    let Some(project) = project_in("wagtail") else { return };
    let project = project.with("MIGRATE_INPUTS", "pages/migrations/*.py,requirements.txt");
    project.open_attic();
    project.cluster.sql("aura_db", "DROP SCHEMA attic; GRANT CREATE ON SCHEMA public TO aura_user");
    let url = [("DATABASE_URL", project.workspace.setting("DATABASE_URL").to_owned())];
    project.runs_by_itself("python3 manage.py migrate --verbosity 0 && echo", &url);
    let shell = |code: &str| {
        let command = format!("python3 manage.py shell --verbosity 0 --command \"{code}\"");
        project.runs_by_itself(&command, &url)
    };
    let fill = "from django.contrib.auth.models import User; from guardian.shortcuts import assign_perm; \
                from wagtail.models import Page; from pages.models import HomePage; \
                page = Page.objects.get(depth=1).add_child(instance=HomePage(title='Prints', body='<p>etchings</p>')); \
                page.save_revision().publish(); user = User.objects.create_user('ada'); \
                assign_perm('pages.change_homepage', user, page); print('done')";
    assert_eq!(shell(fill), "done");
    let before = project.tables();
    assert!(before.len() > 40 && before.iter().all(|table| table.starts_with("public.")), "{before:?}");
    project.workspace.run(&["db-move"]).exits(0);
    let moved: Vec<_> = before.iter().map(|table| table.replacen("public.", "aura.", 1)).collect();
    assert_eq!(project.tables(), moved);
    project.runs_by_itself(
        "python3 manage.py check && python3 manage.py migrate --check && python3 manage.py makemigrations --check",
        &url,
    );
    let asks = "from django.contrib.auth.models import User; from pages.models import HomePage; \
                page = HomePage.objects.live().get(body__contains='etchings'); user = User.objects.get(username='ada'); \
                print(page.title, user.has_perm('pages.change_homepage', page), page.revisions.count())";
    assert_eq!(shell(asks), "Prints True 1");
    let verified = project.workspace.verify();
    assert_eq!(verified.with_status("fail"), Vec::<String>::new(), "{}", verified.stdout);
}

/// What Django makes by itself is a bare database: its own runner, as pytest-django asks for one.
const BY_ITSELF: &str =
    "python3 manage.py test --testrunner django.test.runner.DiscoverRunner --keepdb --no-input --verbosity 0";

#[test]
fn f29_tests_on_a_clone_have_the_schema_that_djangos_own_database_lacks() {
    let Some(project) = project() else { return };
    project.is_set_up(&TABLES);
    let url = [("DATABASE_URL", project.url())];
    // The app's role may make no database, and need not.
    for command in [BY_ITSELF, "python3 -m pytest --noconftest"] {
        let refused = project.by_itself(command, &url);
        assert_ne!(refused.code, 0, "{}", refused.stdout);
        let said = [refused.stdout, refused.stderr].concat();
        assert!(said.contains("permission denied to create database"), "{said}");
    }
    // One that may makes it without the schema: with the path in the URL nothing lands, without it all does in `public`.
    project.cluster.sql("postgres", "ALTER ROLE aura_user CREATEDB");
    let with_path = [("DATABASE_URL", format!("{}&options=-csearch_path%3Daura", project.url()))];
    project.by_itself(BY_ITSELF, &with_path).exits(1).complains("MigrationSchemaMissing");
    let run = project.by_itself(BY_ITSELF, &url).exits(1);
    run.complains("AssertionError: Tuples differ: ('public',) != ('aura',)");
    assert_eq!(project.tables_of("test_aura_db"), within("public", &TABLES));
    project.cluster.sql("postgres", "DROP DATABASE test_aura_db");
    project.cluster.sql("postgres", "ALTER ROLE aura_user NOCREATEDB");

    // The recipe, by each of its runners; both refuse the app's own database.
    let recipe = recipe::in_python();
    let [clone, tests, drop] = recipe.lines().collect::<Vec<_>>().try_into().unwrap();
    let (pytest, django) = tests.split_once("# or: ").unwrap();
    let (variable, pytest) = pytest.split_once(' ').unwrap();
    for runner in [pytest.trim(), django] {
        let refused = project.by_itself(runner, &url);
        assert_eq!(refused.code, 1, "{}{}", refused.stdout, refused.stderr);
        assert!([refused.stdout, refused.stderr].concat().contains("leads to no clone"));
        let url = xtask(&project, clone.strip_prefix("url=$(cargo xtask ").unwrap().strip_suffix(')').unwrap(), &[]);
        let database = project.cluster.value("postgres", CLONES);
        assert_eq!((database.as_str(), variable), ("aura_db_clone_pytest", "DATABASE_URL=$url"));
        assert_eq!(project.tables_of(&database), within("aura", &TABLES));
        let run = project.by_itself(runner, &[("DATABASE_URL", url)]).exits(0);
        let said = [run.stdout, run.stderr].concat();
        let is_end = |line: &&str| line.contains("4 passed") || line.contains("Ran 4 tests");
        assert!(said.lines().any(|line| is_end(&line)), "{said}");
        xtask(&project, drop.strip_prefix("cargo xtask ").unwrap(), &["--host", "127.0.0.1"]);
        assert_eq!(project.cluster.value("postgres", CLONES), "");
    }
    assert_eq!(project.tables(), within("aura", &TABLES));
}

/// Databases that tests may have left, the template apart.
const CLONES: &str = "SELECT coalesce(pg_catalog.string_agg(datname::text, ' '), '') FROM pg_catalog.pg_database
                      WHERE datname ~ '^test_|_(clone|ready|test|used)_'";

/// Runs one of the recipe's commands: what it prints.
fn xtask(project: &Project, arguments: &str, more: &[&str]) -> String {
    let arguments: Vec<_> = arguments.split(' ').chain(more.iter().copied()).collect();
    project.workspace.run(&arguments).exits(0).line().to_owned()
}
