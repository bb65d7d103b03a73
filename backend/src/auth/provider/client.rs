//! The HTTP client for providers: bounded in time and size, without redirects and without kept
//! connections.

use super::fault::Fault;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Timeout of one request, from its connection to the end of the response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);

/// Maximum size of a response; a discovery document or a key set has a few KiB.
const MAX_RESPONSE: usize = 512 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Client(reqwest::Client);

impl Client {
    /// `public_url` becomes part of the `User-Agent`.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub(super) fn new(public_url: &Url) -> Result<Self, Fault> {
        let failed = |error: &dyn std::fmt::Display| Fault::Client(error.to_string());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(net::Roots::System.store())
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .user_agent(format!(
                "PulseCheck/{} (+{public_url})",
                env!("CARGO_PKG_VERSION")
            ))
            .use_preconfigured_tls(tls)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(REQUEST_TIMEOUT / 2)
            .timeout(REQUEST_TIMEOUT)
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self(client))
    }

    /// # Errors
    /// When no complete response arrives within the bounds.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let endpoint = format!(
            "{}{}",
            request.uri().authority().map_or("", |host| host.as_str()),
            request.uri().path()
        );
        let unreachable =
            |error: reqwest::Error| Fault::Unreachable(endpoint.clone(), error.without_url());
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        let mut incoming = self.0.execute(request).await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = incoming.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_RESPONSE {
                return Err(Fault::TooLarge(endpoint, MAX_RESPONSE / 1024));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = HttpResponse::new(body);
        *response.status_mut() = incoming.status();
        *response.headers_mut() = std::mem::take(incoming.headers_mut());
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Client {
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Fault>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
