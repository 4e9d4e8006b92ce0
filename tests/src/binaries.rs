//! PostgreSQL's programs: those of the version that a run is on, and of the others.

use std::{env, ffi::OsString, fs, path::Path, sync::OnceLock};

use pg_server::Binaries;

use crate::{
    directory::check_own,
    rung::{Rung, image},
    skipped,
};

/// The newest stable major version. The plain run is on it where it is there.
const NEWEST: u32 = 18;

/// The major versions that tests ask for, and the Debian release that has each. The last one is a release candidate:
/// only `TESTS_SERVER=local:19` asks for it.
const RELEASES: [(u32, &str); 5] =
    [(13, "bullseye"), (15, "bookworm"), (17, "trixie"), (NEWEST, "forky"), (19, "experimental")];

/// Where `.ci/postgresql` puts them. It outlives a reboot and serves every clone; the user whom servers run as may
/// pass, which a clone in `/root` does not let; and programs may be run there, which `/dev/shm` may forbid.
const FETCHED: &str = "/var/tmp/aura-tests-postgresql";

/// The programs of the version that this run is on: those that `TESTS_SERVER` names, or the newest.
pub(crate) fn programs() -> &'static Binaries {
    static PROGRAMS: OnceLock<Binaries> = OnceLock::new();
    PROGRAMS.get_or_init(|| match Rung::named() {
        Rung::Local(None) => newest().clone(),
        Rung::Local(Some(major)) | Rung::Container(major) => {
            programs_of(major).unwrap_or_else(|| panic!("no PostgreSQL {major}"))
        }
    })
}

/// The newest programs that are there, installed or fetched; a release candidate is none of them.
fn newest() -> &'static Binaries {
    static NEWEST: OnceLock<Binaries> = OnceLock::new();
    NEWEST.get_or_init(look_for_newest)
}

fn look_for_newest() -> Binaries {
    let (installed, reasons) = Binaries::installed(inherited_path().as_deref());
    let stable = installed.iter().find(|found| found.version.major <= NEWEST).cloned();
    let fetched = RELEASES.iter().rev().find_map(|(major, _)| (*major <= NEWEST).then(|| fetched(*major)).flatten());
    let is_newer = |fetched: &Binaries| stable.as_ref().is_none_or(|found| found.version.major < fetched.version.major);
    fetched
        .filter(is_newer)
        .or(stable)
        .or_else(|| installed.into_iter().next())
        .unwrap_or_else(|| panic!("no PostgreSQL binaries: {reasons:?}"))
}

/// The programs of a major version: installed, or fetched by `.ci/postgresql`. None there is skipped.
pub(crate) fn programs_of(major: u32) -> Option<Binaries> {
    let (installed, _) = Binaries::installed(inherited_path().as_deref());
    let installed = installed.into_iter().find(|found| found.version.major == major);
    let found = installed.or_else(|| fetched(major));
    if found.is_none() {
        let release = RELEASES.iter().find(|(other, _)| *other == major).map_or("RELEASE", |(_, release)| release);
        skipped(&format!("no PostgreSQL {major}; get it by `.ci/postgresql {release} {FETCHED}/{major}`"));
    }
    found
}

/// Those that `.ci/postgresql` has fetched.
fn fetched(major: u32) -> Option<Binaries> {
    let directory = Path::new(FETCHED).join(major.to_string());
    fs::symlink_metadata(&directory).ok()?;
    for directory in [Path::new(FETCHED), &directory] {
        check_own(directory).unwrap_or_else(|reason| panic!("{reason}"));
    }
    Some(Binaries::named(&directory.join(format!("usr/lib/postgresql/{major}/bin"))).unwrap())
}

/// Whether this machine has what the rung takes; where it has not, that is said.
pub fn is_there(rung: Rung) -> bool {
    match rung {
        Rung::Local(None) => true,
        Rung::Local(Some(major)) => programs_of(major).is_some(),
        Rung::Container(major) => image(major).is_some() && programs_of(major).is_some(),
    }
}

/// Whether a program that runs with [`search_path`] takes this run's version without being told.
pub(crate) fn is_found() -> bool {
    static IS_FOUND: OnceLock<bool> = OnceLock::new();
    *IS_FOUND.get_or_init(|| {
        let (installed, _) = Binaries::installed(Some(&search_path()));
        installed.first().is_some_and(|found| found.directory == programs().directory)
    })
}

/// The `PATH` of what tests run, where the newest programs come first: an older psql misreads a newer server, and an
/// older pg_dump refuses it.
pub(crate) fn search_path() -> OsString {
    let rest = inherited_path().unwrap_or_default();
    let first = [programs(), newest()].into_iter().max_by_key(|found| found.version.major).into_iter();
    env::join_paths(first.map(|found| found.directory.clone()).chain(env::split_paths(&rest))).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the tests look for binaries where the program would")]
fn inherited_path() -> Option<OsString> {
    env::var_os("PATH")
}
