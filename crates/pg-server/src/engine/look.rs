//! Whether an engine answers, and what is wrong if it does not.

use std::{io::ErrorKind, path::Path};

use super::{
    EngineError, Limits,
    endpoint::Endpoint,
    http::{Answer, Question, Trouble},
    target::{Naming, Target},
    text::clean,
    tls,
};

/// Asks the engine whether it is one: what it calls itself.
pub(super) fn look(target: &Target, limits: Limits) -> Result<String, EngineError> {
    let answer = target.ask(&Question::get("/_ping"), limits.to_answer());
    let mut answer = answer.map_err(|trouble| target.error(trouble))?;
    match (answer.status, answer.header("api-version")) {
        (200, Some(_)) => Ok(program(&answer)),
        (500.., _) => Err(target.says(&format!("it is not well: {}", answer.message()), "restart that engine")),
        _ => {
            let words = answer.words();
            let remedy = if words.contains("HTTPS") {
                "it speaks TLS only: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or make a context with them"
            } else {
                target.naming.choose_another()
            };
            Err(target.says(&format!("what answers there is no Docker engine: {words}"), remedy))
        }
    }
}

/// `Docker/20.10.24+dfsg1 (linux)` is Docker 20.10.24+dfsg1.
fn program(answer: &Answer) -> String {
    let server = answer.header("server").and_then(|server| server.split(' ').next()).unwrap_or_default();
    match server.split_once('/') {
        Some(("Libpod", version)) => format!("Podman {version}"),
        Some((name, version)) => format!("{name} {version}"),
        None => "an engine".to_owned(),
    }
}

impl Target {
    /// What is wrong with it.
    pub(super) fn error(&self, trouble: Trouble) -> EngineError {
        let socket = matches!(self.endpoint, Endpoint::Unix(_));
        match trouble {
            Trouble::Connect(error) => match error.kind() {
                ErrorKind::NotFound if socket => {
                    EngineError { is_absent: true, ..self.says("there is no such socket", &self.start()) }
                }
                ErrorKind::ConnectionRefused if socket => EngineError {
                    is_absent: true,
                    ..self.says("nothing listens there: the engine is stopped", &self.start())
                },
                ErrorKind::ConnectionRefused => self.says("nothing listens there", &self.start()),
                ErrorKind::PermissionDenied => self.says("this user may not use it: permission denied", self.permit()),
                _ => self.says(&format!("it cannot be reached: {}", clean(&error.to_string())), &self.start()),
            },
            Trouble::ConnectTimeout(waited) => {
                self.says(&format!("it accepts no connection within {:.1} s", waited.as_secs_f64()), &self.start())
            }
            Trouble::Silent(waited) => self.says(
                &format!("it accepts connections and does not answer within {:.1} s", waited.as_secs_f64()),
                "restart that engine",
            ),
            Trouble::Broken(error) if tls::is_failure(&error) => {
                let directory = self.tls.clone().unwrap_or_default();
                let remedy = format!("see ca.pem, cert.pem and key.pem in {}", directory.display());
                self.says(&format!("TLS fails: {}", clean(&error.to_string())), &remedy)
            }
            Trouble::Broken(error) if error.kind() == ErrorKind::UnexpectedEof => {
                self.says("it ends the connection without an answer", self.naming.choose_another())
            }
            Trouble::Broken(error) => {
                self.says(&format!("the connection broke: {}", clean(&error.to_string())), "restart that engine")
            }
            Trouble::NoHttp(words) => self.says(
                &format!("what answers there is no Docker engine: it says {words:?}"),
                self.naming.choose_another(),
            ),
        }
    }

    fn says(&self, predicate: &str, remedy: &str) -> EngineError {
        EngineError::new(predicate, remedy).of(&self.naming.subject(&self.endpoint.to_string()))
    }

    fn start(&self) -> String {
        match (&self.naming, &self.endpoint) {
            (Naming::Usual | Naming::Recorded, Endpoint::Unix(path)) => format!("start it: {}", start_command(path)),
            (Naming::Usual | Naming::Recorded, _) => "start that engine".to_owned(),
            (naming, _) => format!("start that engine, or {}", naming.choose_another()),
        }
    }

    fn permit(&self) -> &'static str {
        match &self.endpoint {
            Endpoint::Unix(path) if is_podman(path) => "use Podman without root: systemctl --user start podman.socket",
            _ => "join the group docker, and log in again: sudo usermod -aG docker $USER",
        }
    }
}

