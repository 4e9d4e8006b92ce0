//! Data that another image has made: what a new default, or another `POSTGRES_IMAGE`, does not take away.

use std::fs;

use tests::{Engine, Workspace, docker, image};

use crate::{assert_kept, keep_something};

/// As everybody meets it who updates this tool: the default image was 17, and is 18.
#[test]
fn a_new_default_image_is_no_new_database() {
    let Some(workspace) = Workspace::new().in_container(17) else { return };
    workspace.run(&["db-setup"]).exits(0);
    keep_something(&workspace);
    let old = workspace.setting("POSTGRES_IMAGE").to_owned();
    let before = (workspace.containers("{{.Names}}"), workspace.volumes());

    let updated = workspace.without("POSTGRES_IMAGE");
    // Whether the server runs or not, nothing is started in its place, and nothing else is said of it.
    for stopped in [false, true] {
        if stopped {
            updated.run(&["db-stop"]).exits(0).complains("stopped the container");
        }
        let refused = updated.run(&["db-setup"]).exits(4);
        refused
            .complains(&format!(
                "in the volume {} of the container {}: {old} (PostgreSQL 17.",
                before.1[0], before.0[0]
            ))
            .complains("POSTGRES_IMAGE is not set: its default is postgres:18")
            .complains("Nothing was started or changed")
            .complains(&format!("\n      POSTGRES_IMAGE={old} cargo xtask db-setup --server container\n"))
            .complains("\n      cargo xtask db-stop --purge");
        for command in [&["db-verify"][..], &["db-url"], &["db-psql"]] {
            updated
                .run(command)
                .exits(4)
                .complains(&format!(": {old} (PostgreSQL 17."))
                .complains(&format!("to use these data, set POSTGRES_IMAGE={old}"))
                .never_says("does not run");
        }
        let status = updated.run(&["db-status"]).exits(4);
        assert!(status.stdout.contains(&format!("to use these data, set POSTGRES_IMAGE={old}")), "{}", status.stdout);
        assert_eq!((updated.containers("{{.Names}}"), updated.volumes()), before);
    }
    // Wherever the server might be taken from.
    updated.run(&["db-setup", "--server", "auto"]).exits(4).complains("Nothing was started or changed");

    let workspace = updated.with("POSTGRES_IMAGE", &old);
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
    assert_kept(&workspace);
}

/// What is printed is run as it stands, on an engine that has the image of that name.
#[test]
fn the_data_are_copied_to_the_new_default_image() {
    let Some(workspace) = Workspace::new().in_container(17) else { return };
    let Some(newer) = image(18) else { return };
    let old = workspace.setting("POSTGRES_IMAGE").to_owned();
    let Some(engine) = Engine::start(&old) else { return };
    engine.load(&newer);
    engine.docker(&["tag", &newer, "postgres:18"]);
    let workspace = workspace.with("DOCKER_HOST", &engine.host());
    workspace.run(&["db-setup"]).exits(0);
    keep_something(&workspace);
    let workspace = workspace.without("POSTGRES_IMAGE");
    let refused = workspace.run(&["db-setup"]).exits(4);
    workspace.run_printed(&refused.stderr, "To copy these data").exits(0).complains("unchanged").never_says("ERROR");
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
    assert_kept(&workspace);
    assert!(workspace.value("SHOW server_version").starts_with("18."));

    // Whoever has used the old data since goes on with them; nothing is copied over the others.
    let workspace = workspace.with("POSTGRES_IMAGE", &old);
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
    let workspace = workspace.without("POSTGRES_IMAGE");
    let refused = workspace.run(&["db-setup"]).exits(4).never_says("To copy these data");
    workspace.run_printed(&refused.stderr, "To use the other data").exits(0).complains("unchanged");
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
    assert!(workspace.value("SHOW server_version").starts_with("18."));
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
}

