//! One question to an engine, and its answer, with a bound on every wait.
//!
//! HTTP/1.0 without keep-alive: the answer ends where the connection does, and is never sent in chunks.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::Path,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustls::{ClientConnection, StreamOwned};
use serde_json::Value;

use super::{endpoint::Endpoint, text::clean, tls};

/// Who sends more than this in one line, or in an error, is no engine.
const LONGEST: u64 = 64 * 1024;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) method: &'static str,
    /// The path and the query, encoded.
    pub(super) path: &'a str,
    /// The value of `X-Registry-Auth`.
    pub(super) credentials: Option<&'a str>,
}

/// How long the asker waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) connect: Duration,
    /// Between two pieces of the answer.
    pub(super) silence: Duration,
    /// From the question to the end of the answer.
    pub(super) total: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The system did not connect us.
    Connect(io::Error),
    /// Nor did it say why.
    ConnectTimeout(Duration),
    /// We were connected, and heard nothing.
    Silent(Duration),
    /// The connection ended too early.
    Broken(io::Error),
    /// Something else than HTTP was said.
    NoHttp(String),
}

/// An answer, whose body is still to be read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The status line's own words for it.
    phrase: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    body: BufReader<Bounded>,
}

/// Asks, and reads as far as the body.
pub(super) fn ask(
    endpoint: &Endpoint,
    certificates: Option<&Path>,
    question: &Question<'_>,
    bounds: Bounds,
) -> Result<Answer, Trouble> {
    let mut socket = connect(endpoint, certificates, bounds.connect)?;
    let end = Instant::now() + bounds.total;
    // A TLS handshake reads before the question is written.
    let bounded = socket.set_write_timeout(bounds.silence).and_then(|()| socket.set_read_timeout(bounds.silence));
    let written = bounded.and_then(|()| socket.write_all(question.text().as_bytes())).and_then(|()| socket.flush());
    let mut body = BufReader::new(Bounded { socket, silence: bounds.silence, end });
    // Who refuses may answer before the question is read: what was said counts, then how writing failed.
    head(&mut body, bounds)
        .map_err(|trouble| match (written, trouble) {
            (Err(error), Trouble::Broken(_)) => Trouble::Broken(error),
            (_, trouble) => trouble,
        })
        .map(|(status, phrase, headers)| Answer { status, phrase, headers, body })
}

/// Connects within a time; over TLS where there are certificates for it.
///
/// Neither the look-up of a name nor a socket with a full queue knows a bound. So a thread waits for
/// them, and is left behind if it has to.
fn connect(endpoint: &Endpoint, certificates: Option<&Path>, within: Duration) -> Result<Box<dyn Socket>, Trouble> {
    let (sender, receiver) = mpsc::channel();
    let (endpoint, certificates) = (endpoint.clone(), certificates.map(Path::to_owned));
    thread::spawn(move || {
        let socket: io::Result<Box<dyn Socket>> = match endpoint {
            Endpoint::Unix(path) => UnixStream::connect(path).map(|socket| Box::new(socket) as _),
            Endpoint::Tcp { host, port } => {
                TcpStream::connect((host.as_str(), port)).and_then(|socket| match certificates {
                    Some(directory) => Ok(Box::new(tls::over(socket, &host, &directory)?) as _),
                    None => Ok(Box::new(socket) as _),
                })
            }
        };
        // Nobody listens any more if it took too long.
        let _ = sender.send(socket);
    });
    match receiver.recv_timeout(within) {
        Ok(socket) => socket.map_err(Trouble::Connect),
        Err(_) => Err(Trouble::ConnectTimeout(within)),
    }
}

impl<'a> Question<'a> {
    pub(super) fn get(path: &'a str) -> Self {
        Self { method: "GET", path, credentials: None }
    }

    fn text(&self) -> String {
        let Self { method, path, .. } = self;
        let credentials = self.credentials.map(|value| format!("X-Registry-Auth: {value}\r\n")).unwrap_or_default();
        format!(
            "{method} {path} HTTP/1.0\r\nHost: docker\r\nConnection: close\r\n{credentials}Content-Length: 0\r\n\r\n"
        )
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The status and what the body says about it, on one line.
    pub(super) fn words(&mut self) -> String {
        let rest = self.rest();
        self.status_and(&rest)
    }

    /// An engine's words about its refusal; the status if it has none.
    pub(super) fn message(&mut self) -> String {
        let rest = self.rest();
        let json: Option<Value> = serde_json::from_str(&rest).ok();
        match json.as_ref().and_then(|json| json.get("message")?.as_str()) {
            Some(message) => clean(message),
            None => self.status_and(&rest),
        }
    }

    fn status_and(&self, text: &str) -> String {
        let words = clean(text);
        let status = format!("HTTP {} {}", self.status, self.phrase).trim_end().to_owned();
        // A page for a browser says no more than the status.
        if words.is_empty() || words.starts_with('<') { status } else { format!("{status}: {words}") }
    }

    /// What is left of the body, as far as it comes.
    pub(super) fn rest(&mut self) -> String {
        let mut body = Vec::new();
        // What came before an end too early is worth telling.
        let _ = (&mut self.body).take(LONGEST).read_to_end(&mut body);
        String::from_utf8_lossy(&body).into_owned()
    }

    /// The body's next line, none at its end.
    pub(super) fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let line = line(&mut self.body)?;
        Ok((!line.is_empty()).then_some(line))
    }
}

