//! Tests of the connection limits.
#![allow(clippy::unwrap_used)]

use super::super::router;
use super::*;
use crate::{ApiDependencies, Assets, Settings};
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

/// Starts a server; returns its address, its permits, its shutdown token and its task.
async fn start_server(
    max_connections: usize,
) -> (
    SocketAddr,
    Arc<Semaphore>,
    CancellationToken,
    JoinHandle<()>,
    TestDatabase,
) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let database = testkit::database::sqlite().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let public_url = format!("http://{address}").parse().unwrap();
    let settings = Settings::new(public_url, "0123456789abcdef0123456789abcdef".into());
    let prober = Prober::new(ClientSettings::default()).unwrap();
    let fetcher = Fetcher::new(FetcherSettings::default()).unwrap();
    let backend = ApiDependencies {
        db: database.db.clone(),
        live: Coordination::memory(),
        prober,
        fetcher,
        settings,
    };
    let stop = CancellationToken::new();
    let server = Arc::new(Server::new(backend, Assets::new([]), true, stop.clone()).unwrap());
    let permits = Arc::new(Semaphore::new(max_connections));
    let serving = serve_with_limits(
        Arc::clone(&server),
        router(&server),
        listener,
        Arc::clone(&permits),
        ConnectionLimiter::new([]),
    );
    (address, permits, stop, tokio::spawn(serving), database)
}

#[tokio::test]
async fn one_client_cannot_use_up_all_connections() {
    let (address, _, stop, serving, _database) = start_server(MAX_CONNECTIONS).await;
    let healthy = async |stream: &mut TcpStream| {
        let sent = stream
            .write_all(b"GET /api/health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await;
        let mut start = [0; 12];
        sent.is_ok() && stream.read_exact(&mut start).await.is_ok() && &start == b"HTTP/1.1 200"
    };
    let mut open = Vec::new();
    for _ in 0..connection_limiter::MAX_PER_NETWORK {
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert!(healthy(&mut stream).await);
        open.push(stream);
    }
    assert!(
        !healthy(&mut TcpStream::connect(address).await.unwrap()).await,
        "one too many"
    );
    open.pop();
    let reconnected =
        async { while !healthy(&mut TcpStream::connect(address).await.unwrap()).await {} };
    timeout(Duration::from_secs(10), reconnected)
        .await
        .expect("its connection can be used again");
    drop(open);
    stop.cancel();
    serving.await.unwrap();
}

#[tokio::test]
async fn a_websocket_holds_its_permit_until_it_ends() {
    let (address, permits, stop, serving, _database) = start_server(2).await;
    let mut request = format!("ws://{address}/api/graphql/ws")
        .into_client_request()
        .unwrap();
    request.headers_mut().insert(
        "sec-websocket-protocol",
        "graphql-transport-ws".parse().unwrap(),
    );
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    // The listener holds the other permit for the next connection.
    let permit = timeout(Duration::from_millis(500), permits.acquire()).await;
    assert!(permit.is_err(), "the WebSocket still holds its permit");
    assert!(
        socket.next().await.unwrap().unwrap().is_ping(),
        "the WebSocket is served"
    );

    drop(socket);
    let permit = timeout(Duration::from_secs(10), permits.acquire()).await;
    drop(permit.expect("the permit is released").unwrap());
    stop.cancel();
    serving.await.unwrap();
}
