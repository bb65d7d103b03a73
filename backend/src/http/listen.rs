//! Taking connections, and letting them go.

mod patience;
mod share;

use super::Server;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use patience::Patient;
use share::{Share, Shares};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

/// The most connections at once, WebSockets included; who comes later waits until one is free.
const MAX_CONNECTIONS: usize = 10_000;

/// One of those; whatever holds it counts. A request has it among its extensions, because a WebSocket outlives the
/// connection that it began as.
#[derive(Debug, Clone)]
pub(super) struct Place {
    _held: Arc<(OwnedSemaphorePermit, Share)>,
}

/// How long a connection may wait for a request's headers, the next one's too. Longer than reverse proxies keep a
/// connection that is idle (60 s, usually), because one that is closed just when they use it costs somebody an error.
const HEADERS: Duration = Duration::from_secs(75);

/// A client that takes not a byte of its answer for so long is gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// Roughly the most that a request's headers may hold.
const MAX_HEADERS: usize = 64 * 1024;

/// Finishing what is under way may take this long; everything ends within 10 s.
const GRACE: Duration = Duration::from_secs(9);

/// Serves until the server is told to stop, then takes no more connections and lets those that are open finish.
pub(super) async fn serve(server: Arc<Server>, router: Router, listener: TcpListener) {
    // A proxy speaks for many, and whoever is on this machine can do worse than take connections.
    let loopback = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().expect("this is a network"));
    let shares = Shares::new(server.trusted_proxies.iter().copied().chain(loopback));
    serve_while_free(
        server,
        router,
        listener,
        Arc::new(Semaphore::new(MAX_CONNECTIONS)),
        shares,
    )
    .await;
}

async fn serve_while_free(
    server: Arc<Server>,
    router: Router,
    listener: TcpListener,
    free: Arc<Semaphore>,
    shares: Arc<Shares>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(MAX_HEADERS);
    loop {
        let accepted = async {
            let permit = Arc::clone(&free)
                .acquire_owned()
                .await
                .expect("the semaphore is never closed");
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = server.stopping.cancelled() => break,
            accepted = accepted => accepted,
        };
        let (stream, address) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                // A connection that broke before it was taken is its client's affair; anything else, such as too many
                // open files, does not pass by trying again at once.
                if !matches!(
                    error.kind(),
                    std::io::ErrorKind::ConnectionAborted | std::io::ErrorKind::ConnectionReset
                ) {
                    tracing::error!(%error, "no connection can be taken at the moment");
                    sleep(Duration::from_millis(200)).await;
                }
                continue;
            }
        };
        let Some(share) = shares.take(address.ip()) else {
            tracing::debug!(%address, "a network that has as many connections as it may have gets no further one");
            continue;
        };
        // Answers are small and complete when they are sent: waiting for more to send only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection could not be told to send at once");
        }
        let place = Place {
            _held: Arc::new((permit, share)),
        };
        let places = place.clone();
        let service = router
            .clone()
            .map_request(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(ConnectInfo(address));
                request.extensions_mut().insert(places.clone());
                request.map(Body::new)
            });
        let connection = http.serve_connection(
            TokioIo::new(Patient::new(stream, PATIENCE)),
            TowerToHyperService::new(service),
        );
        let stopping = server.stopping.clone();
        server.connections.spawn(async move {
            let mut connection = pin!(connection.with_upgrades());
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stopping.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, %address, "a connection broke");
            }
            drop(place);
        });
    }
    drop(listener);
    server.connections.close();
    if timeout(GRACE, server.connections.wait()).await.is_err() {
        tracing::warn!(
            "some requests were not finished within {} s and are cut off",
            GRACE.as_secs()
        );
    }
}

#[cfg(test)]
mod tests;
