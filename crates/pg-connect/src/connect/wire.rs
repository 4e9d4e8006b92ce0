//! The bytes under the driver: by a Unix socket, in the clear or by TLS, and never unwatched.
//!
//! The driver calls this as if it were TLS of the direct kind: so each byte passes here, whatever `sslmode` says.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Instant,
};

use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::UnixStream,
    time::{Sleep, sleep_until},
};

use super::watch::{Fault, Policy, Watch};
use crate::{ConnInfo, Host, tls::Tls};

/// How one attempt stands towards TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stance {
    Clear,
    IfOffered,
    Encrypted,
}

/// Makes the connection of one attempt.
#[derive(Clone)]
pub(super) struct Wire {
    info: Arc<ConnInfo>,
    stance: Stance,
    is_network: bool,
    tls: Tls,
    end: End,
    deadline: Deadline,
}

/// Until when an answer is waited for; `None`: for as long as it takes.
#[derive(Clone, Debug, Default)]
pub(super) struct Deadline(Arc<Mutex<Option<Instant>>>);

/// Why we ended a connection, or could not make it; the driver keeps such reasons to itself.
#[derive(Clone, Debug, Default)]
pub(super) struct End(Arc<Mutex<Option<Reason>>>);

/// Why.
#[derive(Clone, Debug)]
pub(super) enum Reason {
    /// There is no way to the server, in the operating system's words.
    Unreachable(String),
    /// What came from it.
    Fault(Fault),
    /// Nothing came from it in time.
    Silence,
}

/// Where the driver connects to instead of a Unix socket: it lets nothing come between itself and one. Nobody speaks
/// there, and the port is ours for as long as the value lives.
pub(super) struct Stub(TcpListener);

impl Stub {
    /// One where the host is a Unix socket.
    pub(super) fn for_socket(info: &ConnInfo) -> io::Result<Option<Self>> {
        match info.host {
            Host::Unix(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map(Self).map(Some),
            Host::Tcp(_) | Host::At(..) => Ok(None),
        }
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl End {
    pub(super) fn reason(&self) -> Option<Reason> {
        self.0.lock().ok()?.clone()
    }

    /// Keeps the first reason, and gives it as the error that the driver hands on.
    fn because(&self, reason: Reason) -> io::Error {
        let words = match &reason {
            Reason::Unreachable(words) | Reason::Fault(Fault::Login(words)) => words.clone(),
            Reason::Fault(Fault::Excess(what)) => format!("the server {what}"),
            Reason::Silence => "the server did not answer in time".to_owned(),
        };
        if let Ok(mut kept) = self.0.lock() {
            kept.get_or_insert(reason);
        }
        io::Error::other(words)
    }
}

impl Deadline {
    pub(super) fn set(&self, deadline: Option<Instant>) {
        if let Ok(mut kept) = self.0.lock() {
            *kept = deadline;
        }
    }

    fn get(&self) -> Option<Instant> {
        *self.0.lock().ok()?
    }
}

impl Wire {
    pub(super) fn new(info: &ConnInfo, stance: Stance, is_network: bool, tls: Tls) -> Self {
        Self {
            info: Arc::new(info.clone()),
            stance,
            is_network,
            tls,
            end: End::default(),
            deadline: Deadline::default(),
        }
    }

    pub(super) fn deadline(&self) -> Deadline {
        self.deadline.clone()
    }

    pub(super) fn end(&self) -> End {
        self.end.clone()
    }

    async fn open(self, mut stream: impl Stream + 'static) -> io::Result<Watched> {
        if let Host::Unix(directory) = &self.info.host {
            drop(stream);
            let path = directory.join(format!(".s.PGSQL.{}", self.info.port));
            let socket = UnixStream::connect(path).await.map_err(|error| self.unreachable(error.to_string()))?;
            return Ok(self.watched(socket, None));
        }
        let is_direct = self.info.more.get("sslnegotiation") == Some("direct");
        let is_offered = match self.stance {
            Stance::Clear => false,
            Stance::IfOffered | Stance::Encrypted if is_direct => true,
            Stance::IfOffered | Stance::Encrypted => ask_for_tls(&mut stream)
                .await
                .map_err(|error| self.unreachable(format!("error communicating with the server: {error}")))?,
        };
        if is_offered {
            let (session, end_point) = self.tls.clone().handshake(stream).await?;
            return Ok(self.watched(session, Some(end_point)));
        }
        if self.stance == Stance::Encrypted {
            return Err(self.tls.is_not_offered());
        }
        Ok(self.watched(stream, None))
    }

    fn unreachable(&self, words: String) -> io::Error {
        self.end.because(Reason::Unreachable(words))
    }

    /// `end_point` is there where the stream is encrypted.
    fn watched(&self, stream: impl Stream + 'static, end_point: Option<Option<Vec<u8>>>) -> Watched {
        let policy = Policy::new(&self.info, end_point.is_some(), self.is_network);
        Watched {
            stream: Box::new(stream),
            end_point: end_point.flatten(),
            watch: Watch::new(policy),
            end: self.end.clone(),
            deadline: self.deadline.clone(),
            timer: None,
        }
    }
}

/// Asks whether the server speaks TLS (the manual's section 54.2.11). Any answer but `S` is a no.
async fn ask_for_tls(stream: &mut (impl Stream + ?Sized)) -> io::Result<bool> {
    const REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    stream.write_all(&REQUEST).await?;
    Ok(stream.read_u8().await? == b'S')
}

/// What bytes go through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// The bytes, each answer of the server looked at before it is handed on.
pub(super) struct Watched {
    stream: Box<dyn Stream>,
    /// What a login can be bound to.
    end_point: Option<Vec<u8>>,
    watch: Watch,
    end: End,
    deadline: Deadline,
    /// The deadline that it was set for, and itself.
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Watched {
    /// Whether nothing has come in time.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        let Some(deadline) = self.deadline.get() else { return false };
        if self.timer.as_ref().is_none_or(|(set, _)| *set != deadline) {
            self.timer = Some((deadline, Box::pin(sleep_until(deadline.into()))));
        }
        self.timer.as_mut().is_some_and(|(_, timer)| timer.as_mut().poll(context).is_ready())
    }
}

impl<S: Stream + 'static> MakeTlsConnect<S> for Wire {
    type Stream = Watched;
    type TlsConnect = Self;
    type Error = io::Error;

    fn make_tls_connect(&mut self, _: &str) -> io::Result<Self> {
        Ok(self.clone())
    }
}

impl<S: Stream + 'static> TlsConnect<S> for Wire {
    type Stream = Watched;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Watched>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(self.open(stream))
    }
}

impl TlsStream for Watched {
    fn channel_binding(&self) -> ChannelBinding {
        self.end_point.clone().map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if let Err(fault) = this.watch.look(&buffer.filled()[before..]) {
            buffer.set_filled(before);
            // The driver may try to go on.
            this.stream = Box::new(tokio::io::empty());
            return Poll::Ready(Err(this.end.because(Reason::Fault(fault))));
        }
        if read.is_pending() && this.is_late(context) {
            this.stream = Box::new(tokio::io::empty());
            return Poll::Ready(Err(this.end.because(Reason::Silence)));
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