/// A connection.
trait Socket: Read + Write + Send + std::fmt::Debug {
    fn set_read_timeout(&self, timeout: Duration) -> io::Result<()>;
    fn set_write_timeout(&self, timeout: Duration) -> io::Result<()>;
}

impl Socket for UnixStream {
    fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        Self::set_read_timeout(self, Some(timeout))
    }

    fn set_write_timeout(&self, timeout: Duration) -> io::Result<()> {
        Self::set_write_timeout(self, Some(timeout))
    }
}

impl Socket for TcpStream {
    fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        Self::set_read_timeout(self, Some(timeout))
    }

    fn set_write_timeout(&self, timeout: Duration) -> io::Result<()> {
        Self::set_write_timeout(self, Some(timeout))
    }
}

impl Socket for StreamOwned<ClientConnection, TcpStream> {
    fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.sock.set_read_timeout(Some(timeout))
    }

    fn set_write_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.sock.set_write_timeout(Some(timeout))
    }
}

/// A connection on which no wait is longer than agreed.
#[derive(Debug)]
struct Bounded {
    socket: Box<dyn Socket>,
    silence: Duration,
    end: Instant,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.socket.set_read_timeout(self.silence.min(left))?;
        match self.socket.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::TimedOut.into()),
            read => read,
        }
    }
}

type Head = (u16, String, Vec<(String, String)>);

fn head(body: &mut BufReader<Bounded>, bounds: Bounds) -> Result<Head, Trouble> {
    let mut first = Vec::new();
    let read = body.take(LONGEST).read_until(b'\n', &mut first);
    let first = String::from_utf8_lossy(&first).into_owned();
    if !first.is_empty() && !first.starts_with("HTTP/") {
        return Err(Trouble::NoHttp(clean(&first)));
    }
    let trouble = |error: io::Error| match error.kind() {
        io::ErrorKind::TimedOut => Trouble::Silent(bounds.silence.min(bounds.total)),
        _ => Trouble::Broken(error),
    };
    read.map_err(trouble)?;
    if first.is_empty() {
        return Err(Trouble::Broken(io::ErrorKind::UnexpectedEof.into()));
    }
    let mut words = first.trim_end().splitn(3, ' ').skip(1);
    let Some(status) = words.next().and_then(|status| status.parse().ok()) else {
        return Err(Trouble::NoHttp(clean(&first)));
    };
    let phrase = clean(words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let line = line(body).map_err(trouble)?;
        let line = String::from_utf8_lossy(&line);
        match line.trim_end().split_once(':') {
            Some((name, value)) if headers.len() < 100 => {
                headers.push((name.to_ascii_lowercase(), clean(value)));
            }
            Some(_) => return Err(Trouble::NoHttp(clean(&first))),
            None => return Ok((status, phrase, headers)),
        }
    }
}

/// The next line with its end; nothing at the end of all.
fn line(body: &mut BufReader<Bounded>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    body.take(LONGEST).read_until(b'\n', &mut line)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use std::net::{Shutdown, TcpListener};

    use super::*;

    #[test]
    fn a_question() {
        let question = Question { method: "POST", path: "/images/create?fromImage=a", credentials: Some("e30=") };
        assert_eq!(
            question.text(),
            "POST /images/create?fromImage=a HTTP/1.0\r\nHost: docker\r\nConnection: close\r\n\
             X-Registry-Auth: e30=\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn over_tcp_too() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Endpoint::Tcp { host: "localhost".into(), port: listener.local_addr().unwrap().port() };
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"HTTP/1.1 201 Created\r\nA: b:c\r\n\r\none\r\ntwo").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            stream.read_to_end(&mut Vec::new()).unwrap();
        });
        let second = Duration::from_secs(1);
        let bounds = Bounds { connect: second, silence: second, total: second };
        let mut answer = ask(&endpoint, None, &Question::get("/"), bounds).unwrap();
        assert_eq!((answer.status, answer.header("a")), (201, Some("b:c")));
        assert_eq!(answer.line().unwrap().as_deref(), Some(&b"one\r\n"[..]));
        assert_eq!(answer.line().unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!(answer.line().unwrap(), None);
        drop(answer);
        server.join().unwrap();
    }
}
