//! The stream below HTTP: bounds what a server may send without delivering anything, and accepts
//! what every browser accepts although HTTP libraries do not.

use crate::chunks::ChunkFilter;
use crate::head::{HeadError, HeadFilter, MAX_UNDELIVERED_BYTES, Released};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection as Connect};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Size of one read, in bytes.
const READ_SIZE: usize = 16 << 10;

/// A TCP or TLS stream.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Counts the bytes that a connection read since it last delivered something.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadAllowance(Arc<AtomicUsize>);

impl ReadAllowance {
    /// Counts `bytes` as read. Fails if that is too much without a delivery.
    fn spend(&self, bytes: usize) -> io::Result<()> {
        let spent = self.0.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if spent > MAX_UNDELIVERED_BYTES {
            // The kind tells it apart: over HTTP/2 nothing else of an error gets through.
            return Err(io::Error::new(
                ErrorKind::QuotaExceeded,
                HeadError::NothingDelivered,
            ));
        }
        Ok(())
    }

    /// Starts over, because a head or a piece of a body was delivered.
    pub(crate) fn renew(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// A connection as the HTTP client sees it.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    is_http2: bool,
    allowance: ReadAllowance,
    /// Until the request is on its way nothing is read: some servers answer before they are asked.
    has_written: bool,
    waiting_reader: Option<Waker>,
    /// Over HTTP/1, until the first final head.
    filter: Option<HeadFilter>,
    /// Behind that head, if chunks follow it.
    chunks: Option<ChunkFilter>,
    /// Bytes that were read and not yet passed on, from `position`.
    buffered: Vec<u8>,
    position: usize,
    scratch: Box<[u8]>,
}

impl Connection {
    pub(crate) fn new(stream: impl Stream + 'static, is_http2: bool) -> Self {
        Self {
            stream: Box::new(stream),
            is_http2,
            allowance: ReadAllowance::default(),
            has_written: false,
            waiting_reader: None,
            filter: (!is_http2).then(HeadFilter::default),
            chunks: None,
            buffered: Vec::new(),
            position: 0,
            scratch: vec![0; READ_SIZE].into(),
        }
    }

    /// Reads into the scratch buffer. Returns the number of bytes, 0 at the end.
    fn poll_fill(&mut self, cx: &mut Context<'_>, limit: usize) -> Poll<io::Result<usize>> {
        let limit = limit.min(self.scratch.len());
        let mut buffer = ReadBuf::new(&mut self.scratch[..limit]);
        match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
            Ok(()) => {
                let read = buffer.filled().len();
                Poll::Ready(self.allowance.spend(read).map(|()| read))
            }
            // TLS without close_notify. Whether something is missing is for HTTP to say: only a body
            // of declared length can be cut off.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Poll::Ready(Ok(0)),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Reads until the filter releases the first final head, or the stream ends.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.filter.is_some() {
            let read = ready!(self.poll_fill(cx, READ_SIZE))?;
            let Some(filter) = &mut self.filter else {
                break;
            };
            let released = if read == 0 {
                Some(filter.finish())
            } else {
                filter
                    .push(&self.scratch[..read])
                    .map_err(io::Error::other)?
            };
            if let Some(Released {
                mut head,
                rest,
                is_chunked,
            }) = released
            {
                self.chunks = is_chunked.then(ChunkFilter::default);
                if !rest.is_empty() {
                    head.append(&mut self.passed(&rest));
                }
                (self.buffered, self.position) = (head, 0);
                self.filter = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Connection {
    /// Returns what the chunk filter makes of `bytes`; none are the end of the stream.
    fn passed(&mut self, bytes: &[u8]) -> Vec<u8> {
        match &mut self.chunks {
            Some(chunks) if bytes.is_empty() => chunks.finish(),
            Some(chunks) => chunks.push(bytes),
            None => bytes.to_vec(),
        }
    }

    /// Writes bytes into `target` and keeps the rest. Returns whether there were any.
    fn deliver(&mut self, bytes: Vec<u8>, target: &mut ReadBufCursor<'_>) -> bool {
        if bytes.is_empty() {
            return false;
        }
        (self.buffered, self.position) = (bytes, 0);
        self.deliver_buffered(target);
        true
    }

    fn deliver_buffered(&mut self, target: &mut ReadBufCursor<'_>) {
        let rest = &self.buffered[self.position..];
        let taken = &rest[..rest.len().min(target.remaining())];
        target.put_slice(taken);
        self.position += taken.len();
        if self.position == self.buffered.len() {
            (self.buffered, self.position) = (Vec::new(), 0);
        }
    }
}

impl Read for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut target: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.has_written {
            this.waiting_reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        ready!(this.poll_head(cx))?;
        if this.position < this.buffered.len() {
            this.deliver_buffered(&mut target);
            return Poll::Ready(Ok(()));
        }
        loop {
            let read = ready!(this.poll_fill(cx, target.remaining()))?;
            if this.chunks.is_none() {
                target.put_slice(&this.scratch[..read]);
                return Poll::Ready(Ok(()));
            }
            let scratch = std::mem::take(&mut this.scratch);
            let passed = this.passed(&scratch[..read]);
            this.scratch = scratch;
            if this.deliver(passed, &mut target) || read == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl Write for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        self.has_written = true;
        if let Some(reader) = self.waiting_reader.take() {
            reader.wake();
        }
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connect for Connection {
    fn connected(&self) -> Connected {
        let connected = Connected::new().extra(self.allowance.clone());
        if self.is_http2 {
            connected.negotiated_h2()
        } else {
            connected
        }
    }
}
