//! Who takes one of the places, and for how long.
#![allow(clippy::unwrap_used)]

use super::super::router;
use super::*;
use crate::{Assets, Backend, Settings};
use coordination::Coordination;
use futures::StreamExt as _;
use monitors::Prober;
use net::{ClientSettings, Fetcher, FetcherSettings};
use std::net::SocketAddr;
use testkit::database::TestDatabase;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_util::sync::CancellationToken;

/// A server of its own, what it waits for, and how it is stopped.
async fn serving(
    places: usize,
) -> (
    SocketAddr,
    Arc<Semaphore>,
    CancellationToken,
    JoinHandle<()>,
    TestDatabase,
) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let database = testkit::database::sqlite().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let public_url = format!("http://{address}").parse().unwrap();
    let settings = Settings::new(public_url, "0123456789abcdef0123456789abcdef".into());
    let prober = Prober::new(ClientSettings::default()).unwrap();
    let fetcher = Fetcher::new(FetcherSettings::default()).unwrap();
    let backend = Backend {
        db: database.db.clone(),
        live: Coordination::memory(),
        prober,
        fetcher,
        settings,
    };
    let stop = CancellationToken::new();
    let server = Arc::new(Server::new(backend, Assets::new([]), true, stop.clone()).unwrap());
    let free = Arc::new(Semaphore::new(places));
    let serving = serve_while_free(
        Arc::clone(&server),
        router(&server),
        listener,
        Arc::clone(&free),
        Shares::new([]),
    );
    (address, free, stop, tokio::spawn(serving), database)
}

#[tokio::test]
async fn one_client_cannot_take_all_places() {
    let (address, _, stop, serving, _database) = serving(MAX_CONNECTIONS).await;
    let healthy = async |stream: &mut TcpStream| {
        let asked = stream
            .write_all(b"GET /api/health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await;
        let mut start = [0; 12];
        asked.is_ok() && stream.read_exact(&mut start).await.is_ok() && &start == b"HTTP/1.1 200"
    };
    let mut open = Vec::new();
    for _ in 0..share::MOST {
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert!(healthy(&mut stream).await);
        open.push(stream);
    }
    assert!(
        !healthy(&mut TcpStream::connect(address).await.unwrap()).await,
        "one too many"
    );
    open.pop();
    let again = async { while !healthy(&mut TcpStream::connect(address).await.unwrap()).await {} };
    timeout(Duration::from_secs(10), again)
        .await
        .expect("its place is free again");
    drop(open);
    stop.cancel();
    serving.await.unwrap();
}

#[tokio::test]
async fn a_websocket_takes_one_of_the_places_until_it_ends() {
    let (address, free, stop, serving, _database) = serving(2).await;
    let mut request = format!("ws://{address}/api/graphql/ws")
        .into_client_request()
        .unwrap();
    request.headers_mut().insert(
        "sec-websocket-protocol",
        "graphql-transport-ws".parse().unwrap(),
    );
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    // The listener holds the other place, ready for who comes next.
    let given_back = timeout(Duration::from_millis(500), free.acquire()).await;
    assert!(given_back.is_err(), "the place is still the socket's");
    assert!(
        socket.next().await.unwrap().unwrap().is_ping(),
        "which is being served"
    );

    drop(socket);
    let given_back = timeout(Duration::from_secs(10), free.acquire()).await;
    drop(given_back.expect("the place is free again").unwrap());
    stop.cancel();
    serving.await.unwrap();
}
