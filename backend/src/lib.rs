//! API, sign-in and the static UI: everything that answers over HTTP.
//!
//! A request passes `server` (addresses, limits, headers), which asks `auth` who is asking and hands GraphQL to `graphql`,
//! which says what can be asked for and leaves doing it to `ops`. Checks are made elsewhere: the only links to the worker
//! are the database and the live state.

mod assets;
pub mod auth;
pub mod graphql;
mod http;
pub mod metrics;
pub mod rates;
pub mod readiness;
pub mod use_cases;

pub use assets::Assets;

use coordination::Coordination;
use ipnet::IpNet;
use monitors::Prober;
use net::Fetcher;
use sea_orm::DatabaseConnection;
use std::fmt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

/// What the API works with.
#[derive(Debug)]
pub struct Backend {
    /// The truth; its schema must be this program's.
    pub db: DatabaseConnection,
    /// Latest statuses, the due queue, events.
    pub live: Coordination,
    /// For looking at what users want to add.
    pub prober: Prober,
    /// For finding and reading vendor pages.
    pub fetcher: Fetcher,
    /// What the operator decided.
    pub settings: Settings,
}

/// What the operator decided.
#[derive(Clone)]
pub struct Settings {
    /// What browsers call this server: scheme, host and port.
    pub public_url: Url,
    /// Signs access tokens; at least 32 characters, and the same in every process.
    pub secret_key: String,
    /// The key before it, whose tokens are still accepted.
    pub previous_secret_key: Option<String>,
    /// Whether one-time sign-in links work.
    pub local_login: bool,
    /// The shortest interval between two checks that users may choose, in seconds.
    pub min_interval_seconds: i32,
    /// Maximum number of services in a workspace.
    pub max_services_per_workspace: u32,
    /// Whether everybody sees how this installation does, and not only this machine's own user.
    pub system_for_all: bool,
    /// The providers that people sign in by.
    pub providers: auth::provider::Settings,
    /// How often somebody may ask.
    pub rates: rates::Limits,
    /// The reverse proxies that are believed when they say who asks.
    pub trusted_proxies: Vec<IpNet>,
}

impl Settings {
    /// The defaults: nobody signs in but by what is set besides.
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
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut settings = f.debug_struct("Settings");
        settings
            .field("public_url", &self.public_url.as_str())
            .field("local_login", &self.local_login);
        settings.finish_non_exhaustive()
    }
}

/// Serves the API and the dashboard that was built into this program until `shutdown` is cancelled; then finishes what is
/// under way, at most 10 s long.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    backend: Backend,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    serve_with_assets(backend, Assets::built_in(), listener, shutdown).await
}

/// [`serve`] with a dashboard of the caller's.
///
/// # Errors
/// When the listener cannot be used.
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
