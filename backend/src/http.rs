//! The HTTP server: routes, middleware and connections. `graphql`, `auth` and `assets` carry out
//! what requests ask for.

mod calendar;
mod client_ip;
mod error;
mod export;
mod graphql;
pub(crate) mod headers;
mod health;
mod identify;
mod listen;
mod middleware;
mod origin;
mod sign_in;
mod url_params;
mod websocket;

pub use middleware::REQUEST_SPAN_TARGET;

use crate::assets::Assets;
use crate::auth::Auth;
use crate::auth::cookie::Cookies;
use crate::auth::provider;
use crate::caches::Caches;
use crate::graphql::Schema;
use crate::metrics;
use crate::rates::{Rates, RetryAfter};
use crate::readiness::Readiness;
use crate::settings::ApiDependencies;
use crate::use_cases::discovery::VendorPages;
use crate::use_cases::{self, Quotas, UseCases};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{any, get, post};
use coordination::Coordination;
use error::ApiError;
use ipnet::IpNet;
use origin::ServerNames;
use sea_orm::DatabaseConnection;
use secrets::Sealer;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};

/// Interval at which expired sessions and links are removed.
const PURGE_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// State of all handlers.
pub(crate) struct Server {
    db: DatabaseConnection,
    live: Coordination,
    auth: Arc<Auth>,
    schema: Schema,
    use_cases: UseCases,
    assets: Assets,
    names: ServerNames,
    rates: Arc<Rates>,
    readiness: Readiness,
    trusted_proxies: Vec<IpNet>,
    stopping: CancellationToken,
    /// Open connections, and WebSockets, which outlive the HTTP connection that they started as.
    connections: TaskTracker,
}

impl Server {
    fn new(
        backend: ApiDependencies,
        assets: Assets,
        loopback: bool,
        stopping: CancellationToken,
    ) -> Result<Self, provider::Fault> {
        let ApiDependencies {
            db,
            live,
            prober,
            fetcher,
            settings,
        } = backend;
        let caches = Arc::<Caches>::default();
        let auth = Auth::new(db.clone(), &settings, caches.clone())?;
        let quotas = Quotas {
            min_interval_seconds: settings.min_interval_seconds,
            max_services: settings.max_services_per_workspace,
            ..Quotas::default()
        };
        let use_cases = UseCases {
            db: db.clone(),
            live: live.clone(),
            caches,
            prober,
            sealer: Arc::new(Sealer::new(
                &settings.secret_key,
                settings.previous_secret_key.as_deref(),
            )),
            vendor_pages: VendorPages::new(&fetcher),
            public_url: settings.public_url.clone(),
            quotas,
            system_for_all: settings.system_for_all,
        };
        Ok(Self {
            db,
            live,
            auth: Arc::new(auth),
            schema: crate::graphql::schema(use_cases.clone()),
            use_cases,
            assets,
            names: ServerNames::new(settings.public_url, loopback),
            rates: Arc::new(Rates::new(&settings.rates)),
            readiness: Readiness::default(),
            trusted_proxies: settings.trusted_proxies,
            stopping,
            connections: TaskTracker::new(),
        })
    }

    /// Whether browsers reach this server over https.
    fn uses_https(&self) -> bool {
        self.names.public_url().scheme() == "https"
    }

    fn cookies(&self) -> Cookies {
        let port = self
            .names
            .public_url()
            .port_or_known_default()
            .unwrap_or_default();
        Cookies {
            secure: self.uses_https(),
            port,
        }
    }
}

/// Serves `backend` on `listener` until `stopping` is cancelled, then finishes open requests.
///
/// # Errors
/// If the listener has no address, or the client for sign-in providers cannot be created.
pub(crate) async fn serve(
    backend: ApiDependencies,
    assets: Assets,
    listener: TcpListener,
    stopping: CancellationToken,
) -> anyhow::Result<()> {
    let loopback = listener.local_addr()?.ip().is_loopback();
    let server = Arc::new(Server::new(backend, assets, loopback, stopping)?);
    let purging = tokio::spawn(purge_periodically(Arc::clone(&server)));
    listen::serve(Arc::clone(&server), router(&server), listener).await;
    purging.await?;
    Ok(())
}

fn router(server: &Arc<Server>) -> Router {
    // The fastest level: at the default one, a list of a thousand services takes longer to compress
    // than to build. zstd, which is preferred, takes a third of brotli's time and its output is
    // smaller. Small responses do not gain, and files such as the playground have compressed
    // copies.
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Precise(1))
        .compress_when(SizeAbove::new(1024).and(NotForContentType::const_new("text/html")));
    let router = Router::new()
        .route(
            "/api/graphql",
            get(graphql::get).post(graphql::post).layer(compression),
        )
        .route("/api/graphql/ws", get(websocket::upgrade))
        .route(
            "/api/auth/local",
            get(sign_in::sign_in_by_link).head(method_not_allowed),
        )
        .route(
            "/api/auth/{provider}",
            get(sign_in::begin_sign_in).head(method_not_allowed),
        )
        .route(
            "/api/auth/{provider}/callback",
            get(sign_in::callback).head(method_not_allowed),
        )
        .route("/api/auth/refresh", post(sign_in::refresh))
        .route("/api/auth/logout", post(sign_in::logout))
        .route("/api/auth/refresh/logout", post(sign_in::logout))
        .route(
            "/api/account/export",
            get(export::export).head(method_not_allowed),
        )
        .route(
            "/api/calendar/{file}",
            any(calendar::feed).layer(from_fn_with_state(
                Arc::clone(server),
                client_ip::limit_requests,
            )),
        )
        .route("/api/health", get(health::health))
        .route("/api/ready", get(health::ready))
        .method_not_allowed_fallback(method_not_allowed)
        .route("/api", any(not_found))
        .route("/api/", any(not_found))
        .route("/api/{*rest}", any(not_found))
        .fallback(serve_asset)
        .layer(from_fn_with_state(Arc::clone(server), origin::check_host))
        .layer(from_fn_with_state(
            Arc::clone(server),
            client_ip::set_client_ip,
        ))
        .with_state(Arc::clone(server));
    middleware::wrap(router, server.uses_https())
}

async fn serve_asset(State(server): State<Arc<Server>>, request: Request) -> Response {
    server
        .assets
        .respond(request.uri().path(), request.method(), request.headers())
}

/// Counts a refusal by a rate limit and converts it to an error.
fn rate_limited(RetryAfter(seconds): RetryAfter) -> ApiError {
    metrics::record_rate_limited();
    ApiError::rate_limited(seconds)
}

async fn not_found() -> ApiError {
    ApiError::path_not_found()
}

async fn method_not_allowed() -> ApiError {
    ApiError::method_not_allowed()
}

/// Removes what has expired, until the server stops.
async fn purge_periodically(server: Arc<Server>) {
    let mut interval = tokio::time::interval(PURGE_INTERVAL);
    loop {
        tokio::select! {
            () = server.stopping.cancelled() => return,
            _ = interval.tick() => {
                if let Err(error) = server.auth.purge(use_cases::now()).await {
                    tracing::warn!(%error, "failed to remove expired sessions and links, retrying in an hour");
                }
                if let Err(error) = server.use_cases.finish_removals().await {
                    tracing::warn!(%error, "failed to remove deleted accounts completely, retrying in an hour");
                }
            }
        }
    }
}
