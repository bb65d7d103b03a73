//! Accepts connections, limits them in number and time, and closes them at shutdown.

mod connection_limiter;
mod write_timeout;

use super::Server;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use connection_limiter::{ConnectionGuard, ConnectionLimiter};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;
use write_timeout::WriteTimeout;

/// Maximum number of connections, WebSockets included; further ones wait until one is closed.
const MAX_CONNECTIONS: usize = 10_000;

/// Permit of one connection, held by everything that keeps it open. Requests carry it among their
/// extensions, because a WebSocket outlives the HTTP connection that it started as.
#[derive(Debug, Clone)]
pub(super) struct ConnectionPermit {
    _held: Arc<(OwnedSemaphorePermit, ConnectionGuard)>,
}

/// Maximum time to wait for the headers of a request, also of the next one on a kept-alive
/// connection. Longer than the usual 60 s for which reverse proxies keep idle connections: a request
/// fails if its connection is closed just as a proxy reuses it.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);

/// Time after which a client that reads nothing of its response is disconnected.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Approximate maximum size of a request's headers in bytes.
const MAX_HEADERS_SIZE: usize = 64 * 1024;

/// Time that open requests have at shutdown; the process ends within 10 s.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(9);

/// Serves until the server stops, then accepts no more connections and lets open ones finish.
pub(super) async fn serve(server: Arc<Server>, router: Router, listener: TcpListener) {
    // Proxies connect for many clients, and a local process could do more harm than this.
    let loopback = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().expect("this is a network"));
    let limiter = ConnectionLimiter::new(server.trusted_proxies.iter().copied().chain(loopback));
    serve_with_limits(
        server,
        router,
        listener,
        Arc::new(Semaphore::new(MAX_CONNECTIONS)),
        limiter,
    )
    .await;
}

async fn serve_with_limits(
    server: Arc<Server>,
    router: Router,
    listener: TcpListener,
    permits: Arc<Semaphore>,
    limiter: Arc<ConnectionLimiter>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADERS_SIZE);
    loop {
        let accepted = async {
            let permit = Arc::clone(&permits)
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
                // Connections that broke before they were accepted need no action. Other errors,
                // such as too many open files, persist for a while.
                if !matches!(
                    error.kind(),
                    std::io::ErrorKind::ConnectionAborted | std::io::ErrorKind::ConnectionReset
                ) {
                    tracing::error!(%error, "failed to accept a connection, retrying in 200 ms");
                    sleep(Duration::from_millis(200)).await;
                }
                continue;
            }
        };
        let Some(guard) = limiter.acquire(address.ip()) else {
            tracing::debug!(%address, "refused a connection: its network has the maximum number");
            continue;
        };
        // Responses are complete when they are sent: Nagle's algorithm would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "failed to set TCP_NODELAY");
        }
        let permit = ConnectionPermit {
            _held: Arc::new((permit, guard)),
        };
        let request_permit = permit.clone();
        let service = router
            .clone()
            .map_request(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(ConnectInfo(address));
                request.extensions_mut().insert(request_permit.clone());
                request.map(Body::new)
            });
        let connection = http.serve_connection(
            TokioIo::new(WriteTimeout::new(stream, WRITE_TIMEOUT)),
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
                tracing::debug!(%error, %address, "connection failed");
            }
            drop(permit);
        });
    }
    drop(listener);
    server.connections.close();
    if timeout(SHUTDOWN_GRACE, server.connections.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            "closing connections that did not finish within {} s",
            SHUTDOWN_GRACE.as_secs()
        );
    }
}

#[cfg(test)]
mod tests;