/// Who names an image has it: what stays behind is said first, with the commands that copy it.
#[test]
fn another_image_says_what_stays_and_how_to_copy_it() {
    let Some(workspace) = Workspace::new().in_container(17) else { return };
    let Some(new) = image(18) else { return };
    workspace.run(&["db-setup"]).exits(0);
    keep_something(&workspace);
    let old = workspace.setting("POSTGRES_IMAGE").to_owned();

    let workspace = workspace.with("POSTGRES_IMAGE", &new);
    workspace.run(&["db-verify"]).exits(4).complains(&format!("to use these data, set POSTGRES_IMAGE={old}"));
    let setup = workspace.run(&["db-setup"]).exits(0);
    let said = setup.stderr.find("These data stay where they are. A new, empty database is made").expect("it is said");
    assert!(said < setup.stderr.find("starting the container").unwrap(), "{}", setup.stderr);
    assert!(setup.stderr.contains(&format!(": {old} (PostgreSQL 17.")), "{}", setup.stderr);
    assert_eq!(workspace.value("SELECT count(*) FROM artworks_arttype WHERE name = 'kept'"), "0");

    let taken = workspace.run_printed(&setup.stderr, "To copy these data").exits(0);
    taken.complains("unchanged").never_says("ERROR");
    assert_kept(&workspace);
    assert!(workspace.value("SHOW server_version").starts_with("18."));
    workspace.verify().exits(0);
    // It was said once: both are this workspace's, and each is found by its image.
    workspace.run(&["db-setup"]).exits(0).never_says("These data stay where they are");
    let workspace = workspace.with("POSTGRES_IMAGE", &old);
    workspace.run(&["db-verify"]).exits(0);
    assert_kept(&workspace);
    assert_eq!((workspace.containers("{{.Names}}").len(), workspace.volumes().len()), (2, 2));
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
    assert_eq!((workspace.containers("{{.Names}}").len(), workspace.volumes().len()), (0, 0));
}

/// One that was chosen is gone on with until another is chosen, whatever ran before.
#[test]
fn the_image_that_was_chosen_last_is_gone_on_with() {
    let Some(mut workspace) = Workspace::new().in_container(17) else { return };
    let Some(other) = image(13) else { return };
    let first = workspace.setting("POSTGRES_IMAGE").to_owned();
    for chosen in [&first, &other, &first, &other] {
        workspace = workspace.with("POSTGRES_IMAGE", chosen);
        workspace.run(&["db-setup"]).exits(0);
        workspace = workspace.without("POSTGRES_IMAGE");
        workspace.run(&["db-setup"]).exits(4).complains(&format!(": {chosen} (PostgreSQL 1"));
    }
}

/// A name that stands for a newer image than before: the server refuses the data, and they stay.
#[test]
fn an_image_that_has_moved_on_is_told_from_a_broken_server() {
    let Some(workspace) = Workspace::new().in_container(17) else { return };
    let Some(newer) = image(18) else { return };
    let older = workspace.setting("POSTGRES_IMAGE").to_owned();
    let tag = format!("aura-tests/moving:{}", workspace.root().file_name().unwrap().to_str().unwrap());
    docker(&["tag", &older, &tag]);
    let workspace = workspace.with("POSTGRES_IMAGE", &tag);
    workspace.run(&["db-setup"]).exits(0);
    keep_something(&workspace);
    let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
    docker(&["tag", &newer, &tag]);
    // The container is the old image's as long as it is there.
    workspace.run(&["db-stop"]).exits(0);
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
    assert_kept(&workspace);

    docker(&["rm", "--force", "--volumes", &name]);
    let volumes = workspace.volumes();
    let refused = workspace.run(&["db-setup"]).exits(4);
    refused
        .complains(&format!("{tag} is of another major version than the data"))
        .complains("(PostgreSQL 17.")
        .complains(&format!("docker rm {name}"));
    assert_eq!(workspace.volumes(), volumes);
    docker(&["rm", "--force", &name]);
    docker(&["tag", &older, &tag]);
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
    assert_kept(&workspace);
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
    docker(&["rmi", &tag]);
}

/// Of a record that an older release has written no version is known: the image says it.
#[test]
fn an_older_record_will_do() {
    let Some(workspace) = Workspace::new().in_container(17) else { return };
    workspace.run(&["db-setup"]).exits(0);
    let kept = fs::read_dir(workspace.root().join("servers/containers")).unwrap().flatten();
    let record = kept.map(|entry| entry.path().join("container.json")).find(|path| path.exists()).unwrap();
    let mut written: serde_json::Value = serde_json::from_str(&fs::read_to_string(&record).unwrap()).unwrap();
    written.as_object_mut().unwrap().remove("version").unwrap();
    fs::write(&record, written.to_string()).unwrap();
    let old = workspace.setting("POSTGRES_IMAGE").to_owned();
    let refused = workspace.without("POSTGRES_IMAGE").run(&["db-setup"]).exits(4);
    refused.complains(&format!(": {old} made them. POSTGRES_IMAGE is not set"));
}
