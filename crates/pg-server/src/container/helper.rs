//! Running the helper program (`crates/pg-container`): one JSON document in, one out.

use std::{
    ffi::OsString,
    io::{Read, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{BuildHelper, ContainerError, Kept};
use crate::{
    Say,
    engine::{Engine, EngineSettings, Seen},
    poll,
};

/// The program, and the engine that it speaks to.
#[derive(Debug)]
pub(crate) struct Helper {
    program: PathBuf,
    environment: Vec<(&'static str, OsString)>,
}

/// What the engine does takes a second. Where it must pull the image first, as long as a pull may.
const LIMIT: Duration = Duration::from_secs(120);

/// How long a server may take to end in order before its container is killed.
const STOP_LIMIT: Duration = Duration::from_secs(30);

impl Helper {
    /// Builds it where that is needed.
    pub(crate) fn build(
        build: BuildHelper<'_>,
        engine: &Engine,
        settings: &EngineSettings,
        say: Say<'_>,
    ) -> Result<Self, ContainerError> {
        let program = build(say).map_err(|words| ContainerError::Helper(format!("is not there: {words}")))?;
        let mut environment = vec![("TZ", OsString::from("UTC"))];
        environment.extend(engine.environment().into_iter().filter_map(|(key, value)| Some((key, value?))));
        // Whoever may pull a private image is said there.
        for (key, path) in [("HOME", &settings.home), ("DOCKER_CONFIG", &settings.docker_config)] {
            environment.extend(path.as_ref().map(|path| (key, path.into())));
        }
        Ok(Self { program, environment })
    }

    /// One request about one container, and what it came to.
    pub(crate) fn run(&self, name: &str, request: &Value, say: Say<'_>) -> Result<Value, ContainerError> {
        let answer = self.ask(request, say)?;
        if let Some(error) = answer["error"].as_str() {
            return Err(ContainerError::Refused { name: name.to_owned(), said: error.to_owned() });
        }
        Ok(answer["containers"][0].clone())
    }

    /// How the container is, for who cannot ask the engine.
    pub(crate) fn look(&self, kept: &Kept) -> Result<Seen, ContainerError> {
        let request = json!({ "command": "look", "names": [kept.name()] });
        let found = self.run(kept.name(), &request, &mut |_| {})?;
        Ok(match (found["state"].as_str().unwrap_or_default(), found["exit_code"].as_i64()) {
            ("running", _) => Seen::Running {
                port: found["port"].as_u64().and_then(|port| u16::try_from(port).ok()),
                address: found["address"].as_str().map(str::to_owned),
            },
            ("absent", _) => Seen::Absent,
            ("exited", Some(code)) => Seen::Ended(format!("stopped, exit code {code}")),
            (state, _) => Seen::Ended(state.to_owned()),
        })
    }

    /// The end of the container's log.
    pub(crate) fn log(&self, kept: &Kept) -> String {
        let request = json!({ "command": "look", "names": [kept.name()] });
        let found = self.run(kept.name(), &request, &mut |_| {});
        found.ok().and_then(|found| Some(found["log"].as_str()?.trim_end().to_owned())).unwrap_or_default()
    }

    /// Stops the container; whether it ran.
    pub(crate) fn stop(&self, kept: &Kept) -> Result<bool, ContainerError> {
        let request = json!({ "command": "stop", "names": [kept.name()], "seconds": STOP_LIMIT.as_secs() });
        let found = self.run(kept.name(), &request, &mut |_| {})?;
        Ok(found["done"] == "stopped")
    }

    /// Removes the container; whether there was one. What is in its volume stays.
    pub(crate) fn remove(&self, kept: &Kept) -> Result<bool, ContainerError> {
        let request = json!({ "command": "remove", "names": [kept.name()], "volumes": [], "lock": kept.lock_file() });
        let found = self.run(kept.name(), &request, &mut |_| {})?;
        Ok(found["done"] == "removed")
    }

    /// Removes the volume of the data, which no container may use any more. None there is fine.
    pub(crate) fn remove_volume(&self, kept: &Kept) -> Result<(), ContainerError> {
        let volumes: Vec<&String> = kept.volume.iter().collect();
        let request = json!({ "command": "remove", "names": [], "volumes": volumes, "lock": kept.lock_file() });
        self.run(kept.name(), &request, &mut |_| {}).map(|_| ())
    }

    fn ask(&self, request: &Value, say: Say<'_>) -> Result<Value, ContainerError> {
        let failed = |words: String| ContainerError::Helper(format!("({}) {words}", self.program.display()));
        let mut child = Command::new(&self.program)
            .env_clear()
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What a terminal sends to all would end it while it makes or removes a container.
            .process_group(0)
            .spawn()
            .map_err(|error| failed(format!("cannot be run: {error}")))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that has ended already says why by its exit.
            let _ = stdin.write_all(request.to_string().as_bytes());
        }
        let stdout = child.stdout.take().map(read);
        let stderr = child.stderr.take().map(read);
        let ended = poll::until(Instant::now() + LIMIT, || child.try_wait().transpose());
        if ended.is_none() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let text = |reader: Option<thread::JoinHandle<String>>| {
            reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
        };
        let (answer, said) = (text(stdout), text(stderr));
        for line in said.lines().filter(|line| !line.trim().is_empty()) {
            say(line);
        }
        let status = match ended {
            Some(Ok(status)) => status.to_string(),
            Some(Err(error)) => error.to_string(),
            None => format!("had no answer from the engine within {} s", LIMIT.as_secs()),
        };
        serde_json::from_str(&answer)
            .map_err(|_| failed(format!("gave no answer ({status}); it said: {}", said.trim())))
    }
}

/// Reads a pipe to its end, beside what else goes on.
fn read(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
