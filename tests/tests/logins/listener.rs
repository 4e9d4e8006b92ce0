//! A program that listens where a server was, and wants its password.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What it says to whoever comes, whatever that one says.
#[derive(Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) name: &'static str,
    first: &'static [u8],
    then: &'static [u8],
}

const LET_IN: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

/// Each way to a password, or past it.
pub(crate) const ASKS: [Ask; 4] = [
    Ask { name: "clear-text", first: b"R\0\0\0\x08\0\0\0\x03", then: LET_IN },
    Ask { name: "md5", first: b"R\0\0\0\x0c\0\0\0\x05salt", then: LET_IN },
    Ask { name: "nothing", first: LET_IN, then: LET_IN },
    Ask { name: "no-proof", first: b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", then: LET_IN },
];

/// What it has heard so far, of all who came.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

/// Listens on a port of this machine until the process ends.
pub(crate) fn listen(port: u16, ask: Ask) -> Heard {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let heard = Heard::default();
    thread::spawn({
        let heard = heard.clone();
        move || {
            for stream in listener.incoming() {
                let _ = speak(stream.unwrap(), ask, &heard);
            }
        }
    });
    heard
}

fn speak(mut stream: TcpStream, ask: Ask, heard: &Heard) -> io::Result<()> {
    let mut length = [0; 4];
    loop {
        stream.read_exact(&mut length)?;
        let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap() - 4];
        stream.read_exact(&mut body)?;
        heard.0.lock().unwrap().extend(&body);
        if body.len() > 4 {
            break;
        }
        // A request for TLS.
        stream.write_all(b"N")?;
    }
    stream.write_all(ask.first)?;
    let mut bytes = [0; 1024];
    loop {
        let count = stream.read(&mut bytes)?;
        if count == 0 {
            return Ok(());
        }
        heard.0.lock().unwrap().extend(&bytes[..count]);
        stream.write_all(ask.then)?;
    }
}
