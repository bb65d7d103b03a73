//! The HTTP side: which address is answered by what, and everything around it. Knows how requests look, not what
//! they mean: that is the business of `graphql`, `auth` and `assets`.

mod address;
mod calendar;
mod error;
mod export;
mod graphql;
pub(crate) mod headers;
mod health;
mod identify;
mod listen;
mod origin;
mod request;
mod sign_in;
mod websocket;

use crate::Backend;
use crate::assets::Assets;
use crate::auth::Auth;
use crate::auth::cookie::Cookies;
use crate::auth::provider;
use crate::graphql::Schema;
use crate::metrics;
use crate::rates::{Rates, Wait};
use crate::readiness::Readiness;
use crate::use_cases::discovery::VendorPages;
use crate::use_cases::{self, Limits, Ops};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{any, get, post};
use coordination::Coordination;
use error::ApiError;
use ipnet::IpNet;
use origin::Names;
use sea_orm::DatabaseConnection;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::compression::predicate::SizeAbove;
use tower_http::compression::{CompressionLayer, CompressionLevel};

/// How often what has expired is removed.
const PURGE_EVERY: Duration = Duration::from_secs(60 * 60);

/// What every handler works with.
pub(crate) struct Server {
    db: DatabaseConnection,
    live: Coordination,
    auth: Arc<Auth>,
    schema: Schema,
    ops: Ops,
    assets: Assets,
    names: Names,
    rates: Arc<Rates>,
    readiness: Readiness,
    trusted_proxies: Vec<IpNet>,
    stopping: CancellationToken,
    /// Open connections, and WebSockets, which outlive the connection that they began as.
    connections: TaskTracker,
}

impl Server {
    fn new(
        backend: Backend,
        assets: Assets,
        loopback: bool,
        stopping: CancellationToken,
    ) -> Result<Self, provider::Fault> {
        let Backend {
            db,
            live,
            prober,
            fetcher,
            settings,
        } = backend;
        let auth = Auth::new(db.clone(), &settings)?;
        let limits = Limits {
            min_interval_seconds: settings.min_interval_seconds,
            max_services: settings.max_services_per_workspace,
            ..Limits::default()
        };
        let ops = Ops {
            db: db.clone(),
            live: live.clone(),
            past: Arc::default(),
            definitions: Arc::default(),
            prober,
            vendor_pages: VendorPages::new(&fetcher),
            public_url: settings.public_url.clone(),
            limits,
            system_for_all: settings.system_for_all,
        };
        Ok(Self {
            db,
            live,
            auth: Arc::new(auth),
            schema: crate::graphql::schema(ops.clone()),
            ops,
            assets,
            names: Names::new(settings.public_url, loopback),
            rates: Arc::new(Rates::new(&settings.rates)),
            readiness: Readiness::default(),
            trusted_proxies: settings.trusted_proxies,
            stopping,
            connections: TaskTracker::new(),
        })
    }

    /// Whether browsers reach this server over https.
    fn secure(&self) -> bool {
        self.names.public_url().scheme() == "https"
    }

    fn cookies(&self) -> Cookies {
        let port = self
            .names
            .public_url()
            .port_or_known_default()
            .unwrap_or_default();
        Cookies {
            secure: self.secure(),
            port,
        }
    }
}

/// Serves `backend` on `listener` until `stopping` is cancelled, then finishes what is under way.
///
/// # Errors
/// When the listener has no address, or the client for sign-in providers cannot be made.
pub(crate) async fn serve(
    backend: Backend,
    assets: Assets,
    listener: TcpListener,
    stopping: CancellationToken,
) -> anyhow::Result<()> {
    let loopback = listener.local_addr()?.ip().is_loopback();
    let server = Arc::new(Server::new(backend, assets, loopback, stopping)?);
    let purging = tokio::spawn(purge(Arc::clone(&server)));
    listen::serve(Arc::clone(&server), router(&server), listener).await;
    purging.await?;
    Ok(())
}

fn router(server: &Arc<Server>) -> Router {
    // Answers too small to gain from it stay as they are; files come with compressed copies of their own.
    // Lightly: at the usual level a dashboard of a thousand services takes longer to compress than to find out. In
    // zstd, which is preferred, it takes a third of the time that brotli does and is smaller.
    let compressed = CompressionLayer::new()
        .quality(CompressionLevel::Precise(1))
        .compress_when(SizeAbove::new(1024));
    Router::new()
        .route(
            "/api/graphql",
            get(graphql::playground).merge(post(graphql::post).layer(compressed)),
        )
        .route("/api/graphql/ws", get(websocket::upgrade))
        .route("/api/auth/local", get(sign_in::local).head(wrong_method))
        .route(
            "/api/auth/{provider}",
            get(sign_in::begin).head(wrong_method),
        )
        .route(
            "/api/auth/{provider}/callback",
            get(sign_in::callback).head(wrong_method),
        )
        .route("/api/auth/refresh", post(sign_in::refresh))
        .route("/api/auth/logout", post(sign_in::logout))
        .route("/api/auth/refresh/logout", post(sign_in::logout))
        .route(
            "/api/account/export",
            get(export::export).head(wrong_method),
        )
        .route(
            "/api/calendar/{file}",
            any(calendar::feed).layer(from_fn_with_state(Arc::clone(server), address::limit)),
        )
        .route("/api/health", get(health::health))
        .route("/api/ready", get(health::ready))
        .method_not_allowed_fallback(wrong_method)
        .route("/api", any(no_such_address))
        .route("/api/", any(no_such_address))
        .route("/api/{*rest}", any(no_such_address))
        .fallback(asset)
        .layer(from_fn_with_state(Arc::clone(server), origin::check_host))
        .layer(from_fn_with_state(Arc::clone(server), address::find))
        .layer(from_fn_with_state(server.secure(), request::around))
        .with_state(Arc::clone(server))
}

async fn asset(State(server): State<Arc<Server>>, request: Request) -> Response {
    server
        .assets
        .respond(request.uri().path(), request.method(), request.headers())
}

/// What somebody is answered who asks too often.
fn too_often(Wait(seconds): Wait) -> ApiError {
    metrics::limited();
    ApiError::rate_limited(seconds)
}

async fn no_such_address() -> ApiError {
    ApiError::no_such_address()
}

async fn wrong_method() -> ApiError {
    ApiError::wrong_method()
}

async fn purge(server: Arc<Server>) {
    let mut hourly = tokio::time::interval(PURGE_EVERY);
    loop {
        tokio::select! {
            () = server.stopping.cancelled() => return,
            _ = hourly.tick() => {
                if let Err(error) = server.auth.purge(use_cases::now()).await {
                    tracing::warn!(%error, "expired sessions and links could not be removed; tried again in an hour");
                }
                if let Err(error) = server.ops.finish_removals().await {
                    tracing::warn!(%error, "deleted accounts could not be removed wholly; tried again in an hour");
                }
            }
        }
    }
}
