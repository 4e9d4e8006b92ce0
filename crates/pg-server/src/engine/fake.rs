//! For tests: an engine that misbehaves as it is told, and a registry with one empty image.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use super::EngineSettings;

/// What the fake does with a connection, after it has heard a question. At the end it closes it.
pub(super) enum Act {
    Say(&'static str),
    Text(String),
    /// For a tenth of what a test waits for a word.
    Pause,
    /// Until the other side gives up.
    Stall,
}

/// A socket in a directory of its own, which goes with it.
pub(super) struct Fake {
    socket: PathBuf,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Takes as many connections as there are scripts.
    pub(super) fn start(name: &str, scripts: Vec<Vec<Act>>) -> Self {
        let socket = Self::directory(name).join("docker.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ears = Arc::clone(&heard);
        thread::spawn(move || {
            for script in scripts {
                let (stream, _) = listener.accept().unwrap();
                let question = question(&mut BufReader::new(&stream));
                ears.lock().unwrap().push(question);
                play(stream, script);
            }
        });
        Self { socket, heard }
    }

    /// A new directory; who asks for it removes it.
    pub(super) fn directory(name: &str) -> PathBuf {
        let directory = env::temp_dir().join(format!("pg-server-engine-{}-{name}", process::id()));
        fs::create_dir(&directory).unwrap();
        directory
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The questions so far.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.socket.parent().unwrap());
    }
}

/// The settings of somebody who has set nothing, on a machine where an engine runs.
pub(super) fn real_engine() -> Option<EngineSettings> {
    match UnixStream::connect("/var/run/docker.sock") {
        Ok(_) => Some(EngineSettings::default()),
        Err(error) => {
            println!("skipped: /var/run/docker.sock: {error}");
            None
        }
    }
}

/// The port of a registry at which every tag of every repository is the same image: one layer, an
/// archive of nothing.
pub(super) fn registry() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The engine tries TLS first.
            let mut first = [0];
            if stream.peek(&mut first).is_err() || !first[0].is_ascii_uppercase() {
                continue;
            }
            let question = question(&mut BufReader::new(&stream));
            let (kind, body): (_, &[u8]) = match question.split(' ').nth(1).unwrap() {
                path if path.ends_with("/v2/") => ("application/json", b"{}"),
                path if path.contains("/manifests/") => (MANIFEST_KIND, MANIFEST.as_bytes()),
                path if path.ends_with(CONFIG_DIGEST) => ("application/octet-stream", CONFIG.as_bytes()),
                _ => ("application/octet-stream", &[0; 1024]),
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
                 Docker-Content-Digest: {MANIFEST_DIGEST}\r\n\r\n",
                body.len()
            );
            let body = if question.starts_with("HEAD") { &[] } else { body };
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    port
}

const CONFIG: &str = r#"{"architecture":"amd64","config":{},"os":"linux","rootfs":{"diff_ids":["sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"],"type":"layers"}}"#;
const CONFIG_DIGEST: &str = "b367940644f28372a4fb1d12743b8778e4a837a7a49f4190b5efb6dae87d1d65";
const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":163,"digest":"sha256:b367940644f28372a4fb1d12743b8778e4a837a7a49f4190b5efb6dae87d1d65"},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar","size":1024,"digest":"sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"}]}"#;
const MANIFEST_DIGEST: &str = "sha256:253a3963ea21b971d5fcf567ae51e305b8b34644083d4257a0b3a5f6d0076f47";
const MANIFEST_KIND: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A question without a body.
fn question(reader: &mut impl BufRead) -> String {
    let mut text = String::new();
    while reader.read_line(&mut text).is_ok_and(|read| read > 2) {}
    text
}

fn play(mut stream: UnixStream, script: Vec<Act>) {
    for act in script {
        let done = match act {
            Act::Say(text) => stream.write_all(text.as_bytes()),
            Act::Text(text) => stream.write_all(text.as_bytes()),
            Act::Pause => {
                thread::sleep(Duration::from_millis(30));
                Ok(())
            }
            Act::Stall => stream.read(&mut [0]).map(|_| ()),
        };
        if done.is_err() {
            break;
        }
    }
}
