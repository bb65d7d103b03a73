//! Fake vendor server on loopback. Serves configured replies by path and records the requests.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How long a test waits for a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Path of Statuspage's JSON summary.
pub const SUMMARY: &str = "/api/v2/summary.json";

/// Reply to a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A whole response, head and body.
    Whole(Vec<u8>),
    /// 200 with this body and `ETag`, or 304 to a client that has it already.
    Tagged {
        /// The value of the header, quotes included.
        etag: String,
        /// The body.
        body: Vec<u8>,
    },
    /// No reply until another one is configured or the client gives up.
    Silence,
}

impl Reply {
    /// A response with this status line, these further header lines (each ended by CR and LF), and this body.
    #[must_use]
    pub fn of(status: &str, headers: &str, body: &[u8]) -> Self {
        let head = format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        Self::Whole([head.as_bytes(), body].concat())
    }

    /// 200 with this body.
    #[must_use]
    pub fn ok(body: &[u8]) -> Self {
        Self::of("200 OK", "", body)
    }

    /// 301 to `address`.
    #[must_use]
    pub fn redirect(address: &str) -> Self {
        Self::of(
            "301 Moved Permanently",
            &format!("location: {address}\r\n"),
            b"",
        )
    }
}

/// A running vendor server. Stops when dropped.
#[derive(Debug)]
pub struct Vendor {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    /// Replies by `/path`, or by `host/path`, which takes precedence.
    replies: watch::Sender<HashMap<String, Reply>>,
    asked: watch::Sender<Vec<Asked>>,
}

/// A received request.
#[derive(Debug)]
struct Asked {
    path: String,
    head: String,
    at: Instant,
}

impl Vendor {
    /// Starts a server that answers everything with 404.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared {
            replies: watch::Sender::default(),
            asked: watch::Sender::default(),
        });
        let for_each = Arc::clone(&shared);
        let listening = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    connections.spawn(serve(stream, Arc::clone(&for_each)));
                }
                while connections.try_join_next().is_some() {}
            }
        });
        Self {
            address,
            shared,
            listening,
        }
    }

    /// Serves `reply` at `path` from now on. A host before the path limits it to that host.
    pub fn serve(&self, path: &str, reply: Reply) {
        self.shared
            .replies
            .send_modify(|replies| drop(replies.insert(path.to_owned(), reply)));
    }

    /// Serves a Statuspage page from now on, at every host.
    pub fn shows(&self, page: &Page) {
        self.serve(SUMMARY, Reply::ok(page.0.to_string().as_bytes()));
    }

    /// The address of `path` at this server by its number, with `http://`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The address of `path` at `host`, a name that leads to this machine.
    #[must_use]
    pub fn url_at(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.address.port())
    }

    /// Returns the number of requests for `path`.
    #[must_use]
    pub fn asked(&self, path: &str) -> usize {
        self.shared
            .asked
            .borrow()
            .iter()
            .filter(|asked| asked.path == path)
            .count()
    }

    /// Returns the total number of requests.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.asked.borrow().len()
    }

    /// Returns the heads of the requests for `path`, oldest first.
    #[must_use]
    pub fn heads(&self, path: &str) -> Vec<String> {
        let asked = self.shared.asked.borrow();
        asked
            .iter()
            .filter(|asked| asked.path == path)
            .map(|asked| asked.head.clone())
            .collect()
    }

    /// Returns the time of the last request for `path`.
    #[must_use]
    pub fn last_asked(&self, path: &str) -> Option<Instant> {
        self.shared
            .asked
            .borrow()
            .iter()
            .rfind(|asked| asked.path == path)
            .map(|asked| asked.at)
    }

    /// Waits until there were `count` requests for `path` in total.
    ///
    /// # Panics
    /// Panics after a timeout.
    pub async fn was_asked(&self, path: &str, count: usize) {
        let mut asked = self.shared.asked.subscribe();
        let enough =
            asked.wait_for(|all| all.iter().filter(|asked| asked.path == path).count() >= count);
        let waited = tokio::time::timeout(REQUEST_TIMEOUT, enough)
            .await
            .map(drop);
        assert!(
            waited.is_ok(),
            "{path} was asked for {} times, not {count}",
            self.asked(path)
        );
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut read = Vec::with_capacity(1024);
    while !read.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read_buf(&mut read).await {
            Ok(1..) if read.len() < 64 * 1024 => {}
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&read).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let host = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("host:")
            .map(str::trim)
            .map(str::to_owned)
    });
    let host = host.unwrap_or_default();
    let host = host
        .rsplit_once(':')
        .map_or(host.as_str(), |(host, _)| host);
    let asked = Asked {
        path: path.clone(),
        head: head.clone(),
        at: Instant::now(),
    };
    shared.asked.send_modify(|all| all.push(asked));
    let mut replies = shared.replies.subscribe();
    let response = loop {
        let reply = {
            let replies = replies.borrow_and_update();
            replies
                .get(&format!("{host}{path}"))
                .or_else(|| replies.get(&path))
                .cloned()
        };
        match reply {
            Some(Reply::Silence) => tokio::select! {
                _ = replies.changed() => {}
                // The client gives up.
                _ = stream.read_buf(&mut read) => return,
            },
            Some(Reply::Tagged { etag, body }) => {
                let tag = format!("etag: {etag}\r\n");
                let known = head
                    .lines()
                    .any(|line| line.to_ascii_lowercase() == format!("if-none-match: {etag}"));
                let of = |status, body| Reply::of(status, &tag, body);
                break if known {
                    of("304 Not Modified", b"")
                } else {
                    of("200 OK", &body)
                };
            }
            Some(whole @ Reply::Whole(_)) => break whole,
            None => break Reply::of("404 Not Found", "", b""),
        }
    };
    if let Reply::Whole(response) = response {
        let _ = stream.write_all(&response).await;
    }
    let _ = stream.shutdown().await;
}

