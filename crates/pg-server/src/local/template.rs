//! Templates: clusters that `initdb` made and nobody started, one per server version, for copying.
//!
//! ```text
//! templates/15.18_Debian_15.18-0+deb12u1-<digest of the settings>/
//!     data/        the data directory, 28 MB
//!     password     0600: the superuser's, inherited by every copy
//! ```

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use pg_config::{Password, short_digest};

use super::{command::scrub, copy, log, server_dir::ServerDir, user::Account};
use crate::{
    Binaries, Error, Group, Say,
    data_dir::DataDir,
    files::{create, make_directory, make_new_directory, remove_tree, unfinished},
    password, poll,
};

/// A kept template.
#[derive(Clone, Debug)]
pub struct ClusterTemplate {
    directory: PathBuf,
    account: Account,
}

/// `--wal-segsize=1` makes the copy a quarter smaller. The server is told the usual WAL limits when it
/// starts, so that nothing else of it shows.
const INITDB: [&str; 6] =
    ["--encoding=UTF8", "--auth=scram-sha-256", "--username=postgres", "--no-sync", "--wal-segsize=1", "--pgdata"];

/// Sorted by code point and UTF-8 to upper(), where the system has such a locale: Linux and newer macOS,
/// then older macOS and whatever is left, then none.
const LOCALES: [&[&str]; 4] = [
    &["--locale=C.UTF-8"],
    &["--locale=C", "--lc-ctype=en_US.UTF-8"],
    &["--locale=C", "--lc-ctype=UTF-8"],
    &["--locale=C"],
];

/// Passwords for everybody: on a shared machine every user reaches the loopback address.
const HBA: &str = "\
# TYPE  DATABASE  USER  ADDRESS        METHOD
local   all       all                  scram-sha-256
host    all       all   127.0.0.1/32   scram-sha-256
host    all       all   ::1/128        scram-sha-256
";

/// It takes half a second; a slow disk, ten.
const INITDB_LIMIT: Duration = Duration::from_secs(120);

/// The template for these binaries: the kept one, or one that `initdb` makes now.
///
/// `wait` bounds the wait for another process that is making it.
pub fn template(data_dir: &Path, binaries: &Binaries, wait: Duration, say: Say<'_>) -> Result<ClusterTemplate, Error> {
    if let Some(kept) = DataDir::open(data_dir)?.and_then(|data_dir| ClusterTemplate::kept(&data_dir, binaries)) {
        return Ok(kept);
    }
    let (data_dir, _lock) = DataDir::make(data_dir, wait)?;
    ClusterTemplate::get(&data_dir, binaries, say)
}

impl ClusterTemplate {
    /// The template that [`Throwaway::into_template`](crate::Throwaway::into_template) has left in a directory.
    pub fn at(directory: &Path) -> Result<Self, Error> {
        let account = Account::choose()?.of(&directory.join("data"));
        Ok(Self { directory: directory.to_owned(), account })
    }

    /// The initialised data directory. It belongs to the user whom servers run as.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The template for these binaries; the lock is held by the caller.
    pub(crate) fn get(data_dir: &DataDir, binaries: &Binaries, say: Say<'_>) -> Result<Self, Error> {
        match Self::kept(data_dir, binaries) {
            Some(kept) => Ok(kept),
            None => Self::make(data_dir, binaries, say),
        }
    }

    /// Copies the template to a new directory of a cluster, which is whole or not there at all.
    pub(crate) fn copy_to(&self, cluster: &Path) -> Result<(), Error> {
        let parent = cluster.parent().unwrap_or(cluster);
        let draft = unfinished(parent);
        let copied = (|| {
            make_new_directory(&draft, self.account.passage_mode())?;
            copy::tree(&self.data(), &draft.join("data"), &self.account)
                .map_err(Error::io("copy a template to", cluster))?;
            let kept = self.directory.join("password");
            fs::copy(&kept, draft.join("password")).map_err(Error::io("copy", &kept))?;
            fs::rename(&draft, cluster).map_err(Error::io("make the cluster", cluster))
        })();
        if copied.is_err() {
            let _ = fs::remove_dir_all(&draft);
        }
        copied
    }

    /// Deletes a template that turned out to be damaged.
    pub(crate) fn delete(&self) -> Result<(), Error> {
        remove_tree(&self.directory)
    }

    fn kept(data_dir: &DataDir, binaries: &Binaries) -> Option<Self> {
        let directory = data_dir.templates().join(name(binaries));
        directory.join("password").is_file().then(|| Self { directory, account: data_dir.account.clone() })
    }

