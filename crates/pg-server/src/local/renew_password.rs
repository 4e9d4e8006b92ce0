//! A new password for the superuser of a cluster whose password is lost: the cluster's files are ours, so that no login
//! is needed.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    process::{Child, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use pg_config::{Durability, Literal, Password};

use super::{cluster::Cluster, command::command, launch, log, process};
use crate::{Binaries, Error, password, poll};

/// A terminated `postgres --single` rolls back and writes everything out.
const TERMINATE_LIMIT: Duration = Duration::from_secs(5);

/// Stops the server, if it runs, and gives the superuser a new password. The lock is held by the caller.
///
/// The password is changed by `postgres --single`, which listens nowhere: meanwhile no other user can get in. If this
/// process is killed between the change and the file, the next call changes the password again.
pub(crate) fn renew_password(
    cluster: &Cluster,
    binaries: &Binaries,
    durability: Durability,
    wait: Duration,
) -> Result<(), Error> {
    cluster.stop(wait)?;
    let password = Password::generate();
    // What is stored for the role or the database would hold here too.
    let script = format!(
        "SET default_transaction_read_only = off\n\
         ALTER ROLE postgres LOGIN PASSWORD {} VALID UNTIL 'infinity'\n",
        Literal(&password.quick_verifier())
    );
    let log = cluster.log();
    let status = run(cluster, binaries, durability, &script, wait)?;
    // A statement that fails does not end it.
    if status.is_none_or(|status| !status.success()) || log::end(&log).is_ok_and(|log| log.contains("ERROR:")) {
        let status = status.map_or_else(|| format!("not done after {:.1} s", wait.as_secs_f64()), |it| it.to_string());
        return Err(Error::NoNewPassword { data: cluster.data(), status, tail: log::tail(&log), log });
    }
    password::replace(&cluster.password_file(), &password)
}

/// Runs SQL, a statement on each line, as the superuser of a cluster whose server is stopped. `None`: it took too long.
fn run(
    cluster: &Cluster,
    binaries: &Binaries,
    durability: Durability,
    script: &str,
    wait: Duration,
) -> Result<Option<ExitStatus>, Error> {
    let program = binaries.program("postgres");
    let failed = |source| Error::Run { program: program.clone(), source };
    let mut command = command(&program, cluster.account());
    command.arg("--single").arg("-D").arg(cluster.data());
    // An error would be logged with the statement, and with the verifier in it.
    for (name, value) in launch::settings(durability).chain([("log_min_error_statement", "panic")]) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    log::rotate(&cluster.log());
    command.arg("postgres").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log::open(&cluster.log())?);
    // It ends where its input does, and that does with us: a signal to our group must not cut it off.
    let mut child = command.process_group(0).spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that has ended already says why in the log.
        let _ = stdin.write_all(script.as_bytes());
    }
    if let Some(status) = ended(&mut child, wait) {
        return status.map(Some).map_err(failed);
    }
    process::send(child.id(), Signal::SIGTERM);
    if ended(&mut child, TERMINATE_LIMIT).is_none() {
        child.kill().and_then(|()| child.wait()).map_err(failed)?;
    }
    Ok(None)
}

fn ended(child: &mut Child, wait: Duration) -> Option<std::io::Result<ExitStatus>> {
    poll::until(Instant::now() + wait, || child.try_wait().transpose())
}
