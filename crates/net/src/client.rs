//! Builds the HTTP clients: the base for all outgoing requests, and the client for checks, which
//! keeps no state between them.

use crate::exchange;
use crate::guard::Guard;
use crate::resolver::{GuardedResolver, LookupSource};
use crate::tls::{self, Roots};
use domain::cause::Phase;
use futures::TryFutureExt;
use futures::future::InspectOk;
use reqwest::header::HeaderValue;
use reqwest::{Client, ClientBuilder, redirect, retry};
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// Settings of the client for checks.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Public URL of this installation, sent in the `User-Agent` so that operators can contact us.
    pub user_agent_url: Option<String>,
    /// Which addresses may be requested.
    pub guard: Guard,
    /// Maximum number of body bytes to read. The response then counts as complete.
    pub max_body_bytes: usize,
    /// How names are resolved.
    pub names: LookupSource,
    /// Which authorities are trusted.
    pub roots: Roots,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            user_agent_url: None,
            guard: Guard::PublicOnly,
            max_body_bytes: 1 << 20,
            names: LookupSource::System,
            roots: Roots::System,
        }
    }
}

/// Error of building a client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The public URL is not valid in a header.
    #[error("the User-Agent {0:?} is not a valid header value: check the public URL")]
    UserAgent(String),
    /// TLS could not be set up.
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be built: {0}")]
    Client(#[source] reqwest::Error),
}

/// Builds the client for checks.
pub fn build(settings: ClientSettings) -> Result<Client, ClientError> {
    outgoing(
        settings.guard,
        settings.names,
        &settings.roots,
        settings.user_agent_url.as_deref(),
    )?
    .connector_layer(NoteConnected)
    // Each check opens its own connection, so that the whole path is tested; see also `exchange`.
    .pool_max_idle_per_host(0)
    // The body is not used, so it is not decompressed; this also avoids decompression bombs.
    .no_gzip()
    .no_brotli()
    .no_deflate()
    // A connection lives for one exchange with its own deadline, so TCP keep-alive is not needed.
    .tcp_keepalive(None)
    .tcp_keepalive_interval(None)
    .tcp_keepalive_retries(None)
    .tcp_user_timeout(None)
    .build()
    .map_err(ClientError::Client)
}

/// Returns the base for requests to addresses that users chose: the guard cannot be bypassed.
pub fn outgoing(
    guard: Guard,
    names: LookupSource,
    roots: &Roots,
    user_agent_url: Option<&str>,
) -> Result<ClientBuilder, ClientError> {
    Ok(Client::builder()
        .user_agent(user_agent(user_agent_url)?)
        .use_preconfigured_tls(tls::client_config(roots)?)
        .dns_resolver(Arc::new(GuardedResolver::new(guard, names)))
        // Redirects are followed manually, so that the guard checks each hop.
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        // Accept what browsers accept: such a target works for its users.
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true))
}

fn user_agent(url: Option<&str>) -> Result<HeaderValue, ClientError> {
    let version = env!("CARGO_PKG_VERSION");
    let text = match url {
        Some(url) => format!("PulseCheck/{version} (+{url})"),
        None => format!("PulseCheck/{version}"),
    };
    HeaderValue::from_str(&text).map_err(|_| ClientError::UserAgent(text))
}

/// Tower layer that records when a connection, including TLS, is established.
#[derive(Debug, Clone, Copy)]
struct NoteConnected;

impl<S> Layer<S> for NoteConnected {
    type Service = Connector<S>;

    fn layer(&self, inner: S) -> Connector<S> {
        Connector(inner)
    }
}

#[derive(Debug, Clone)]
struct Connector<S>(S);

impl<S, R> Service<R> for Connector<S>
where
    S: Service<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = InspectOk<S::Future, fn(&S::Response)>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.0
            .call(request)
            .inspect_ok(|_| exchange::enter(Phase::FirstByte))
    }
}
