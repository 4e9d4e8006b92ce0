//! A server on which the database is set up already: most tests begin there, and a copy of its data takes a quarter of
//! the time of a setup.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use pg_server::{Binaries, ClusterTemplate, template, throwaway};

use crate::{
    Cluster, Workspace, alone,
    apart::{programs, twin},
    binaries::programs as postgresql,
    cluster::WAIT,
    directory::scratch,
    rung::Rung,
};

impl Cluster {
    /// Starts a server on which `db-setup` has been run in a workspace like the one that comes with it.
    pub fn set_up() -> (Self, Workspace) {
        let is_local = matches!(Rung::named(), Rung::Local(_));
        let cluster = if is_local { Self::copy(&prepared(postgresql()), postgresql(), &[]) } else { Self::start() };
        let workspace = Workspace::on(&cluster);
        if !is_local {
            workspace.run(&["db-setup"]).exits(0);
        }
        (cluster, workspace)
    }
}

/// The template of these programs, made once for each build of ours.
fn prepared(binaries: &Binaries) -> ClusterTemplate {
    let family = scratch("prepared").join(digest(&[&programs(), &binaries.directory]));
    let directory = family.join(stamp());
    if !directory.exists() {
        fs::create_dir_all(&family).unwrap();
        let _alone = alone(&family);
        if !directory.exists() {
            make(binaries, &directory);
        }
    }
    ClusterTemplate::at(&directory).unwrap()
}

fn make(binaries: &Binaries, directory: &Path) {
    let family = directory.parent().unwrap();
    // Those of earlier builds, and what was interrupted.
    for entry in fs::read_dir(family).unwrap() {
        fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
    let empty = template(&scratch("templates"), binaries, WAIT, &mut |_| {}).unwrap();
    let part = family.join("part");
    let server = throwaway(&empty, binaries, &part, &[], WAIT, &mut |_| {}).unwrap();
    Workspace::by(server.superuser.clone()).run(&["db-setup"]).exits(0);
    server.into_template(WAIT).unwrap();
    fs::rename(part, directory).unwrap();
}

/// The programs that have set it up.
fn stamp() -> String {
    let changed = |program: &str| {
        let file = fs::metadata(twin(program)).unwrap();
        (file.len(), file.modified().unwrap())
    };
    digest(&[changed("twin-xtask"), changed("twin-aura")])
}

fn digest(parts: &[impl Hash]) -> String {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
