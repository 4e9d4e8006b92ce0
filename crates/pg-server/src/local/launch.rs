//! Running `postgres`: its settings, its log, its environment.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Child,
};

use pg_config::Durability;

use super::{cluster::Cluster, command::command, log};
use crate::{Binaries, Error};

/// What makes a development server quick. A crash of the machine may damage its data; a killed server
/// loses nothing that was committed, which is why `synchronous_commit` stays on (without `fsync` it
/// costs no time that could be measured).
const DEVELOPMENT: [(&str, &str); 5] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    // It would do nothing at this `wal_level`, and costs a process at each start.
    ("max_logical_replication_workers", "0"),
];

/// What holds whatever `postgresql.conf` says; on the command line, so that a cluster which an older
/// release made gets it too.
const ALWAYS: [(&str, &str); 10] = [
    ("listen_addresses", "127.0.0.1"),
    ("password_encryption", "scram-sha-256"),
    // The defaults for WAL segments of the usual size: `initdb` reckons by the segments of the template.
    ("max_wal_size", "1GB"),
    ("min_wal_size", "80MB"),
    ("logging_collector", "off"),
    ("log_destination", "stderr"),
    ("log_line_prefix", "%m [%p] %q%u@%d "),
    ("log_statement", "none"),
    ("log_checkpoints", "off"),
    // The reasons of a failed start are told apart by their words.
    ("lc_messages", "C"),
];

/// `sun_path` less its last zero byte: 108 on Linux, 104 elsewhere.
const SOCKET_PATH_LIMIT: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// What a server in a container is told; the rest is the image's.
pub(crate) fn container_settings<'a>(durability: Durability) -> impl Iterator<Item = (&'a str, &'a str)> {
    // Before 14 the default is another.
    [("password_encryption", "scram-sha-256"), ("log_statement", "none")].into_iter().chain(of(durability))
}

/// What makes it quick, unless it is to be durable.
fn of<'a>(durability: Durability) -> impl Iterator<Item = (&'a str, &'a str)> {
    DEVELOPMENT.into_iter().filter(move |_| durability == Durability::Development)
}

/// What every server of a cluster is told.
pub(crate) fn settings<'a>(durability: Durability) -> impl Iterator<Item = (&'a str, &'a str)> {
    ALWAYS.into_iter().chain(of(durability))
}

/// For people, after the words that say what is started: `, for development: fsync=off, …`.
pub(crate) fn explained(durability: Durability) -> String {
    match durability {
        Durability::Development => {
            let settings = DEVELOPMENT.map(|(name, value)| format!("{name}={value}")).join(", ");
            format!(", for development (DB_DURABLE=no): {settings}")
        }
        Durability::Durable => ", durable (DB_DURABLE=yes)".to_owned(),
    }
}

/// Starts `postgres` in a process group of its own, so that it outlives us and our terminal.
///
/// It holds none of our files: its output goes to the cluster's log.
pub(crate) fn launch(
    cluster: &Cluster,
    binaries: &Binaries,
    port: u16,
    durability: Durability,
    extra: &[(&str, &str)],
) -> Result<Child, Error> {
    let program = binaries.program("postgres");
    let path = cluster.log();
    let file = log::open(&path)?;
    let mut command = command(&program, cluster.account());
    command.arg("-D").arg(cluster.data());
    let socket_dir = socket_dir(&cluster.run_directory(), port).map(|directory| quoted(&directory)).unwrap_or_default();
    let own = [("port", port.to_string()), ("unix_socket_directories", socket_dir)];
    let own = own.iter().map(|(name, value)| (*name, value.as_str()));
    // Of two settings of one name the later wins.
    for (name, value) in settings(durability).chain(own).chain(extra.iter().copied()) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    command.stdout(file.try_clone().map_err(Error::io("open", &path))?).stderr(file).process_group(0);
    command.spawn().map_err(|source| Error::Run { program, source })
}

/// The directory, if a socket's path in it fits.
fn socket_dir(directory: &Path, port: u16) -> Option<PathBuf> {
    let socket = directory.join(format!(".s.PGSQL.{port}"));
    (socket.as_os_str().len() <= SOCKET_PATH_LIMIT).then(|| directory.to_owned())
}

/// `unix_socket_directories` is a list: quotes keep commas and spaces.
fn quoted(directory: &Path) -> String {
    format!("\"{}\"", directory.to_string_lossy().replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_made_only_where_its_path_fits() {
        let longest = SOCKET_PATH_LIMIT - "/.s.PGSQL.15432".len();
        let fits = PathBuf::from(format!("/{}", "d".repeat(longest - 1)));
        assert_eq!(socket_dir(&fits, 15432), Some(fits.clone()));
        assert_eq!(socket_dir(&fits.join("d"), 15432), None);
        assert_eq!(quoted(Path::new("/a, \"b\"")), "\"/a, \"\"b\"\"\"");
    }
}