    fn make(data_dir: &DataDir, binaries: &Binaries, say: Say<'_>) -> Result<Self, Error> {
        data_dir.account.check_program(&binaries.program("postgres"))?;
        say(&format!(
            "initialising a cluster of PostgreSQL {} with {}",
            binaries.version,
            binaries.program("initdb").display()
        ));
        let draft = Self { directory: unfinished(&data_dir.templates()), account: data_dir.account.clone() };
        make_directory(&draft.directory, draft.account.passage_mode())?;
        let made = draft.initialise(binaries).and_then(|()| {
            let directory = data_dir.templates().join(name(binaries));
            // Not a whole one, or it would have been taken.
            remove_tree(&directory)?;
            fs::rename(&draft.directory, &directory).map_err(Error::io("make the template", &directory))?;
            Ok(Self { directory, account: draft.account.clone() })
        });
        if made.is_err() {
            let _ = fs::remove_dir_all(&draft.directory);
        }
        made
    }

    fn initialise(&self, binaries: &Binaries) -> Result<(), Error> {
        let superuser = Password::generate();
        // What `initdb` reads, and its user may: the verifier, which logs nobody in. Before 14 it reads 99 bytes of
        // it and no more, and a verifier has 130: there, for as long as it runs, the password itself.
        let pwfile = self.directory.join("pwfile");
        let reads_verifiers = binaries.version.major >= 14;
        let password = if reads_verifiers { Password::new(superuser.quick_verifier()) } else { superuser.clone() };
        password::write(&pwfile, &password)?;
        self.account.give(&pwfile).map_err(Error::io("give away", &pwfile))?;

        let mut outcome = Ok(());
        for locale in LOCALES {
            outcome = self.initdb(binaries, locale, &pwfile);
            match &outcome {
                Err(Error::Initdb { output, .. }) if output.contains("locale") => {}
                _ => break,
            }
        }
        outcome?;
        fs::remove_file(&pwfile).map_err(Error::io("delete", &pwfile))?;
        let hba = self.data().join("pg_hba.conf");
        let written = ServerDir::open(&self.data()).and_then(|data| data.overwrite("pg_hba.conf".as_ref(), HBA));
        written.map_err(Error::io("write", &hba))?;
        password::write(&self.directory.join("password"), &superuser)
    }

    fn initdb(&self, binaries: &Binaries, locale: &[&str], pwfile: &Path) -> Result<(), Error> {
        let data = self.data();
        remove_tree(&data)?;
        make_directory(&data, 0o700)?;
        self.account.give(&data).map_err(Error::io("give away", &data))?;
        let output = self.directory.join("initdb.log");
        let file = create(&output)?;
        let program = binaries.program("initdb");
        // Half a second's work, of which nobody wants half.
        let mut command = Group::command(&program);
        scrub(&mut command);
        self.account.apply(&mut command);
        command.args(INITDB).arg(&data).args(locale).arg("--pwfile").arg(pwfile);
        command.stdout(file.try_clone().map_err(Error::io("open", &output))?).stderr(file);
        let failed = |status: String| Error::Initdb {
            command: format!("{} {} {} {}", program.display(), INITDB.join(" "), data.display(), locale.join(" ")),
            status,
            output: log::tail(&output),
        };
        let run = |source| Error::Run { program: program.clone(), source };
        let mut group = Group::spawn(command, None).map_err(run)?;
        let ended = poll::until(Instant::now() + INITDB_LIMIT, || group.try_wait().transpose());
        match ended {
            Some(Ok(status)) if status.success() => fs::remove_file(&output).map_err(Error::io("delete", &output)),
            Some(Ok(status)) => Err(failed(status.to_string())),
            Some(Err(source)) => Err(run(source)),
            None => {
                drop(group);
                Err(failed(format!("not done after {} s", INITDB_LIMIT.as_secs())))
            }
        }
    }
}

/// Two installations of one version may be built differently, so the directory counts too.
fn name(binaries: &Binaries) -> String {
    // The standard library's hash may be another in its next release.
    let settings = format!("{INITDB:?} {LOCALES:?} {HBA:?}");
    let digest = short_digest(&[binaries.directory.as_os_str().as_bytes(), settings.as_bytes()].join(&0));
    let build = binaries.version.build.replace(['(', ')'], "");
    let build: String =
        build.chars().take(60).map(|c| if c.is_ascii_alphanumeric() || ".+-".contains(c) { c } else { '_' }).collect();
    format!("{build}-{digest}")
}
