//! The Docker or Podman engine that would run a container: which one, whether it answers, whether it has
//! the image.
//!
//! It is asked by hand, over its HTTP API, so that within five seconds it is known whether building the
//! helper that starts containers is worth while. Which engine is meant is decided as the docker command
//! does: `DOCKER_HOST`, else `DOCKER_CONTEXT`, else the current context, and then that one and no other;
//! else the first that answers of the usual sockets.

mod container;
mod context;
mod credentials;
mod endpoint;
#[cfg(test)]
mod fake;
mod http;
mod image;
mod look;
mod named;
mod progress;
mod pull;
mod target;
mod text;
mod tls;
mod usual;

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use thiserror::Error;

pub(crate) use self::container::Seen;
use self::{
    endpoint::{Endpoint, PLAIN_PORT},
    http::{Answer, Bounds, Question},
    target::{Naming, Target},
};
use crate::Say;

/// What the environment says of engines. An empty value is none.
#[derive(Clone, Debug, Default)]
pub struct EngineSettings {
    /// `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub docker_context: Option<String>,
    /// `DOCKER_CONFIG`, a directory; without it `~/.docker`.
    pub docker_config: Option<PathBuf>,
    /// `DOCKER_TLS_VERIFY`: any value, even `0`, means TLS.
    pub tls_verify: Option<String>,
    /// `DOCKER_CERT_PATH`, a directory; without it the one of `DOCKER_CONFIG`.
    pub cert_path: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `REGISTRY_AUTH_FILE`: Podman's logins to registries.
    pub registry_auth_file: Option<PathBuf>,
    /// `PATH`, with the credential helpers.
    pub path: Option<OsString>,
}

/// An engine that answered. `Display` says which, where, and who named it.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    target: Target,
    /// What it calls itself, such as `Docker 20.10.24`.
    program: String,
    /// Where the logins to registries are.
    settings: EngineSettings,
    limits: Limits,
}

/// No engine, or one that does not do what it is asked: one line, and below it what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}\n  help: {remedy}")]
pub struct EngineError {
    /// What was tried, and what the system or the engine said.
    pub reason: String,
    /// What to do.
    pub remedy: String,
    /// Whether it is certain that nothing runs there: nobody listens at its socket.
    pub(crate) is_absent: bool,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// To connect, with the look-up of the name.
    connect: Duration,
    /// To answer a question about what is.
    answer: Duration,
    /// To find an engine, however many places there are.
    find: Duration,
    /// Between two words of an engine that pulls.
    silence: Duration,
    /// To pull an image.
    pull: Duration,
    /// Between two lines that tell of a pull.
    report: Duration,
}

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(2),
    answer: Duration::from_secs(3),
    find: Duration::from_secs(5),
    silence: Duration::from_secs(20),
    pull: Duration::from_secs(15 * 60),
    report: Duration::from_secs(2),
};

/// The host of an engine that [`Engine::docker_host`] named, if that is another than this one.
pub(crate) fn remote_host(docker_host: &str) -> Option<String> {
    Endpoint::parse(docker_host, PLAIN_PORT).ok()?.remote_host().map(str::to_owned)
}

/// The command that speaks to the engine that [`Engine::docker_host`] named, whether it answers or not.
pub(crate) fn client(docker_host: &str) -> String {
    match docker_host {
        "unix:///var/run/docker.sock" => "docker".to_owned(),
        podman if podman.contains("podman") => format!("podman --url {podman}"),
        other => format!("docker -H {other}"),
    }
}

impl Engine {
    /// The engine that is meant, if it answers: within five seconds.
    pub(crate) fn find(settings: &EngineSettings) -> Result<Self, EngineError> {
        match named::named(settings)? {
            Some(target) => Self::look(target, settings, LIMITS),
            None => usual::first_that_answers(&usual::places(settings), settings, LIMITS),
        }
    }

    /// The engine that [`Engine::docker_host`] named, whatever is meant now.
    pub(crate) fn at(docker_host: &str, settings: &EngineSettings) -> Result<Self, EngineError> {
        // TLS files are not part of the address: they are the settings', if these still mean this engine.
        let named = named::named(settings).ok().flatten().filter(|named| named.endpoint.to_string() == docker_host);
        let target = match named {
            Some(target) => target,
            None => Target {
                endpoint: Endpoint::parse(docker_host, PLAIN_PORT)
                    .map_err(|error| error.of(&Naming::Recorded.subject(docker_host)))?,
                tls: None,
                naming: Naming::Recorded,
            },
        };
        Self::look(target, settings, LIMITS)
    }

    /// Its address in the form that `DOCKER_HOST` has.
    pub(crate) fn docker_host(&self) -> String {
        self.target.endpoint.to_string()
    }

    /// The command that speaks to this engine and to no other.
    pub(crate) fn client(&self) -> String {
        match self.target.naming {
            _ if self.program.starts_with("Podman") => format!("podman --url {}", self.docker_host()),
            Naming::DockerHost | Naming::ContextVariable(_) | Naming::CurrentContext(_) => "docker".to_owned(),
            Naming::Usual | Naming::Recorded => client(&self.docker_host()),
        }
    }

