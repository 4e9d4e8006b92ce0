//! Installed servers: where `initdb` and `postgres` are, and of which version.

use std::{
    collections::HashSet,
    env,
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    thread,
};

use super::{
    command::scrubbed,
    version::{OLDEST, Version},
};
use crate::Error;

/// The programs that a server is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// The directory of `initdb` and `postgres`, as it was found: package managers keep this path over
    /// an upgrade, but not what it links to.
    pub directory: PathBuf,
    /// What `initdb --version` says there.
    pub version: Version,
}

/// Where systems put servers that are on nobody's `PATH`: a directory, the beginning of a name in it
/// (empty: any), and what is below.
const USUAL_PLACES: [(&str, &str, &str); 7] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/usr/local", "pgsql", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

impl Binaries {
    /// The server in the directory that `PG_BIN_DIR` names.
    pub fn named(directory: &Path) -> Result<Self, Error> {
        let unusable = |reason| Error::BinDir { directory: directory.to_owned(), reason };
        // Servers and `initdb` run in `/`.
        let directory = std::path::absolute(directory).map_err(|error| unusable(error.to_string()))?;
        look(&directory).map_err(unusable)
    }

    /// Every installed server that is 13 or newer, the newest first: `pg_config --bindir` and the
    /// directories of `path` (the value of `PATH`), then the usual places.
    ///
    /// Beside them, why each other directory with a server's program was passed over.
    pub fn installed(path: Option<&OsStr>) -> (Vec<Self>, Vec<String>) {
        let mut seen = HashSet::new();
        let mut candidates = on_path(path);
        candidates
            .extend(USUAL_PLACES.iter().flat_map(|(parent, prefix, below)| listed(Path::new(parent), prefix, below)));
        candidates.retain(|directory| {
            let program = directory.join("postgres");
            fs::canonicalize(program).is_ok_and(|program| seen.insert(program))
        });
        // Each costs a process of 10 ms.
        let looks: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = candidates.iter().map(|directory| scope.spawn(|| look(directory))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err("it was not looked at".to_owned())))
                .collect()
        });
        let mut found = Vec::new();
        let mut passed_over = Vec::new();
        for (directory, look) in candidates.iter().zip(looks) {
            match look {
                Ok(binaries) => found.push(binaries),
                Err(reason) => passed_over.push(format!("{}: {reason}", directory.display())),
            }
        }
        // Stable: of two of the same version the first found wins.
        found.sort_by(|a, b| b.version.cmp(&a.version));
        (found, passed_over)
    }

    /// Three lines for a file: the directory, the version, and a stamp of the program.
    pub(crate) fn record(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.directory.display(),
            self.version.build,
            stamp(&self.directory).unwrap_or_default()
        )
    }

    /// What was recorded, if the same program is still there: this spares the question for its version.
    pub(crate) fn recorded(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let directory = PathBuf::from(lines.next()?);
        let version = Version::parse(&format!("initdb (PostgreSQL) {}", lines.next()?))?;
        (stamp(&directory)? == lines.next()?).then_some(Self { directory, version })
    }

    /// The path of one of the programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// `pg_config` may stand for a server elsewhere, and (Debian's `libpq-dev`) for none at all.
fn on_path(path: Option<&OsStr>) -> Vec<PathBuf> {
    let directories: Vec<PathBuf> =
        env::split_paths(path.unwrap_or_default()).filter(|path| path.is_absolute()).collect();
    let pg_config = directories.iter().map(|directory| directory.join("pg_config")).find(|program| program.is_file());
    let answer = pg_config.and_then(|program| scrubbed(&program).arg("--bindir").output().ok());
    let named = answer.map(|output| PathBuf::from(OsStr::from_bytes(output.stdout.trim_ascii())));
    named.into_iter().chain(directories).collect()
}

