//! A proxy in front of a server that reads PostgreSQL's messages: a test counts them, changes them, or ends the
//! connection at one of them.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use socket2::SockRef;

/// Listens on a port of 127.0.0.1 as long as the value lives. It offers no encryption.
pub struct Proxy {
    /// Its port.
    pub port: u16,
    is_over: Arc<AtomicBool>,
}

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The program.
    Client,
    /// PostgreSQL.
    Server,
}

/// One message on its way (the manual's section "Message Formats").
pub struct Message<'a> {
    /// Which one it is of all that the proxy has read, on every connection and in both directions. The first is 1.
    pub number: u64,
    /// Which connection it is on. The first is 1.
    pub connection: u64,
    /// Who sent it.
    pub sender: Sender,
    /// Its type. The messages before a session, and the answer to a request for encryption, have none.
    pub tag: Option<u8>,
    /// All of it, with its type and length. What stands here afterwards is passed on.
    pub bytes: &'a mut Vec<u8>,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It is passed on.
    Pass,
    /// Both sides see the end of the connection.
    Close,
    /// Both sides see that the connection was reset.
    Reset,
    /// This message and all that follow on the connection are lost; it stays open.
    Stall,
}

/// Decides on each message before it is passed on. It may sleep: the sender's next message waits.
type Rule = dyn Fn(&mut Message<'_>) -> Passage + Send + Sync;

impl Proxy {
    /// Starts one in front of a server's port.
    pub fn before(server: u16, rule: impl Fn(&mut Message<'_>) -> Passage + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_over = Arc::new(AtomicBool::new(false));
        let (rule, stop): (Arc<Rule>, _) = (Arc::new(rule), is_over.clone());
        let messages = Arc::new(AtomicU64::new(0));
        thread::spawn(move || {
            for (client, number) in listener.incoming().zip(1..) {
                if stop.load(SeqCst) {
                    return;
                }
                let Ok(client) = client else { continue };
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
                    // A server that is not there refuses.
                    let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
                    continue;
                };
                // Small messages are not held back until an answer to the last one has come.
                for side in [&client, &server] {
                    side.set_nodelay(true).unwrap();
                }
                let connection = Arc::new(Connection {
                    number,
                    client,
                    server,
                    rule: rule.clone(),
                    messages: messages.clone(),
                    is_reset: AtomicBool::new(false),
                    is_stalled: AtomicBool::new(false),
                });
                connection.carry();
            }
        });
        Self { port, is_over }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.is_over.store(true, SeqCst);
        // So that it looks.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

struct Connection {
    number: u64,
    client: TcpStream,
    server: TcpStream,
    rule: Arc<Rule>,
    messages: Arc<AtomicU64>,
    is_reset: AtomicBool,
    is_stalled: AtomicBool,
}

/// What a request for a certain kind of connection has in the place of a version: for TLS and for GSSAPI.
const ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

impl Connection {
    /// Carries both directions, each by a thread of its own.
    fn carry(self: Arc<Self>) {
        for sender in [Sender::Client, Sender::Server] {
            let connection = self.clone();
            thread::spawn(move || {
                // An end of either side is no failure.
                let _ = connection.carry_from(sender);
                if !connection.is_reset.load(SeqCst) {
                    let _ = connection.other(sender).shutdown(Shutdown::Write);
                }
            });
        }
    }

    fn carry_from(&self, sender: Sender) -> io::Result<()> {
        let mut has_begun = sender == Sender::Server;
        loop {
            let tag = if has_begun { Some(self.read(sender, 1)?[0]) } else { None };
            let mut bytes: Vec<u8> = tag.into_iter().collect();
            let length = self.read(sender, 4)?;
            bytes.extend(&length);
            let rest = u32::from_be_bytes(length.try_into().unwrap()).saturating_sub(4);
            bytes.extend(self.read(sender, rest as usize)?);
            let asks_for_encryption = tag.is_none()
                && bytes.len() == 8
                && ENCRYPTION.map(u32::to_be_bytes).iter().any(|code| bytes[4..] == *code);
            if asks_for_encryption {
                // The answer is a message too, though the server is not asked.
                if self.passes(sender, tag, &mut bytes) {
                    let mut no = b"N".to_vec();
                    if self.passes(Sender::Server, None, &mut no) {
                        (&self.client).write_all(&no)?;
                    }
                }
                continue;
            }
            has_begun = true;
            if self.passes(sender, tag, &mut bytes) {
                self.other(sender).write_all(&bytes)?;
            }
        }
    }

    fn passes(&self, sender: Sender, tag: Option<u8>, bytes: &mut Vec<u8>) -> bool {
        if self.is_stalled.load(SeqCst) {
            return false;
        }
        let number = self.messages.fetch_add(1, SeqCst) + 1;
        match (self.rule)(&mut Message { number, connection: self.number, sender, tag, bytes }) {
            Passage::Pass => return true,
            Passage::Stall => self.is_stalled.store(true, SeqCst),
            Passage::Close => self.end(Shutdown::Both),
            Passage::Reset => {
                self.is_reset.store(true, SeqCst);
                for side in [&self.client, &self.server] {
                    let _ = SockRef::from(side).set_linger(Some(Duration::ZERO));
                }
                // Nothing is sent by this. Both threads end, and with the last of them the sockets.
                self.end(Shutdown::Read);
            }
        }
        false
    }

    fn end(&self, how: Shutdown) {
        for side in [&self.client, &self.server] {
            let _ = side.shutdown(how);
        }
    }

    fn read(&self, sender: Sender, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut from = if sender == Sender::Client { &self.client } else { &self.server };
        from.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn other(&self, sender: Sender) -> &TcpStream {
        if sender == Sender::Client { &self.server } else { &self.client }
    }
}
