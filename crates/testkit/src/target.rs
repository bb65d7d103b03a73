//! Targets to be checked: HTTP servers on loopback that behave as a test says, and otherwise from one moment to the next.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How long a test waits for a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What a target does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers with a status code after a while.
    Answer {
        /// The status code.
        code: u16,
        /// How long it takes over it.
        delay: Duration,
    },
    /// Reads the request and never answers.
    Hang,
    /// Reads the request and closes the connection.
    Close,
    /// Nothing listens on its port.
    Refuse,
}

impl Behaviour {
    /// Answers at once.
    #[must_use]
    pub const fn code(code: u16) -> Self {
        Self::Answer {
            code,
            delay: Duration::ZERO,
        }
    }

    /// Answers 200 after `ms` milliseconds.
    #[must_use]
    pub const fn slow(ms: u64) -> Self {
        Self::Answer {
            code: 200,
            delay: Duration::from_millis(ms),
        }
    }
}

/// A target, gone when it is dropped.
#[derive(Debug)]
pub struct Target {
    address: SocketAddr,
    behaviour: watch::Sender<Behaviour>,
    requests: watch::Sender<usize>,
    /// `None` while it refuses.
    listening: Mutex<Option<JoinHandle<()>>>,
    /// Never listens, and keeps the port from everybody else while the target refuses.
    _kept: TcpSocket,
}

impl Target {
    /// A target that answers 200 at once.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn start() -> Arc<Self> {
        let kept = TcpSocket::new_v4().expect("a socket can be made");
        kept.set_reuseaddr(true)
            .expect("a socket that does not listen can share its port");
        kept.bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .expect("loopback has a free port");
        let address = kept.local_addr().expect("a bound socket has an address");
        let listener = TcpListener::bind(address)
            .await
            .expect("its own port is free");
        let (behaviour, requests) = (
            watch::Sender::new(Behaviour::code(200)),
            watch::Sender::new(0),
        );
        let target = Self {
            address,
            behaviour,
            requests,
            listening: Mutex::default(),
            _kept: kept,
        };
        target.listen(listener);
        Arc::new(target)
    }

    /// Where it is, with `http://` and a final slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Behaves otherwise from now on, also towards requests that it has read and not answered. A target that begins to
    /// refuse breaks its connections off.
    ///
    /// # Panics
    /// When it can no longer get its port.
    pub async fn behave(&self, behaviour: Behaviour) {
        self.behaviour.send_replace(behaviour);
        let listening = self.listening().take();
        match (listening, behaviour) {
            (Some(listening), Behaviour::Refuse) => {
                listening.abort();
                let _ = listening.await;
            }
            (Some(listening), _) => *self.listening() = Some(listening),
            (None, Behaviour::Refuse) => {}
            (None, _) => {
                let listener = TcpListener::bind(self.address)
                    .await
                    .expect("its own port is still free");
                self.listen(listener);
            }
        }
    }

    /// How many requests it has read.
    #[must_use]
    pub fn requests(&self) -> usize {
        *self.requests.borrow()
    }

    /// Waits until it has read `count` requests in all.
    ///
    /// # Panics
    /// When they do not come.
    pub async fn has_read(&self, count: usize) {
        let mut requests = self.requests.subscribe();
        let waited =
            tokio::time::timeout(REQUEST_TIMEOUT, requests.wait_for(|read| *read >= count)).await;
        assert!(
            waited.is_ok(),
            "a target has read {} requests, not {count}",
            self.requests()
        );
    }

    fn listen(&self, listener: TcpListener) {
        let (behaviour, requests) = (self.behaviour.clone(), self.requests.clone());
        let listening = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    connections.spawn(serve(stream, behaviour.subscribe(), requests.clone()));
                }
                while connections.try_join_next().is_some() {}
            }
        });
        *self.listening() = Some(listening);
    }

    fn listening(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.listening
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(listening) = self.listening().take() {
            listening.abort();
        }
    }
}

/// Serves one connection until the peer or the behaviour ends it.
async fn serve(
    mut stream: TcpStream,
    mut behaviour: watch::Receiver<Behaviour>,
    requests: watch::Sender<usize>,
) {
    while read_request(&mut stream).await {
        requests.send_modify(|count| *count += 1);
        loop {
            let now = *behaviour.borrow_and_update();
            match now {
                Behaviour::Answer { code, delay } => {
                    tokio::select! {
                        () = tokio::time::sleep(delay) => {}
                        _ = behaviour.changed() => continue,
                    }
                    let body = format!("{code}\n");
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 {code} Scripted\r\nContent-Length: {length}\r\n\r\n{body}"
                    );
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                    break;
                }
                Behaviour::Hang => {
                    if behaviour.changed().await.is_err() {
                        return;
                    }
                }
                Behaviour::Close | Behaviour::Refuse => return,
            }
        }
    }
}

/// Reads one request without a body; `false` when the peer has no more.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut read = Vec::with_capacity(1024);
    while !read.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read_buf(&mut read).await {
            Ok(1..) if read.len() < 64 * 1024 => {}
            _ => return false,
        }
    }
    true
}
