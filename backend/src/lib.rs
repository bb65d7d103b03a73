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
pub mod use_cases;

pub use assets::Assets;
pub use http::REQUEST_SPAN_TARGET;

use coordination::Coordination;
use ipnet::IpNet;
use monitors::Prober;
use net::Fetcher;
use sea_orm::DatabaseConnection;
use std::fmt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Dependencies of the API.
#[derive(Debug)]
pub struct Backend {
    /// The database, with the schema of this version.
    pub db: DatabaseConnection,
    /// Latest statuses, due queue and events.
    pub live: Coordination,
    /// Tests services before they are created.
    pub prober: Prober,
    /// Finds and reads vendor pages.
    pub fetcher: Fetcher,
    /// Settings of the operator.
    pub settings: Settings,
}

/// Settings of the operator.
#[derive(Clone)]
pub struct Settings {
    /// URL under which browsers reach this server: scheme, host and port.
    pub public_url: Url,
    /// Key that signs access tokens; at least 32 characters, the same in every process.
    pub secret_key: String,
    /// Previous key, whose tokens are still accepted.
    pub previous_secret_key: Option<String>,
    /// Whether one-time sign-in links work.
    pub local_login: bool,
    /// Shortest check interval that users may choose, in seconds.
    pub min_interval_seconds: i32,
    /// Maximum number of services in a workspace.
    pub max_services_per_workspace: u32,
    /// Whether everybody may query `system`, and not only the operators.
    pub system_for_all: bool,
    /// Sign-in providers.
    pub providers: auth::provider::Settings,
    /// Rate limits.
    pub rates: rates::Limits,
    /// Reverse proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
}

impl Settings {
    /// Default settings, without any way to sign in.
    #[must_use]
    pub fn new(public_url: Url, secret_key: String) -> Self {
        Self {
            public_url,
            secret_key,
            previous_secret_key: None,
            local_login: false,
            min_interval_seconds: 10,
            max_services_per_workspace: 2_000,
            system_for_all: false,
            providers: auth::provider::Settings::default(),
            rates: rates::Limits::default(),
            trusted_proxies: Vec::new(),
        }
    }
}

impl fmt::Debug for Settings {
    /// Leaves out the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut settings = f.debug_struct("Settings");
        settings
            .field("public_url", &self.public_url.as_str())
            .field("local_login", &self.local_login);
        settings.finish_non_exhaustive()
    }
}

/// Serves the API and the built-in dashboard until `shutdown` is cancelled, then finishes open
/// requests within 10 s.
///
/// # Errors
/// If the listener cannot be used.
pub async fn serve(
    backend: Backend,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    serve_with_assets(backend, Assets::built_in(), listener, shutdown).await
}

/// As [`serve`], with the given dashboard.
///
/// # Errors
/// If the listener cannot be used.
pub async fn serve_with_assets(
    backend: Backend,
    assets: Assets,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    http::serve(backend, assets, listener, shutdown).await
}

/// The GraphQL schema as text.
#[must_use]
pub fn sdl() -> String {
    graphql::sdl()
}
