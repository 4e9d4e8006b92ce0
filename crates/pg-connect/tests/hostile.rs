//! Servers that say too much, or ask for what they must not have: no PostgreSQL would.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    error::Error as _,
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use pg_connect::{Address, ConnInfo, Parameters, connect};

/// A message: its tag, its length, its body.
fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[tag][..], &length, body].concat()
}

/// The head of a message that announces more than it is worth waiting for.
fn announced(tag: u8, length: u32) -> Vec<u8> {
    [&[tag][..], &length.to_be_bytes()].concat()
}

fn remark(tag: u8, text: &str) -> Vec<u8> {
    message(tag, format!("SNOTICE\0VNOTICE\0C00000\0M{text}\0\0").as_bytes())
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

fn let_in() -> Vec<u8> {
    message(b'R', &[0, 0, 0, 0])
}

/// What a server does: it answers the login with the first bytes, the next message with the second, and then says the
/// third again and again, until nobody listens or so many megabytes are said.
struct Hostile {
    login: Vec<u8>,
    answer: Option<Vec<u8>>,
    for_ever: Vec<u8>,
    megabytes: usize,
}

/// What each connection came to: how much was said, and what was heard after the startup packet.
struct Told {
    said: usize,
    heard: Vec<u8>,
}

impl Hostile {
    fn before_login(first: Vec<u8>, for_ever: Vec<u8>) -> Self {
        Self { login: first, answer: None, for_ever, megabytes: 32 }
    }

    fn in_answer(for_ever: Vec<u8>) -> Self {
        Self { login: [let_in(), ready()].concat(), answer: Some(Vec::new()), for_ever, megabytes: 32 }
    }

    /// Listens for ever; each connection's end is told.
    fn listen(self) -> (u16, Receiver<Told>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut told = Told { said: 0, heard: Vec::new() };
                let _ = self.speak(stream.unwrap(), &mut told);
                if sender.send(told).is_err() {
                    break;
                }
            }
        });
        (port, receiver)
    }

    fn speak(&self, mut stream: TcpStream, told: &mut Told) -> io::Result<()> {
        // The request for TLS, and the startup packet.
        while packet(&mut stream)?.len() == 4 {
            stream.write_all(b"N")?;
        }
        stream.write_all(&self.login)?;
        if let Some(answer) = &self.answer {
            told.heard.push(stream.read_exact_byte()?);
            told.heard.extend(packet(&mut stream)?);
            stream.write_all(answer)?;
        }
        while told.said < self.megabytes << 20 && !self.for_ever.is_empty() {
            stream.write_all(&self.for_ever)?;
            told.said += self.for_ever.len();
        }
        // Whoever has read all of it learns that this was all.
        if told.said > 0 {
            stream.shutdown(Shutdown::Write)?;
        }
        Read::by_ref(&mut stream).take(1 << 16).read_to_end(&mut told.heard).map(drop)
    }
}

trait Byte {
    fn read_exact_byte(&mut self) -> io::Result<u8>;
}

impl Byte for TcpStream {
    fn read_exact_byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.read_exact(&mut byte)?;
        Ok(byte[0])
    }
}

fn packet(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap() - 4];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn info(port: u16, more: &str) -> ConnInfo {
    let text = format!("postgres://app:s3cret-pw@127.0.0.1:{port}/d?connect_timeout=60{more}");
    let parameters = Parameters::parse(&text).unwrap();
    ConnInfo::new(&Address::all(&parameters).unwrap()[0], &parameters).unwrap()
}

/// What comes of a login and a query.
fn outcome(info: &ConnInfo) -> String {
    match connect(info) {
        Err(error) => error.to_string(),
        Ok(mut session) => match session.client.batch_execute("SELECT 1") {
            Err(error) => error.source().map_or_else(|| error.to_string(), ToString::to_string),
            Ok(()) => "done".to_owned(),
        },
    }
}

/// The bytes that lie between the two when one of them has closed: the buffers of both sockets.
const ON_THE_WAY: usize = 16 << 20;

#[test]
fn nobody_talks_for_ever_before_the_login() {
    let setting = |name: usize| message(b'S', format!("a{name}\0b\0").as_bytes());
    let settings = (0..1000).flat_map(setting).collect::<Vec<_>>();
    for (first, for_ever, says) in [
        (let_in(), remark(b'N', "more"), "sent more than 1 MB before the login was done"),
        (let_in(), settings, "sent more than 1 MB before the login was done"),
        (announced(b'E', 0x7fff_ffff), b"SFATAL".to_vec(), "does not speak PostgreSQL's protocol"),
        (announced(b'R', 0x4000_0000), vec![0; 4096], "does not speak PostgreSQL's protocol"),
        (announced(b'R', 3), vec![0; 4096], "does not speak PostgreSQL's protocol"),
        (announced(b'K', u32::MAX), vec![0; 4096], "does not speak PostgreSQL's protocol"),
        (b"HTTP/1.1 200 OK\r\n".to_vec(), b"<p>more</p>".to_vec(), "does not speak PostgreSQL's protocol"),
    ] {
        let (port, told) = Hostile::before_login(first, for_ever).listen();
        let error = outcome(&info(port, ""));
        assert!(error.contains(says), "{error}");
        assert!(told.recv().unwrap().said < ON_THE_WAY, "{says}: it was read on");
    }
}