impl Naming {
    fn choose_another(&self) -> &'static str {
        match self {
            Self::DockerHost => "set DOCKER_HOST to an engine's address, or unset it",
            Self::ContextVariable(_) => "set DOCKER_CONTEXT to another context, or unset it",
            Self::CurrentContext(_) => "choose another context: docker context use default",
            Self::Usual | Self::Recorded => "see what listens there",
        }
    }
}

fn is_podman(path: &Path) -> bool {
    path.ends_with("podman.sock")
}

fn start_command(path: &Path) -> &'static str {
    let holds = |part: &str| path.iter().any(|here| here == part);
    match () {
        () if is_podman(path) && holds("machine") => "podman machine start",
        () if is_podman(path) && path.starts_with("/run/podman") => "sudo systemctl start podman.socket",
        () if is_podman(path) => "systemctl --user start podman.socket",
        () if holds(".docker") || cfg!(target_os = "macos") => "Docker Desktop",
        () if path.starts_with("/var/run") => "sudo systemctl start docker",
        () => "systemctl --user start docker",
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, net::TcpListener, os::unix::net::UnixListener, path::PathBuf};

    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::engine::{
        EngineSettings,
        fake::{Act, Fake},
        named,
        tests::SHORT,
    };

    fn host(docker_host: &str) -> Target {
        let settings = EngineSettings { docker_host: Some(docker_host.to_owned()), ..EngineSettings::default() };
        named::named(&settings).unwrap().unwrap()
    }

    /// What is said of an engine, without its address.
    fn said(name: &str, acts: Vec<Act>) -> String {
        let fake = Fake::start(name, vec![acts]);
        let address = format!("unix://{}", fake.socket().display());
        let error = look(&host(&address), SHORT).unwrap_err().to_string();
        error.replace(&address, "X")
    }

    #[test]
    fn what_an_engine_calls_itself() {
        for (server, expected) in [
            ("Server: Docker/27.1.2 (linux)\r\n", "Docker 27.1.2"),
            ("SERVER:Libpod/5.2.0 (linux)\r\n", "Podman 5.2.0"),
            ("", "an engine"),
        ] {
            let pong = format!("HTTP/1.1 200 OK\r\nAPI-Version: 1.41\r\n{server}\r\nOK");
            let fake = Fake::start("itself", vec![vec![Act::Text(pong)]]);
            let found = look(&host(&format!("unix://{}", fake.socket().display())), SHORT).unwrap();
            assert_eq!(found, expected);
            assert_eq!(
                fake.heard(),
                ["GET /_ping HTTP/1.0\r\nHost: docker\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"]
            );
        }
    }

    #[test]
    fn an_engine_that_misbehaves() {
        let half = vec![Act::Say("HTTP/1.0 200 OK\r\nApi-"), Act::Stall];
        let paused = "HTTP/1.1 503 Service Unavailable\r\n\r\nDocker Desktop is paused\r\n";
        let words = [
            said("stall", vec![Act::Stall]),
            said("half", half),
            said("deaf", vec![]),
            said("ill", vec![Act::Say(paused)]),
        ];
        assert_data_eq!(
            words.join("\n"),
            str![[r#"
DOCKER_HOST is X, and it accepts connections and does not answer within 0.3 s
  help: restart that engine
DOCKER_HOST is X, and it accepts connections and does not answer within 0.3 s
  help: restart that engine
DOCKER_HOST is X, and it ends the connection without an answer
  help: set DOCKER_HOST to an engine's address, or unset it
DOCKER_HOST is X, and it is not well: HTTP 503 Service Unavailable: Docker Desktop is paused
  help: restart that engine
"#]]
        );
    }

    #[test]
    fn what_is_no_engine() {
        let nginx = "HTTP/1.1 404 Not Found\r\nServer: nginx\r\n\r\n<html>\u{1b}[2J404</html>";
        let tls = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
        let words = [
            said("nginx", vec![Act::Say(nginx)]),
            said("page", vec![Act::Say("HTTP/1.1 200 OK\r\n\r\nOK")]),
            said("ssh", vec![Act::Say("SSH-2.0-OpenSSH_9\r\n"), Act::Stall]),
            // It says no whole line, and waits.
            said("mysql", vec![Act::Say("SSH-2.0-OpenSSH_9"), Act::Stall]),
            said("status", vec![Act::Say("HTTP/1.1 fine\r\n\r\n")]),
            said("tls", vec![Act::Say(tls)]),
        ];
        assert_data_eq!(
            words.join("\n"),
            str![[r#"
DOCKER_HOST is X, and what answers there is no Docker engine: HTTP 404 Not Found
  help: set DOCKER_HOST to an engine's address, or unset it
DOCKER_HOST is X, and what answers there is no Docker engine: HTTP 200 OK: OK
  help: set DOCKER_HOST to an engine's address, or unset it
DOCKER_HOST is X, and what answers there is no Docker engine: it says "SSH-2.0-OpenSSH_9"
  help: set DOCKER_HOST to an engine's address, or unset it
DOCKER_HOST is X, and what answers there is no Docker engine: it says "SSH-2.0-OpenSSH_9"
  help: set DOCKER_HOST to an engine's address, or unset it
DOCKER_HOST is X, and what answers there is no Docker engine: it says "HTTP/1.1 fine"
  help: set DOCKER_HOST to an engine's address, or unset it
DOCKER_HOST is X, and what answers there is no Docker engine: HTTP 400 Bad Request: Client sent an HTTP request to an HTTPS server.
  help: it speaks TLS only: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or make a context with them
"#]]
        );
    }

    #[test]
    fn without_end() {
        let many = "X: y\r\n".repeat(5000);
        let words = [
            said("headers", vec![Act::Text(format!("HTTP/1.0 200 OK\r\n{many}"))]),
            said("garbage", vec![Act::Text("x".repeat(100_000))]),
        ];
        assert_data_eq!(
            words.join("\n"),
            str![[r#"
DOCKER_HOST is X, and what answers there is no Docker engine: it says "HTTP/1.0 200 OK"
  help: set DOCKER_HOST to an engine's address, or unset it
DOCKER_HOST is X, and what answers there is no Docker engine: it says "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"
  help: set DOCKER_HOST to an engine's address, or unset it
"#]]
        );
    }

    #[test]
    fn nobody_there() {
        let directory = Fake::directory("nobody");
        let stale = directory.join("docker.sock");
        drop(UnixListener::bind(&stale).unwrap());
        let file = directory.join("file");
        fs::write(&file, "").unwrap();
        let long = format!("/{}", "x".repeat(200));
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let addresses = [
            format!("unix://{}", stale.display()),
            format!("unix://{}", file.display()),
            format!("unix://{long}"),
            format!("tcp://{closed}"),
        ];
        let words = addresses.map(|address| {
            let error = look(&host(&address), SHORT).unwrap_err().to_string();
            error
                .replace(&directory.display().to_string(), "DIR")
                .replace(&long, "LONG")
                .replace(&closed.to_string(), "CLOSED")
        });
        assert_data_eq!(
            words.join("\n"),
            str![[r#"
DOCKER_HOST is unix://DIR/docker.sock, and nothing listens there: the engine is stopped
  help: start that engine, or set DOCKER_HOST to an engine's address, or unset it
DOCKER_HOST is unix://DIR/file, and nothing listens there: the engine is stopped
  help: start that engine, or set DOCKER_HOST to an engine's address, or unset it
DOCKER_HOST is unix://LONG, and it cannot be reached: path must be shorter than SUN_LEN
  help: start that engine, or set DOCKER_HOST to an engine's address, or unset it
DOCKER_HOST is tcp://CLOSED, and nothing listens there
  help: start that engine, or set DOCKER_HOST to an engine's address, or unset it
"#]]
        );
        // What there is no such name by depends on the network.
        look(&host("tcp://pg-server.invalid"), SHORT).unwrap_err();
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn permission_is_asked_for_by_group() {
        let target =
            |path: &str| Target { endpoint: Endpoint::Unix(PathBuf::from(path)), tls: None, naming: Naming::Usual };
        let denied = || Trouble::Connect(ErrorKind::PermissionDenied.into());
        let words =
            ["/var/run/docker.sock", "/run/podman/podman.sock"].map(|path| target(path).error(denied()).to_string());
        assert_data_eq!(
            words.join("\n"),
            str![[r#"
/var/run/docker.sock is there, and this user may not use it: permission denied
  help: join the group docker, and log in again: sudo usermod -aG docker $USER
/run/podman/podman.sock is there, and this user may not use it: permission denied
  help: use Podman without root: systemctl --user start podman.socket
"#]]
        );
    }

    #[test]
    fn how_each_is_started() {
        for (path, expected) in [
            ("/run/podman/podman.sock", "sudo systemctl start podman.socket"),
            ("/run/user/7/podman/podman.sock", "systemctl --user start podman.socket"),
            ("/h/.local/share/containers/podman/machine/podman.sock", "podman machine start"),
            ("/h/.docker/run/docker.sock", "Docker Desktop"),
            #[cfg(not(target_os = "macos"))]
            ("/var/run/docker.sock", "sudo systemctl start docker"),
            #[cfg(not(target_os = "macos"))]
            ("/run/user/7/docker.sock", "systemctl --user start docker"),
        ] {
            assert_eq!(start_command(Path::new(path)), expected, "{path}");
        }
    }
}
