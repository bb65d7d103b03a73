//! The HTTP client for providers: bounded in time and size, without redirects and without memory.

use super::fault::Fault;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// One request, from its connection to the end of its answer.
const TIMEOUT: Duration = Duration::from_secs(8);

/// The most that an answer may hold; a discovery document or a key set has a few KiB.
const MAX_ANSWER: usize = 512 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Client(reqwest::Client);

impl Client {
    /// `public_url` is told to providers, so that they know who asks.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub(super) fn new(public_url: &Url) -> Result<Self, Fault> {
        let failed = |error: &dyn std::fmt::Display| Fault::Client(error.to_string());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
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
            .connect_timeout(TIMEOUT / 2)
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self(client))
    }

    /// # Errors
    /// When no whole answer comes within the bounds.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let place = format!(
            "{}{}",
            request.uri().authority().map_or("", |host| host.as_str()),
            request.uri().path()
        );
        let unreachable =
            |error: reqwest::Error| Fault::Unreachable(place.clone(), error.without_url());
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        let mut answer = self.0.execute(request).await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(Fault::TooLarge(place, MAX_ANSWER / 1024));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = HttpResponse::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
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
