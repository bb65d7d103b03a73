//! Servers that do what a script says, on a port of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

/// A server; it ends with this value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: mpsc::UnboundedReceiver<String>,
    ends: mpsc::UnboundedReceiver<()>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections were accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The next request's head, among those that the script read with [`Peer::head`].
    pub(crate) async fn head(&mut self) -> String {
        crate::soon(self.heads.recv()).await.unwrap()
    }

    /// Waits until one more connection's script has ended.
    pub(crate) async fn end(&mut self) {
        crate::soon(self.ends.recv()).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The server's end of one connection.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    /// The number of this connection, from 0.
    pub(crate) number: usize,
    heads: mpsc::UnboundedSender<String>,
}

impl Peer {
    /// Reads a request's head.
    pub(crate) async fn head(&mut self) -> String {
        let head = read_head(&mut self.stream).await;
        let _ = self.heads.send(head.clone());
        head
    }

    /// Reads a request, gives `answer`, and waits until the client is gone.
    pub(crate) async fn answer(&mut self, answer: impl AsRef<[u8]>) {
        self.head().await;
        self.stream.write_all(answer.as_ref()).await.unwrap();
        until_closed(&mut self.stream).await;
    }
}

pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// Reads until the client closes or breaks off.
pub(crate) async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) {
    let mut buffer = [0; 4096];
    while let Ok(1..) = stream.read(&mut buffer).await {}
}

/// Writes `piece` again and again until the client is gone.
pub(crate) async fn flood(stream: &mut (impl AsyncWrite + Unpin), piece: &[u8]) {
    while stream.write_all(piece).await.is_ok() {}
}

/// A server that treats every connection by `script`.
pub(crate) async fn serve<F, R>(script: F) -> Server
where
    F: Fn(Peer) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((crate::LOCAL, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let (heads_in, heads) = mpsc::unbounded_channel();
    let (ends_in, ends) = mpsc::unbounded_channel();
    let counter = Arc::clone(&connections);
    let task = tokio::spawn(async move {
        let mut peers = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let number = counter.fetch_add(1, Ordering::SeqCst);
            let run = script(Peer {
                stream,
                number,
                heads: heads_in.clone(),
            });
            let ends_in = ends_in.clone();
            peers.spawn(async move {
                run.await;
                let _ = ends_in.send(());
            });
        }
    });
    Server {
        address,
        connections,
        heads,
        ends,
        task,
    }
}

/// A server that gives every request the same answer.
pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Server {
    let answer = Arc::new(answer.into());
    serve(move |mut peer| {
        let answer = Arc::clone(&answer);
        async move { peer.answer(&*answer).await }
    })
    .await
}

/// The head of an answer with `code` and these header lines, and no body.
pub(crate) fn head(code: u16, headers: &str) -> String {
    format!("HTTP/1.1 {code} Whatever\r\n{headers}content-length: 0\r\n\r\n")
}
