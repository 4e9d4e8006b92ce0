//! Data of this workspace that the server which would be started now does not use: those of another image, or of another
//! major version. They stay as they are. What is said here is where they are, and how to go on with them.

use std::{fmt, path::Path};

use pg_config::ServerChoice;

use crate::{
    Binaries, ContainerSettings, Dump, Request, container::ContainerRecord, engine, local::cluster::Cluster, shell_word,
};

/// Data that are left where they are, as people read it: a sentence, and commands that can be pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OtherData {
    /// Where they are, and why they are not used.
    why: String,
    /// What to do first, where a command alone does not do.
    first: Option<String>,
    /// The setting that goes on with them: `POSTGRES_IMAGE=postgres:17`.
    old: String,
    /// The setting that leaves them: `POSTGRES_IMAGE=postgres:18`.
    new: String,
    /// Whether that one has no data yet. Where it has, nothing may be copied over them.
    is_new: bool,
    /// ` --server local`, where that is needed.
    flag: String,
    /// The command that dumps them.
    dump: String,
    clear: String,
}

impl OtherData {
    /// Those of a container, where one of another image would be started; whether that one has no data yet.
    pub(crate) fn of_image(kept: &ContainerRecord, is_new: bool, request: &Request<'_>) -> Self {
        let Request { choice, dump, containers: ContainerSettings { image, image_is_default, .. }, .. } = *request;
        let whose =
            if image_is_default { "POSTGRES_IMAGE is not set: its default is" } else { "POSTGRES_IMAGE is now" };
        Self {
            why: format!("{}. {whose} {image}. Each image has data of its own", place(kept)),
            first: None,
            old: format!("POSTGRES_IMAGE={}", shell_word(&kept.image)),
            new: format!("POSTGRES_IMAGE={}", shell_word(image)),
            is_new,
            flag: if choice == ServerChoice::Auto { String::new() } else { format!(" --server {choice}") },
            dump: format!(
                "{} exec {} pg_dump --username=postgres --no-owner --no-privileges {} {}",
                engine::client(&kept.engine),
                kept.name(),
                dump.arguments,
                dump.database,
            ),
            clear: dump.clear.to_owned(),
        }
    }

    /// Those of a cluster, where these binaries would serve; beside them those of its own version, where they are there.
    pub(crate) fn of_version(cluster: &Cluster, own: Option<&Binaries>, binaries: &Binaries, dump: Dump<'_>) -> Self {
        let name = cluster.name();
        let word = |path: &Path| shell_word(&path.display().to_string());
        let (version, new) = (&binaries.version, word(&binaries.directory));
        let old = own.map(|own| own.directory.clone()).or_else(|| cluster.bin_dir());
        let was = old.as_ref().map(|old| format!(" (it was in {})", old.display())).unwrap_or_default();
        let old = old.map_or_else(|| "DIRECTORY".to_owned(), |old| word(&old));
        let gone = format!(", but no PostgreSQL {name} is installed{was}");
        let flag = " --server local";
        Self {
            why: format!(
                "the data of this workspace are in {} (PostgreSQL {name}){}. PostgreSQL {version} cannot read these data",
                cluster.data().display(),
                if own.is_some() { "" } else { &gone },
            ),
            first: own.is_none().then(|| format!("install PostgreSQL {name} beside {}", version.major)),
            // By the environment: all users see a program's arguments, and the URL has the password in it.
            dump: format!(
                "(eval \"$(PG_BIN_DIR={old} cargo xtask db-env{flag})\"; {} --no-owner --no-privileges {})",
                word(&binaries.program("pg_dump")),
                dump.arguments,
            ),
            old: format!("PG_BIN_DIR={old}"),
            new: format!("PG_BIN_DIR={new}"),
            is_new: true,
            flag: flag.to_owned(),
            clear: dump.clear.to_owned(),
        }
    }

    /// Where nothing is started in their place.
    pub(crate) fn refused(&self) -> String {
        format!("{}. Nothing was started or changed.{self}", self.why)
    }

    /// Where something is.
    pub(crate) fn left(&self) -> String {
        format!("{}. These data stay where they are. A new, empty database is made.{self}", self.why)
    }
}

/// Where a container's data are, and of which version.
pub(crate) fn place(kept: &ContainerRecord) -> String {
    let version = kept.version.as_ref().map(|version| format!(" (PostgreSQL {version})")).unwrap_or_default();
    let volume = kept.volume.as_deref().unwrap_or_default();
    format!(
        "the data of this workspace are in the volume {volume} of the container {}: {}{version} made them",
        kept.name(),
        kept.image,
    )
}

/// The commands.
impl fmt::Display for OtherData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, old, new, is_new, flag, dump, clear, .. } = self;
        let setup = format!("cargo xtask db-setup{flag}");
        let first = first.as_ref().map(|first| format!(" {first}, then")).unwrap_or_default();
        writeln!(f, "\n    To continue with these data (permanently: put {old} into .env):{first}")?;
        writeln!(f, "      {old} {setup}")?;
        if *is_new {
            writeln!(f, "    To start with an empty database, and keep these data:")?;
            writeln!(f, "      {new} {setup}")?;
            writeln!(f, "    To copy these data to the new database:{first}")?;
            writeln!(f, "      {old} {setup}")?;
            writeln!(f, "      {dump} >data.sql")?;
            writeln!(f, "      {new} {setup}")?;
            writeln!(f, "      (echo {clear}; cat data.sql) | {new} cargo xtask db-psql{flag}")?;
            writeln!(f, "      {new} {setup}")?;
        } else {
            writeln!(f, "    To use the other data of this workspace, and keep these:")?;
            writeln!(f, "      {new} {setup}")?;
        }
        writeln!(f, "    To delete these data, and all other servers of this workspace:")?;
        write!(f, "      cargo xtask db-stop --purge")
    }
}
