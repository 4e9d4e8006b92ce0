//! PostgreSQL's own programs, as people run them: psql and the dumps.

use std::{
    ffi::OsStr,
    io::Write,
    process::{Command, Stdio},
};

use pg_connect::{ConnInfo, Parameters, Surroundings};

use crate::{Cluster, Run, binaries::search_path};

/// Runs psql on a URL, with stdin; it reads no startup file, and prints bare rows.
pub fn psql(url: &str, arguments: &[&str], stdin: &str) -> Run {
    run_psql("psql".as_ref(), url, arguments, stdin)
}

fn run_psql(program: &OsStr, url: &str, arguments: &[&str], stdin: &str) -> Run {
    let mut command = scrubbed(program);
    command.args(["-X", "-q", "-A", "-t", "-d", url]).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // psql may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    Run::of(format!("psql {}", arguments.join(" ")), child.wait_with_output().unwrap())
}

/// The connection that a string says, and nothing around it.
pub fn connection(string: &str) -> ConnInfo {
    let around = Surroundings { variable: &|_| None, home: None };
    let (candidates, _) = around.complete(Parameters::parse(string).unwrap()).unwrap();
    candidates.all()[0].clone()
}

impl Cluster {
    /// The same by the psql of this server's version.
    pub fn psql(&self, url: &str, arguments: &[&str], stdin: &str) -> Run {
        run_psql(self.binaries().join("psql").as_os_str(), url, arguments, stdin)
    }

    /// All roles with their attributes, passwords' verifiers, memberships, settings and comments, and the tablespaces.
    pub fn globals(&self) -> String {
        self.value("postgres", include_str!("globals.sql"))
    }

    /// The names of the databases and of the roles that people made.
    pub fn inventory(&self) -> String {
        self.value(
            "postgres",
            "SELECT pg_catalog.string_agg(name, ', ' ORDER BY name) FROM (
                 SELECT 'database ' || datname AS name FROM pg_catalog.pg_database WHERE oid > 16383
                 UNION ALL SELECT 'role ' || rolname FROM pg_catalog.pg_roles WHERE oid > 16383) made",
        )
    }

    /// Puts lines before those of `pg_hba.conf`, and has the server read it again. The file must be on this machine.
    pub fn let_in(&self, lines: &str) {
        let file = self.value("postgres", "SHOW hba_file");
        let rest = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{lines}\n{rest}")).unwrap();
        self.sql("postgres", "SELECT pg_catalog.pg_reload_conf()");
        let loaded = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_hba_file_rules WHERE error IS NOT NULL";
        assert_eq!(self.value("postgres", loaded), "0");
    }

    /// A database with its owners, privileges and settings; its data too. By the server's own program: an older one
    /// refuses a newer server.
    pub fn dump(&self, database: &str) -> String {
        let mut command = scrubbed(self.binaries().join("pg_dump").as_os_str());
        let connection = self.superuser().with_database(database);
        let output = command.envs(connection.libpq_environment()).arg("--create").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        // Recent minor versions write a random token there.
        text.lines().filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict")).fold(
            String::new(),
            |mut kept, line| {
                kept.push_str(line);
                kept.push('\n');
                kept
            },
        )
    }
}

/// A program that sees nothing of this process's environment but `PATH`: `PGHOST` would lead it elsewhere.
pub fn scrubbed(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", search_path());
    command
}
