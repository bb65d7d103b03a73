//! A vendor's web server on this machine: answers by host and path, and notes what it was asked.

use flate2::Compression;
use flate2::write::GzEncoder;
use net::{Fetcher, FetcherSettings, Guard, LookupSource};
use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request's host without the port, its path with the query, and its whole head.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) head: String,
}

pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Site {
    /// A server that gives what `answer` makes of each request.
    pub(crate) async fn new(answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (notes, answer) = (Arc::clone(&asked), Arc::new(answer));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&notes), Arc::clone(&answer)));
            }
        });
        Self {
            address,
            asked,
            task,
        }
    }

    /// A server with these files, `host/path` to bytes; everything else is a 404.
    pub(crate) async fn with(files: &[(&str, Vec<u8>)]) -> Self {
        let files: HashMap<String, Vec<u8>> = files
            .iter()
            .map(|(name, bytes)| ((*name).into(), bytes.clone()))
            .collect();
        Self::new(
            move |asked| match files.get(&format!("{}{}", asked.host, asked.path)) {
                Some(bytes) => ok("", bytes),
                None => answer("404 Not Found", "", b"nothing here"),
            },
        )
        .await
    }

    /// The address of `path` on `host`, a name that leads to this server.
    pub(crate) fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.address.port())
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    notes: Arc<Mutex<Vec<Asked>>>,
    answer: Arc<impl Fn(&Asked) -> Vec<u8>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let host = head
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap_or_default();
    let host = host.split(':').next().unwrap().to_owned();
    let asked = Asked { host, path, head };
    let bytes = answer(&asked);
    notes.lock().unwrap().push(asked);
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(crate) fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    answer("200 OK", headers, body)
}

pub(crate) fn redirect(to: &str) -> Vec<u8> {
    answer("301 Moved Permanently", &format!("location: {to}\r\n"), b"")
}

/// `bytes`, zipped.
pub(crate) fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A fetcher that knows these names, all of them this machine, and one that leads to where credentials are.
pub(crate) fn fetcher(names: &[&str]) -> Fetcher {
    guarded(Guard::AllowPrivate, names)
}

pub(crate) fn guarded(guard: Guard, names: &[&str]) -> Fetcher {
    let here = |name: &&str| ((*name).to_owned(), Ok(vec!["127.0.0.1".parse().unwrap()]));
    let mut names: HashMap<_, _> = names.iter().map(here).collect();
    names.insert(
        "metadata.test".into(),
        Ok(vec!["169.254.169.254".parse().unwrap()]),
    );
    Fetcher::new(FetcherSettings {
        user_agent_url: Some("https://pulse.example".into()),
        guard,
        max_body_bytes: 1 << 20,
        timeout: Duration::from_secs(20),
        names: LookupSource::Table(Arc::new(names)),
        ..FetcherSettings::default()
    })
    .unwrap()
}
