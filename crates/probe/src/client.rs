//! The HTTP clients: what all outgoing requests share, and that of the checks, which has no memory between them.

use crate::exchange;
use crate::guard::Guard;
use crate::http::{ProbeError, ProberSettings};
use crate::resolver::{GuardedResolver, Names};
use crate::tls::{self, Roots};
use domain::cause::Phase;
use futures::TryFutureExt;
use futures::future::InspectOk;
use reqwest::header::HeaderValue;
use reqwest::{Client, ClientBuilder, redirect, retry};
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// The client of the checks.
pub(crate) fn build(settings: ProberSettings) -> Result<Client, ProbeError> {
    outgoing(
        settings.guard,
        settings.names,
        &settings.roots,
        settings.user_agent_url.as_deref(),
    )?
    .connector_layer(NoteConnected)
    // Each check makes its own connection, so that the whole path is tested; see also `exchange`.
    .pool_max_idle_per_host(0)
    // Nobody reads the body, so its compressed form will do, and no bomb can go off.
    .no_gzip()
    .no_brotli()
    .no_deflate()
    // A connection lives for one exchange with a deadline of its own: these would only cost system calls.
    .tcp_keepalive(None)
    .tcp_keepalive_interval(None)
    .tcp_keepalive_retries(None)
    .tcp_user_timeout(None)
    .build()
    .map_err(ProbeError::Client)
}

/// What holds for every request that somebody else chose: the guard and no way around it.
pub(crate) fn outgoing(
    guard: Guard,
    names: Names,
    roots: &Roots,
    user_agent_url: Option<&str>,
) -> Result<ClientBuilder, ProbeError> {
    Ok(Client::builder()
        .user_agent(user_agent(user_agent_url)?)
        .use_preconfigured_tls(tls::client_config(roots)?)
        .dns_resolver(Arc::new(GuardedResolver::new(guard, names)))
        // Followed by hand, each hop through the guard.
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        // Where browsers are lenient, the target works for its users.
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true))
}

fn user_agent(url: Option<&str>) -> Result<HeaderValue, ProbeError> {
    let version = env!("CARGO_PKG_VERSION");
    let text = match url {
        Some(url) => format!("PulseCheck/{version} (+{url})"),
        None => format!("PulseCheck/{version}"),
    };
    HeaderValue::from_str(&text).map_err(|_| ProbeError::UserAgent(text))
}

/// Notes the moment when a connection, with its TLS if it has one, stands.
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
