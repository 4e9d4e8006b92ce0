//! A TLS session, as bytes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Handshaken, alert::Shown};

/// The bytes of a TLS session, and how it ends early.
pub(crate) struct Encrypted<S> {
    session: tokio_rustls::client::TlsStream<S>,
    /// Whether the server has said anything since the handshake.
    heard: bool,
    shown: Shown,
    handshaken: Handshaken,
}

impl<S> Encrypted<S> {
    pub(super) fn new(session: tokio_rustls::client::TlsStream<S>, shown: Shown, handshaken: Handshaken) -> Self {
        Self { session, heard: false, shown, handshaken }
    }

    /// Keeps why the server ends it right after the handshake.
    fn watched<T>(&self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &outcome
            && !self.heard
            && let Some(failure) = self.shown.late_failure(error)
        {
            self.handshaken.failed(failure);
        }
        outcome
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.session).poll_read(context, buffer);
        self.heard |= buffer.filled().len() > before;
        self.watched(read)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.session).poll_write(context, buffer);
        self.watched(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.session).poll_flush(context);
        self.watched(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.session).poll_shutdown(context)
    }
}
