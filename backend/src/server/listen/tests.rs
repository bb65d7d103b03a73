//! Who takes one of the places, and for how long.
#![allow(clippy::unwrap_used)]

use super::super::router;
use super::*;
use crate::{Assets, Backend, Settings};
use futures::StreamExt as _;
use live::Live;
use probe::{Fetcher, FetcherSettings, Prober, ProberSettings};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_websocket_takes_one_of_the_places_until_it_ends() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let database = testkit::database::sqlite().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let public_url = format!("http://{address}").parse().unwrap();
    let settings = Settings::new(public_url, "0123456789abcdef0123456789abcdef".into());
    let prober = Prober::new(ProberSettings::default()).unwrap();
    let fetcher = Fetcher::new(FetcherSettings::default()).unwrap();
    let backend = Backend { db: database.db.clone(), live: Live::memory(), prober, fetcher, settings };
    let stop = CancellationToken::new();
    let server = Arc::new(Server::new(backend, Assets::new([]), true, stop.clone()).unwrap());
    let free = Arc::new(Semaphore::new(2));
    let serving = tokio::spawn(serve_while_free(Arc::clone(&server), router(&server), listener, Arc::clone(&free)));

    let mut request = format!("ws://{address}/api/graphql/ws").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    // The listener holds the other place, ready for who comes next.
    let given_back = timeout(Duration::from_millis(500), free.acquire()).await;
    assert!(given_back.is_err(), "the place is still the socket's");
    assert!(socket.next().await.unwrap().unwrap().is_ping(), "which is being served");

    drop(socket);
    let given_back = timeout(Duration::from_secs(10), free.acquire()).await;
    drop(given_back.expect("the place is free again").unwrap());
    stop.cancel();
    serving.await.unwrap();
}
