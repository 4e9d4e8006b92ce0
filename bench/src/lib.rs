//! `cargo xtask bench`: the performance table. Each row stands beside its limit, measured in turns in the same run:
//! machines are shared and noisy, so only ratios mean anything.

mod container;
mod limit;
mod moving;
mod signals;
mod size;
mod sqlx;
mod table;
mod terminal;
mod testdb;

use std::{
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::{ColorChoice, Parser};
use pg_config::{Config, ConnInfo, EnvFile, Environment, Password, Project, ProjectError};
use pg_server::{Binaries, ClusterTemplate, Throwaway};
use pg_workflow::of_outer_cargo;

use self::{table::Row, terminal::Terminal};

/// How long a server of the bench may take to come up.
const WAIT: Duration = Duration::from_secs(60);

/// Measure, side by side in one run
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Flags {
    /// Exit with 3 where a row misses its limit
    #[arg(long)]
    check: bool,
    /// Measure each row so many times
    #[arg(long, value_name = "TIMES", default_value_t = 15)]
    repeat: usize,
    /// Say only what is wrong
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Say no more than without it: kept for scripts
    #[arg(short, long)]
    verbose: bool,
    /// Colour
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

/// Measures the program of this name that lies beside this one, and gives the exit code: 3 with `--check` where a row
/// misses its limit.
pub fn main(project: Result<Project, ProjectError>, measured: &str) -> ExitCode {
    let flags = Flags::parse();
    let code = match project.map_err(Into::into).and_then(|project| flags.run(&project, measured)) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            1
        }
    };
    ExitCode::from(signals::exit_code().unwrap_or(code))
}

impl Flags {
    fn run(self, project: &Project, measured: &str) -> anyhow::Result<u8> {
        let environment = Environment::read(project, &EnvFile::Ignored)?;
        let terminal = Terminal::new(self.quiet, self.color, &environment);
        signals::listen(terminal).context("listen to signals")?;
        let program = std::env::current_exe().context("find the program beside this one")?.with_file_name(measured);
        if !program.is_file() {
            bail!("{} is not built\n  help: run cargo xtask bench", program.display());
        }
        let stage = Stage::set(project, &environment, program)?;
        let repeat = self.repeat.max(1);
        let mut rows = Vec::new();
        for (name, measure) in [
            ("cluster", Stage::clusters as Measure),
            ("nothing there", Stage::nothing_there),
            ("nothing to do", Stage::nothing_to_do),
        ] {
            terminal.say(&format!("measuring: {name}"));
            rows.push(measure(&stage, repeat)?);
        }
        terminal.say("measuring: sqlx");
        rows.extend(stage.beside_sqlx(repeat, terminal)?);
        terminal.say("measuring: containers");
        rows.extend(stage.containers(repeat, terminal)?);
        terminal.say("measuring: databases for tests");
        rows.extend(stage.test_databases(terminal)?);
        terminal.say("measuring: many tables");
        rows.extend(stage.many_tables(repeat)?);
        terminal.say("measuring: moving tables");
        rows.extend(stage.moves(repeat)?);
        terminal.print(&table::print(terminal, &rows));
        let is_missed = rows.iter().any(Row::misses_its_limit);
        Ok(if self.check && is_missed { 3 } else { 0 })
    }
}

type Measure = fn(&Stage, usize) -> anyhow::Result<Row>;

/// What is measured on: a template, a running server, and a directory that goes with it.
struct Stage {
    project: Project,
    /// What is measured.
    program: PathBuf,
    config: Config,
    binaries: Binaries,
    template: ClusterTemplate,
    server: Throwaway,
    /// What a cargo below must not see, or it builds anew.
    outer: Vec<String>,
    // The last to go: the server lives in it.
    directory: Scratch,
}

impl Stage {
    fn set(project: &Project, environment: &Environment, program: PathBuf) -> anyhow::Result<Self> {
        let config = Config::resolve(project, environment, None)?;
        let (found, reasons) = Binaries::installed(environment.process_os("PATH"));
        let binaries = match &config.bin_dir {
            Some(directory) => Binaries::named(&directory.value)?,
            None => match found.into_iter().next() {
                Some(binaries) => binaries,
                None => bail!("bench needs PostgreSQL's server binaries: {}", reasons.join("; ")),
            },
        };
        let directory = Scratch::new(&pg_server::scratch().join(format!("{}-bench", project.name)), &program)?;
        let mut quiet = |_: &str| {};
        let template = pg_server::template(&directory.path.join("kept"), &binaries, WAIT, &mut quiet)?;
        let server = pg_server::throwaway(&template, &binaries, &directory.path.join("server"), &[], WAIT, &mut quiet)?;
        let outer = of_outer_cargo(environment).map(str::to_owned).collect();
        Ok(Self { project: project.clone(), program, config, binaries, template, server, outer, directory })
    }

    /// A cluster from the kept template to its first query; beside it `cp -a`, spawn, first answer.
    fn clusters(&self, repeat: usize) -> anyhow::Result<Row> {
        let mut row = Row::new("a cluster from the kept template", "cp -a and spawn", 1.3);
        for round in 0..repeat {
            row.add(
                || {
                    let place = self.directory.path.join(format!("fresh-{round}"));
                    let started = Instant::now();
                    let server = pg_server::throwaway(&self.template, &self.binaries, &place, &[], WAIT, &mut |_| {})?;
                    let elapsed = started.elapsed();
                    drop(server);
                    Ok(elapsed)
                },
                || {
                    limit::copy_and_spawn(
                        &self.template,
                        &self.binaries,
                        &self.directory.path.join(format!("bare-{round}")),
                    )
                },
            )?;
        }
        Ok(row)
    }