/// A page of Statuspage's shape.
#[derive(Debug, Clone)]
pub struct Page(Value);

/// As it is sent.
impl std::fmt::Display for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Page {
    /// A page with these components: id, name, and the vendor's word for the status.
    #[must_use]
    pub fn new(name: &str, components: &[(&str, &str, &str)]) -> Self {
        let components: Vec<_> = components
            .iter()
            .map(|(id, name, status)| json!({ "id": id, "name": name, "status": status, "group": false, "group_id": null }))
            .collect();
        Self(json!({
            "page": { "id": "page", "name": name, "url": "https://status.vendor.example" },
            "status": { "indicator": "none", "description": "x" },
            "components": components, "incidents": [], "scheduled_maintenances": [],
        }))
    }

    /// With an open incident that is linked to components.
    #[must_use]
    pub fn incident(mut self, id: &str, name: &str, components: &[&str]) -> Self {
        let linked: Vec<_> = components.iter().map(|id| json!({ "id": id })).collect();
        let incident = json!({
            "id": id, "name": name, "status": "investigating", "impact": "major",
            "shortlink": format!("https://status.vendor.example/incidents/{id}"),
            "created_at": "2026-11-22T08:00:00Z", "started_at": "2026-11-22T08:00:00Z", "components": linked,
            "incident_updates": [{ "id": "u", "status": "investigating", "body": "We are looking into it.",
                "display_at": "2026-11-22T08:00:00Z" }],
        });
        self.0["incidents"]
            .as_array_mut()
            .expect("a list")
            .push(incident);
        self
    }

    /// With maintenance that is linked to components, from and until RFC 3339 times.
    #[must_use]
    pub fn maintenance(
        mut self,
        id: &str,
        name: &str,
        components: &[&str],
        from: &str,
        until: &str,
    ) -> Self {
        let linked: Vec<_> = components.iter().map(|id| json!({ "id": id })).collect();
        let maintenance = json!({
            "id": id, "name": name, "status": "scheduled", "impact": "maintenance",
            "shortlink": format!("https://status.vendor.example/maintenances/{id}"),
            "created_at": "2026-11-22T08:00:00Z", "scheduled_for": from, "scheduled_until": until,
            "components": linked, "incident_updates": [],
        });
        self.0["scheduled_maintenances"]
            .as_array_mut()
            .expect("a list")
            .push(maintenance);
        self
    }
}
