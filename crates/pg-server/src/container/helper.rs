//! Running the helper program (`crates/pg-container`): one JSON document in, one out.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::{BuildHelper, ContainerRecord};
use crate::{
    Error, Say,
    engine::{Engine, EngineSettings},
};

/// The program, and the engine that it speaks to.
#[derive(Debug)]
pub(crate) struct Helper {
    program: PathBuf,
    environment: Vec<(&'static str, OsString)>,
}

/// Without a word for so long, it does not work any more: it gives each request to the engine 120 s, and says when it
/// waits for something else.
const SILENCE: Duration = Duration::from_secs(150);

/// How long a server may take to end in order before its container is killed.
const STOP_LIMIT: Duration = Duration::from_secs(30);

impl Helper {
    /// Builds it where that is needed.
    pub(crate) fn build(
        build: BuildHelper<'_>,
        engine: &Engine,
        settings: &EngineSettings,
        say: Say<'_>,
    ) -> Result<Self, Error> {
        let program = build(say).map_err(|words| Error::Helper(format!("is not there: {words}")))?;
        let mut environment = vec![("TZ", OsString::from("UTC"))];
        environment.extend(engine.environment().into_iter().filter_map(|(key, value)| Some((key, value?))));
        // Logins to registries, and the programs that keep them.
        for (key, path) in [("HOME", &settings.home), ("DOCKER_CONFIG", &settings.docker_config)] {
            environment.extend(path.as_ref().map(|path| (key, path.into())));
        }
        environment.extend(settings.path.as_ref().map(|path| ("PATH", path.clone())));
        Ok(Self { program, environment })
    }

    /// One request about one container, and what it came to.
    pub(crate) fn run(&self, name: &str, request: &Value, say: Say<'_>) -> Result<Value, Error> {
        let answer = self.ask(request, say)?;
        if let Some(error) = answer["error"].as_str() {
            return Err(Error::EngineRefused { name: name.to_owned(), said: error.to_owned() });
        }
        Ok(answer["containers"][0].clone())
    }

    /// The end of the container's log.
    pub(crate) fn log(&self, kept: &ContainerRecord) -> String {
        let request = json!({ "command": "look", "names": [kept.name()] });
        let found = self.run(kept.name(), &request, &mut |_| {});
        let log = found.ok().and_then(|found| Some(found["log"].as_str()?.trim_end().to_owned())).unwrap_or_default();
        log.lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
    }

    /// Stops the container; whether it ran.
    pub(crate) fn stop(&self, kept: &ContainerRecord) -> Result<bool, Error> {
        let request = json!({ "command": "stop", "names": [kept.name()], "seconds": STOP_LIMIT.as_secs() });
        let found = self.run(kept.name(), &request, &mut |_| {})?;
        Ok(found["done"] == "stopped")
    }

    /// Removes the container; whether there was one. What is in its volume stays.
    pub(crate) fn remove(&self, kept: &ContainerRecord) -> Result<bool, Error> {
        let request = json!({ "command": "remove", "names": [kept.name()], "volumes": [], "lock": kept.lock_file() });
        let found = self.run(kept.name(), &request, &mut |_| {})?;
        Ok(found["done"] == "removed")
    }

    /// Removes the volume of the data, which no container may use any more. None there is fine.
    pub(crate) fn remove_volume(&self, kept: &ContainerRecord) -> Result<(), Error> {
        let volumes: Vec<&String> = kept.volume.iter().collect();
        let request = json!({ "command": "remove", "names": [], "volumes": volumes, "lock": kept.lock_file() });
        self.run(kept.name(), &request, &mut |_| {}).map(|_| ())
    }

    fn ask(&self, request: &Value, say: Say<'_>) -> Result<Value, Error> {
        let failed = |words: String| Error::Helper(format!("({}) {words}", self.program.display()));
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
        let lines = child.stderr.take().map(lines);
        let mut said = String::new();
        let is_silent = loop {
            match lines.as_ref().map(|lines| lines.recv_timeout(SILENCE)) {
                Some(Ok(line)) => {
                    say(&line);
                    said = line;
                }
                Some(Err(RecvTimeoutError::Timeout)) => break true,
                None | Some(Err(RecvTimeoutError::Disconnected)) => break false,
            }
        };
        if is_silent {
            let _ = child.kill();
        }
        let status = child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        let status = if is_silent { format!("no progress for {} s", SILENCE.as_secs()) } else { status };
        let answer = stdout.and_then(|reader| reader.join().ok()).unwrap_or_default();
        serde_json::from_str(&answer).map_err(|_| failed(format!("gave no answer ({status}); it said: {said}")))
    }
}

/// The lines of a pipe, as they come.
fn lines(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(pipe).lines().map_while(Result::ok);
        lines.filter(|line| !line.trim().is_empty()).try_for_each(|line| sender.send(line))
    });
    receiver
}

/// Reads a pipe to its end, beside what else goes on.
fn read(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;
    use crate::local::process::write_script;

    #[test]
    fn what_the_helper_says_is_heard_while_it_works() {
        let directory = env::temp_dir().join(format!("pg-server-helper-{}", process::id()));
        fs::create_dir(&directory).unwrap();
        let heard = directory.join("heard");
        let program = directory.join("helper");
        let script = format!(
            "#!/bin/sh\ncat >/dev/null\necho working >&2\nlooks=0\n\
             while [ ! -e {0} ] && [ $looks -lt 3000 ]; do sleep 0.01; looks=$((looks + 1)); done\n\
             [ -e {0} ] && echo '{{\"path\": \"'$PATH'\"}}'\n",
            heard.display()
        );
        write_script(&program, &script);
        let path = "/usr/bin:/bin:/of/the/helpers";
        let helper = Helper { program, environment: vec![("PATH", path.into())] };
        let answer = helper.ask(&json!({}), &mut |line| {
            assert_eq!(line, "working");
            fs::write(&heard, "").unwrap();
        });
        assert_eq!(answer.unwrap()["path"], path);
        fs::remove_dir_all(directory).unwrap();
    }
}