    /// A whole setup on a running server; beside it the same SQL by psql and the migrate command alone.
    fn nothing_there(&self, repeat: usize) -> anyhow::Result<Row> {
        // Cargo is asked twice, to build before the lock and to run under it, and the proof comes on top.
        let mut row = Row::new("a setup with nothing there", "psql and the migrations alone", 2.0);
        let script = self.directory.path.join("setup.sql");
        let printed = self.program(&["db-setup", "--dry-run"]).output().context("print the script")?;
        fs::write(&script, printed.stdout).context("keep the script")?;
        for _ in 0..repeat {
            row.add(
                || {
                    self.forget()?;
                    timed(&mut self.program(&["db-setup", "--quiet"]))
                },
                || {
                    self.forget()?;
                    let mut psql = self.psql(&self.server.superuser);
                    let setup = timed(psql.arg("--file").arg(&script))?;
                    let mut migrate = Command::new("sh");
                    migrate.arg("-c").arg(&self.config.migrations.command.value).current_dir(&self.project.root);
                    for key in &self.outer {
                        migrate.env_remove(key);
                    }
                    Ok(setup + timed(migrate.env("DATABASE_URL", self.app().url()))?)
                },
            )?;
        }
        Ok(row)
    }

    /// A setup that finds everything right, verification included; beside it `psql -c 'select 1'`.
    fn nothing_to_do(&self, repeat: usize) -> anyhow::Result<Row> {
        // 40 ms where psql takes 6.
        let mut row = Row::new("a setup with nothing to do", "psql -c 'select 1'", 40.0 / 6.0);
        timed(&mut self.program(&["db-setup", "--quiet"]))?;
        for _ in 0..repeat {
            row.add(
                || timed(&mut self.program(&["db-setup", "--quiet"])),
                || timed(self.psql(&self.app()).args(["--command", "select 1"])),
            )?;
        }
        Ok(row)
    }

    /// The app's connection on the bench's server.
    fn app(&self) -> ConnInfo {
        ConnInfo {
            user: self.config.role.value.as_str().to_owned(),
            password: Some(Password::new("of-the-bench")),
            database: self.config.database.value.as_str().to_owned(),
            ..self.server.superuser.clone()
        }
    }

    /// The program, on the bench's server alone.
    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = run(&self.program, arguments);
        command.env("DATABASE_URL", self.app().url()).env("ADMIN_DATABASE_URL", self.server.superuser.url());
        for key in ["DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST", "DB_PORT", "DB_SERVER"] {
            command.env_remove(key);
        }
        command
    }

    /// The installed psql itself: Debian's wrapper in `PATH` takes four times as long.
    fn psql(&self, connection: &ConnInfo) -> Command {
        let beside = self.binaries.program("psql");
        let mut command = Command::new(if beside.exists() { beside } else { PathBuf::from("psql") });
        command.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]).envs(connection.libpq_environment());
        command
    }

    /// Drops what a setup made.
    fn forget(&self) -> anyhow::Result<()> {
        let (database, role) = (&self.config.database.value, &self.config.role.value);
        let mut psql = self.psql(&self.server.superuser);
        psql.args(["--command", &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")]);
        psql.args(["--command", &format!("DROP ROLE IF EXISTS {role}")]);
        timed(&mut psql).map(drop)
    }
}

/// The program that is measured.
fn run(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).arg("--no-env-file");
    command
}

/// A directory that is deleted with everything below it; its lock is held for as long as the bench lives.
struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// One that is not there yet: another user may have made it, and would choose what is written there. The server's
    /// user may pass. What a killed bench has left under the same name is ended first.
    fn new(name: &Path, program: &Path) -> anyhow::Result<Self> {
        let beside = |end: &str| PathBuf::from(format!("{}-{end}", name.display()));
        let others = name.parent().and_then(|parent| fs::read_dir(parent).ok()).into_iter().flatten().flatten();
        let others = others.map(|entry| entry.path());
        for left in others
            .filter(|path| path.as_os_str().as_encoded_bytes().starts_with(beside("").as_os_str().as_encoded_bytes()))
        {
            let lock = File::open(left.join(LOCK));
            if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
                end(&left, program);
            }
        }
        let path = beside(&std::process::id().to_string());
        fs::create_dir(&path).with_context(|| format!("make {}", path.display()))?;
        fs::set_permissions(&path, Permissions::from_mode(0o711))?;
        let lock = File::create_new(path.join(LOCK)).context("make the lock")?;
        lock.lock().context("take the lock")?;
        Ok(Self { path, _lock: lock })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// In a directory of the bench: held by the process that made it.
const LOCK: &str = "bench.lock";

/// Ends what runs in the directory of a bench that was killed, and deletes it.
fn end(directory: &Path, program: &Path) {
    for place in fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let _ = pg_server::end_throwaway(&place);
        // Servers of this program's own, in containers and not.
        if place.join("made-by-pg-server").exists() {
            let _ = timed(run(program, &["db-stop", "--purge", "--yes", "--quiet"]).env("DB_DATA_DIR", &place));
        }
    }
    if let Some(container) = directory.file_name() {
        let _ = timed(Command::new("docker").args(["rm", "--force", "--volumes"]).arg(container));
    }
    let _ = fs::remove_dir_all(directory);
}

/// How long a command takes from its start to its end; its words are shown if it fails.
fn timed(command: &mut Command) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("run {command:?}"))?;
    let elapsed = started.elapsed();
    if !output.status.success() {
        let program = command.get_program().to_string_lossy().into_owned();
        bail!("{program} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(elapsed)
}