fn listed(parent: &Path, prefix: &str, below: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name()).filter(|name| name.as_bytes().starts_with(prefix.as_bytes()));
    let mut found: Vec<PathBuf> = names.map(|name| parent.join(name).join(below)).collect();
    found.sort();
    found
}

/// Changes when the program is replaced.
fn stamp(directory: &Path) -> Option<String> {
    let program = fs::canonicalize(directory.join("postgres")).ok()?;
    let metadata = fs::metadata(&program).ok()?;
    Some(format!("{} {} {}.{}", program.display(), metadata.size(), metadata.mtime(), metadata.mtime_nsec()))
}

/// Both programs must be there. `initdb` is asked: it links little, and answers in half the time of
/// `postgres`, whose version it insists on itself.
fn look(directory: &Path) -> Result<Binaries, String> {
    let missing: Vec<&str> =
        ["initdb", "postgres"].into_iter().filter(|name| !directory.join(name).is_file()).collect();
    if !missing.is_empty() {
        return Err(format!("it holds no `{}`", missing.join("` and no `")));
    }
    let program = directory.join("initdb");
    let output = scrubbed(&program)
        .arg("--version")
        .output()
        .map_err(|error| format!("`{} --version` cannot be run: {error}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match Version::parse(text.trim()) {
        Some(version) if version.major < OLDEST => Err(format!("its version {version} is older than {OLDEST}")),
        Some(version) => Ok(Binaries { directory: directory.to_owned(), version }),
        None => Err(format!(
            "`{} --version` says {:?}, which is no version ({})",
            program.display(),
            text.trim(),
            output.status
        )),
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::local::process::write_script;

    /// Fake servers, each a directory with scripts that print a version.
    fn fake(root: &Path, name: &str, version: &str, programs: &[&str]) -> PathBuf {
        let directory = root.join(name);
        fs::create_dir_all(&directory).unwrap();
        for program in programs {
            let text = format!("#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n");
            write_script(&directory.join(program), &text);
        }
        directory
    }

    #[test]
    fn the_newest_of_path_wins_and_the_rest_is_explained() {
        let root = env::temp_dir().join(format!("pg-server-binaries-{}", std::process::id()));
        fs::create_dir(&root).unwrap();
        let both = ["initdb", "postgres"];
        let old = fake(&root, "old", "12.22", &both);
        let new = fake(&root, "new", "99.1 (Fake)", &both);
        let newest = fake(&root, "newest", "99.10", &both);
        let half = fake(&root, "half", "100.1", &["postgres"]);
        let path = env::join_paths([&old, &new, &half, &newest]).unwrap();
        let (found, passed_over) = Binaries::installed(Some(&path));
        assert_eq!(found[0].directory, newest);
        assert_eq!(found[1].directory, new);
        assert_eq!(found[1].version.build, "99.1 (Fake)");
        let in_root = passed_over.iter().filter(|line| line.contains(&root.display().to_string())).cloned();
        let refused = [&root, &old].map(|directory| Binaries::named(directory).unwrap_err().to_string());
        let words: Vec<_> = in_root.chain(refused).collect();
        assert_data_eq!(
            words.join("\n").replace(&root.display().to_string(), "ROOT"),
            str![[r#"
ROOT/old: its version 12.22 is older than 13
ROOT/half: it holds no `initdb`
PG_BIN_DIR is ROOT, and it holds no `initdb` and no `postgres`
  help: unset it, or set it to the directory of `initdb` and `postgres`, version 13 or newer
PG_BIN_DIR is ROOT/old, and its version 12.22 is older than 13
  help: unset it, or set it to the directory of `initdb` and `postgres`, version 13 or newer
"#]]
        );
        let named = Binaries::named(&new).unwrap();
        assert_eq!(named.version.major, 99);
        let record = named.record();
        assert_eq!(Binaries::recorded(&record), Some(named));
        fs::write(new.join("postgres"), "another one").unwrap();
        assert_eq!(Binaries::recorded(&record), None);
        fs::remove_dir_all(root).unwrap();
    }
}
