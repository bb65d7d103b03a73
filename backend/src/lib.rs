//! API, sign-in and the static UI: everything that is served over HTTP.
//!
//! A request passes `http` (routes, limits, headers), which authenticates it with `auth` and hands
//! GraphQL to `graphql`, which defines the schema and leaves the work to `use_cases`. Checks are
//! run by the worker: the only links to it are the database and the coordination service.

mod assets;
pub mod auth;
pub mod caches;
pub mod graphql;
mod http;
pub mod metrics;
pub mod rates;
pub mod readiness;
mod settings;
pub mod use_cases;

pub use assets::Assets;
pub use http::REQUEST_SPAN_TARGET;
pub use settings::{ApiDependencies, Settings};

use futures::future::BoxFuture;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves the API and the built-in dashboard until `shutdown` is cancelled, then finishes open
/// requests within 10 s.
///
/// # Errors
/// If the listener cannot be used.
pub fn serve(
    backend: ApiDependencies,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> BoxFuture<'static, anyhow::Result<()>> {
    serve_with_assets(backend, Assets::built_in(), listener, shutdown)
}

/// As [`serve`], with the given dashboard.
///
/// # Errors
/// If the listener cannot be used.
pub fn serve_with_assets(
    backend: ApiDependencies,
    assets: Assets,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(http::serve(backend, assets, listener, shutdown))
}

/// The GraphQL schema as text.
#[must_use]
pub fn sdl() -> String {
    graphql::sdl()
}