    /// What a program that finds engines by the environment must be given to find this one; what has no
    /// value must be unset.
    pub(crate) fn environment(&self) -> [(&'static str, Option<OsString>); 4] {
        let tls = self.target.tls.as_ref();
        [
            ("DOCKER_HOST", Some(self.docker_host().into())),
            ("DOCKER_CONTEXT", None),
            ("DOCKER_TLS_VERIFY", tls.map(|_| "1".into())),
            ("DOCKER_CERT_PATH", tls.map(|directory| directory.clone().into())),
        ]
    }

    /// The host at which published ports are reached, if that is another than this one.
    pub(crate) fn remote_host(&self) -> Option<&str> {
        self.target.endpoint.remote_host()
    }

    /// Whether it has the image.
    pub(crate) fn has_image(&self, image: &str) -> Result<bool, EngineError> {
        let mut answer = self.ask(&format!("/images/{}/json", image::encode(image)))?;
        match answer.status {
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(EngineError::new(
                format!("{self} does not say whether it has the image {image:?}: {}", answer.message()),
                "look at the image's name",
            )),
        }
    }

    /// Pulls the image, with a line at once and then one every two seconds at most.
    ///
    /// It takes the logins of `docker login` and `podman login`, and their credential helpers.
    pub(crate) fn pull(&self, image: &str, say: Say<'_>) -> Result<(), EngineError> {
        pull::pull(self, image, say)
    }

    fn look(target: Target, settings: &EngineSettings, limits: Limits) -> Result<Self, EngineError> {
        let program = look::look(&target, limits)?;
        Ok(Self { target, program, settings: settings.clone(), limits })
    }

    /// Asks what is.
    fn ask(&self, path: &str) -> Result<Answer, EngineError> {
        let answer = self.target.ask(&Question::get(path), self.limits.to_answer());
        answer.map_err(|trouble| self.target.error(trouble))
    }
}

impl EngineSettings {
    /// The directory of `config.json` and the contexts.
    fn config(&self) -> Option<PathBuf> {
        set(self.docker_config.as_deref()).or_else(|| Some(set(self.home.as_deref())?.join(".docker")))
    }
}

impl EngineError {
    fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { reason: reason.into(), remedy: remedy.into(), is_absent: false }
    }

    /// Its reason is a predicate, such as "is no address": this is the subject.
    fn of(self, subject: &str) -> Self {
        Self { reason: format!("{subject}, and {}", self.reason), ..self }
    }
}

impl Limits {
    fn to_answer(self) -> Bounds {
        Bounds { connect: self.connect, silence: self.answer, total: self.answer }
    }

    fn to_pull(self) -> Bounds {
        Bounds { connect: self.connect, silence: self.silence, total: self.pull }
    }

    /// None longer than the time that is left.
    fn within(self, left: Duration) -> Self {
        Self { connect: self.connect.min(left), answer: self.answer.min(left), ..self }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} ({})", self.program, self.target.endpoint, self.target.naming)
    }
}

fn set(path: Option<&Path>) -> Option<PathBuf> {
    path.filter(|path| !path.as_os_str().is_empty()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::engine::fake::{Act, Fake, real_engine};

    /// Shorter than a person waits, longer than a busy machine needs.
    pub(super) const SHORT: Limits = Limits {
        connect: Duration::from_millis(500),
        answer: Duration::from_millis(300),
        find: Duration::from_secs(2),
        silence: Duration::from_millis(300),
        pull: Duration::from_secs(10),
        report: Duration::ZERO,
    };

    pub(super) const PONG: &str = "HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\nServer: Docker/27.1 (linux)\r\n\r\nOK";

    #[test]
    fn images_of_a_fake() {
        let no_such = "HTTP/1.0 404 Not Found\r\n\r\n{\"message\":\"No such image: x\"}";
        let ill = "HTTP/1.0 500 Internal Server Error\r\n\r\n{\"message\":\"the \\u001b[31mdisk\\nis full\"}";
        let fake = Fake::start("images", vec![vec![Act::Say(PONG)], vec![Act::Say(no_such)], vec![Act::Say(ill)]]);
        let engine = usual::first_that_answers(&[fake.socket().to_owned()], &EngineSettings::default(), SHORT).unwrap();
        assert!(!engine.has_image("registry:5000/a b:1").unwrap());
        let error = engine.has_image("x").unwrap_err().to_string();
        assert_data_eq!(
            error.replace(&fake.socket().display().to_string(), "SOCKET"),
            str![[r#"
Docker 27.1 at unix://SOCKET (its usual place) does not say whether it has the image "x": the [31mdisk is full
  help: look at the image's name
"#]]
        );
        assert!(
            fake.heard()[1].starts_with("GET /images/registry:5000/a%20b:1/json HTTP/1.0\r\n"),
            "{:?}",
            fake.heard()
        );
    }

    #[test]
    fn the_real_engine() {
        let Some(settings) = real_engine() else { return };
        let engine = Engine::find(&settings).unwrap();
        println!("{engine}");
        assert!(!engine.has_image("pg-server.invalid/none:1").unwrap());
        let digest = format!("pg-server.invalid/none@sha256:{}", "0".repeat(64));
        assert!(!engine.has_image(&digest).unwrap());
        let error = engine.has_image("No Name").unwrap_err();
        assert!(error.reason.contains("invalid reference format"), "{error}");

        let again = Engine::at(&engine.docker_host(), &settings).unwrap();
        assert_eq!(again.docker_host(), engine.docker_host());
        let named = EngineSettings { docker_host: Some(engine.docker_host()), ..EngineSettings::default() };
        assert!(Engine::find(&named).unwrap().to_string().ends_with("(named by DOCKER_HOST)"));
    }

    #[test]
    fn an_engine_of_the_past_is_gone() {
        let words = ["unix:///nowhere/docker.sock", "nonsense://"]
            .map(|address| Engine::at(address, &EngineSettings::default()).unwrap_err().to_string());
        assert_data_eq!(
            words.join("\n"),
            str![[r#"
the engine used last time is unix:///nowhere/docker.sock, and there is no such socket
  help: start it: systemctl --user start docker
the engine used last time is nonsense://, and that is not a valid address of an engine
  help: the forms are unix:///path and tcp://host:port
"#]]
        );
    }
}