#[test]
fn nobody_talks_for_ever_in_an_answer() {
    let tells = message(b'A', b"\0\0\0\x01channel\0payload\0");
    for (for_ever, says) in [
        (remark(b'N', "more"), "more than 4 MB of notices and errors in one answer"),
        (remark(b'N', &"long ".repeat(100_000)), "more than 4 MB of notices and errors in one answer"),
        (message(b'S', b"name\0value\0"), "more than 4 MB of notices and errors in one answer"),
        (tells, "more than 4 MB of notices and errors in one answer"),
        (announced(b'E', 0x2000_0000), "more than 4 MB of notices and errors in one answer"),
        (announced(b'D', 0x3fff_ffff), "more than 512 MB of rows in one answer"),
        (announced(b'T', 0x3fff_ffff), "more than 512 MB of rows in one answer"),
    ] {
        let (port, told) = Hostile::in_answer(for_ever).listen();
        let error = outcome(&info(port, ""));
        assert!(error.contains(says), "{error}");
        assert!(told.recv().unwrap().said < ON_THE_WAY, "{says}: it was read on");
    }
}

#[test]
fn an_answer_that_does_not_come_ends_the_connection() {
    let (port, told) = Hostile::in_answer(Vec::new()).listen();
    let mut session = connect(&info(port, "")).unwrap();
    let limit = Duration::from_millis(200);
    let error = session.ask(limit, |client| client.batch_execute("SELECT 1")).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "the server did not answer in time");
    let error = session.ask(limit, |client| client.batch_execute("SELECT 1")).unwrap_err();
    assert!(error.is_closed(), "{error}");
    drop(session);
    assert_eq!(told.recv().unwrap().said, 0);
}

/// What is small on the wire counts by what it takes in memory.
#[test]
fn rows_end_somewhere() {
    let nothing = [message(b'D', &[&[0x7f, 0xff][..], &[0xff; 4 * 0x7fff]].concat())].concat();
    let long = message(b'D', &[&[0, 1, 0, 8, 0, 0][..], &vec![b'x'; 8 << 16]].concat());
    for for_ever in [nothing, long] {
        let (port, _told) = Hostile { megabytes: 600, ..Hostile::in_answer(for_ever) }.listen();
        let error = outcome(&info(port, ""));
        assert!(error.contains("more than 512 MB of rows in one answer"), "{error}");
    }
}

/// No second question is asked of such a server, and nothing more is read of it.
#[test]
fn an_ended_session_stays_ended() {
    let (port, told) = Hostile::in_answer(remark(b'N', "more")).listen();
    let mut session = connect(&info(port, "")).unwrap();
    assert!(session.client.batch_execute("SELECT 1").is_err());
    assert!(session.client.batch_execute("SELECT 2").is_err());
    assert!(session.client.is_closed());
    assert!(told.recv().unwrap().said < ON_THE_WAY);
    assert!(session.take_notices().len() < 100_000);
}

#[test]
fn many_small_answers_are_no_flood() {
    let chatty = [remark(b'N', &"x".repeat(1000)).repeat(3000), message(b'C', b"DO\0"), ready()].concat();
    let listener = Hostile { answer: Some(chatty), ..Hostile::in_answer(Vec::new()) };
    let (port, _told) = listener.listen();
    let mut session = connect(&info(port, "")).unwrap();
    session.client.batch_execute("DO 'something'").unwrap();
    assert_eq!(session.take_notices().len(), 3000);
}

/// Of a login that is not accepted the server hears nothing at all.
#[test]
fn a_login_that_is_not_accepted_is_not_answered() {
    let request = |code: u8, rest: &[u8]| message(b'R', &[&[0, 0, 0, code][..], rest].concat());
    let scram = request(10, b"SCRAM-SHA-256\0\0");
    for (login, more, says) in [
        (
            request(3, b""),
            "&require_auth=scram-sha-256",
            "require_auth=scram-sha-256, and the server asks for the password in clear text",
        ),
        (request(3, b""), "&require_auth=!password", "the password in clear text"),
        (request(3, b""), "&channel_binding=require", "channel_binding=require"),
        (request(5, b"salt"), "&require_auth=scram-sha-256,none", "an MD5 hash of the password"),
        ([let_in(), ready()].concat(), "&require_auth=scram-sha-256", "the server asks for no password"),
        ([let_in(), ready()].concat(), "&require_auth=!none", "the server asks for no password"),
        (request(7, b""), "&require_auth=!gss", "the server asks for GSSAPI"),
        (request(2, b""), "&require_auth=!gss", "a login that is not known here"),
        (scram.clone(), "&require_auth=password,md5,none", "the server asks for SCRAM"),
    ] {
        let (port, told) = Hostile::before_login(login, Vec::new()).listen();
        let error = outcome(&info(port, more));
        assert!(error.contains(says) && !error.contains("s3cret"), "{more}: {error}");
        assert_eq!(told.recv().unwrap().heard, b"", "{more}");
    }
    // Whoever does not know the password has no proof, and cannot do without.
    for end in [[let_in(), ready()].concat(), request(11, b"r=x,s=AAAA,i=1")] {
        let (port, told) = Hostile { answer: Some(end), ..Hostile::before_login(scram.clone(), Vec::new()) }.listen();
        let error = outcome(&info(port, ""));
        assert!(error.contains("cannot log in"), "{error}");
        let heard = told.recv().unwrap().heard;
        assert!(heard.starts_with(b"p") && !String::from_utf8_lossy(&heard).contains("s3cret"));
    }
    // On the way back from a machine's own loopback nobody reads along.
    for (more, login) in [("", request(3, b"")), ("&require_auth=password", request(3, b""))] {
        let (port, told) = Hostile { answer: Some(let_in()), ..Hostile::before_login(login, ready()) }.listen();
        outcome(&info(port, more));
        assert!(told.recv().unwrap().heard.starts_with(b"ps3cret-pw"));
    }
}
