//! Data of this workspace that are of another major version than the binaries: nothing is lost, and nothing that is there
//! seems to be gone.

use std::{fs, os::unix::fs::symlink, path::Path};

use pg_server::Binaries;
use tests::{Cluster, Rung, Workspace};

/// The directory of a version's programs.
fn programs(major: u32) -> Option<String> {
    Some(Cluster::programs_of(major)?.display().to_string())
}

/// A workspace with data of this version, whose server is stopped; in the plain run alone: these tests choose versions.
fn with_data_of(programs: &str) -> Option<Workspace> {
    if Rung::named() != Rung::Local(None) {
        return None;
    }
    let workspace = Workspace::new().with("DB_SERVER", "local").with("PG_BIN_DIR", programs);
    workspace.run(&["db-setup"]).exits(0);
    let insert = "INSERT INTO artworks_arttype (name, created_at) VALUES ('kept', now())";
    workspace.run(&["db-psql", "--", "-c", insert]).exits(0);
    workspace.run(&["db-stop"]).exits(0);
    Some(workspace)
}

#[track_caller]
fn assert_kept(workspace: &Workspace, major: u32) {
    assert_eq!(workspace.value("SELECT name FROM artworks_arttype WHERE name = 'kept'"), "kept");
    let version = workspace.value("SHOW server_version");
    assert!(version.starts_with(&format!("{major}.")), "{version}");
}

fn clusters(workspace: &Workspace) -> Vec<String> {
    let entries = fs::read_dir(workspace.root().join("servers/clusters")).unwrap().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn older_data_are_served_by_their_own_version() {
    for major in [13, 15, 17] {
        let Some(programs) = programs(major) else { continue };
        let Some(workspace) = with_data_of(&programs) else { return };
        let workspace = workspace.without("PG_BIN_DIR");
        let setup = workspace.run(&["db-setup"]).exits(0).complains("unchanged");
        assert!(setup.stdout.contains("the kept cluster"), "{}", setup.stdout);
        setup
            .complains(&format!("servers/clusters/{major}/data (PostgreSQL {major}): that version serves them"))
            .complains("is installed too\n help: to make a new database with the newer version");
        assert_kept(&workspace, major);
        assert_eq!(clusters(&workspace), [major.to_string()]);
        // It is said where a server is started, and no more.
        workspace.run(&["db-setup"]).exits(0).never_says("is installed too");
    }
}

#[test]
fn another_pg_bin_dir_says_what_stays_and_how_to_copy_it() {
    let (Some(old), Some(new)) = (programs(13), programs(18)) else { return };
    let Some(workspace) = with_data_of(&old) else { return };
    let workspace = workspace.with("PG_BIN_DIR", &new);
    workspace
        .run(&["db-verify"])
        .exits(4)
        .complains("clusters/13/data (PostgreSQL 13). PG_BIN_DIR is of another version\n help: unset PG_BIN_DIR, or");
    let setup = workspace.run(&["db-setup"]).exits(0);
    let said = setup.stderr.find("These data stay where they are. A new, empty database is made").expect("it is said");
    assert!(said < setup.stderr.find("starting PostgreSQL 18").unwrap(), "{}", setup.stderr);
    assert_eq!(workspace.value("SELECT count(*) FROM artworks_arttype WHERE name = 'kept'"), "0");

    let copied = workspace.run_printed(&setup.stderr, "To copy these data").exits(0);
    copied.complains("unchanged").never_says("ERROR");
    assert_kept(&workspace, 18);
    workspace.verify().exits(0);
    // The new data are this workspace's now; the old ones are there still.
    let workspace = workspace.without("PG_BIN_DIR");
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
    assert_kept(&workspace, 18);
    workspace.run(&["db-stop"]).exits(0);
    let workspace = workspace.with("PG_BIN_DIR", &old);
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
    assert_kept(&workspace, 13);
}

/// A container does not take their place either, where `auto` might start one.
#[test]
fn another_pg_bin_dir_stays_a_private_cluster() {
    let (Some(old), Some(new)) = (programs(15), programs(17)) else { return };
    let Some(workspace) = with_data_of(&old) else { return };
    let workspace = workspace.without("DB_SERVER").with("PG_BIN_DIR", &new);
    let setup = workspace.run(&["db-setup"]).exits(0).complains("container: the data of this workspace are in ");
    setup.complains("These data stay where they are");
    assert_eq!(clusters(&workspace), ["15", "17"]);
}

/// As after an upgrade of the system: the programs are gone, and a newer version is there.
#[test]
fn data_whose_programs_are_gone_are_no_reason_to_begin_anew() {
    let elsewhere = Workspace::new();
    let (installed, _) = Binaries::installed(Some(&elsewhere.path()));
    let is_installed = |major: u32| installed.iter().any(|found| found.version.major == major);
    let Some(major) = [13, 17].into_iter().find(|major| !is_installed(*major)) else { return };
    let Some(programs) = programs(major) else { return };
    let link = elsewhere.root().join("bin");
    symlink(Path::new(&programs), &link).unwrap();
    let Some(workspace) = with_data_of(&link.display().to_string()) else { return };
    fs::remove_file(&link).unwrap();

    let workspace = workspace.without("PG_BIN_DIR");
    for server in ["local", "auto"] {
        let refused = workspace.run(&["db-setup", "--server", server]).exits(4);
        refused
            .complains(&format!("servers/clusters/{major}/data (PostgreSQL {major})"))
            .complains(&format!("no PostgreSQL {major} is installed (it was in {})", link.display()))
            .complains("cannot read these data. Nothing was started or changed")
            .complains(&format!("install PostgreSQL {major} beside"));
        assert_eq!(clusters(&workspace), [major.to_string()]);
    }
    workspace.run(&["db-verify"]).exits(4).complains("is stopped");

    // Where they are back, here or elsewhere, the data are too.
    let workspace = workspace.with("PG_BIN_DIR", &programs);
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
    assert_kept(&workspace, major);
}
