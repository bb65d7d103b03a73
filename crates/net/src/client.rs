//! The HTTP client for addresses that users chose. Follows no redirects and keeps no cookies.

use crate::connection::ReadAllowance;
use crate::connector::Connector;
use crate::guard::Guard;
use crate::head::{HeadError, MAX_HEAD_BYTES, MAX_HEADER_LINES};
use crate::resolver::{GuardedResolver, LookupSource};
use crate::response_body::ResponseBody;
use crate::tls::{self, Roots};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{ACCEPT, HeaderMap, HeaderValue, USER_AGENT};
use http::{Request, Response};
use http_body_util::Empty;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::task::{Context, Poll};
use std::time::Duration;
use tower::Service;
use url::Url;

/// Size of the read buffer of an HTTP/1 connection, in bytes: room for a head and some body.
const MAX_BUFFER_BYTES: usize = 2 * MAX_HEAD_BYTES;

/// Size of a decoded header list over HTTP/2 that is not even looked at, in bytes. More than
/// [`MAX_HEAD_BYTES`], because the library does not say that it was exceeded.
const MAX_HEADER_LIST_BYTES: u32 = 2 << 20;

/// Bytes of body that a server may send ahead over HTTP/2.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;

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
}

/// Error of a request; [`fault::cause`](crate::fault::cause) says what it means.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The URL cannot be sent.
    #[error("the address cannot be requested: {0}")]
    Url(#[from] http::uri::InvalidUri),
    /// The head is larger than allowed.
    #[error("{0}")]
    Head(#[from] HeadError),
    /// No response arrived.
    #[error("{0}")]
    Http(#[from] legacy::Error),
}

/// How long connections are kept for further requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pool {
    /// Maximum number of idle connections for each host.
    pub(crate) max_idle: usize,
    /// How long an idle connection is kept.
    pub(crate) idle_timeout: Duration,
}

/// Requests URLs. Cheap to clone; all clones share their connections.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: legacy::Client<Connector, Empty<Bytes>>,
    user_agent: HeaderValue,
}

impl HttpClient {
    /// Builds the client for checks: each request has a connection of its own, so that the whole
    /// path is tested, and bodies are not decompressed.
    ///
    /// # Errors
    /// Fails if the settings cannot be used.
    pub fn for_checks(settings: ClientSettings) -> Result<Self, ClientError> {
        let resolver = GuardedResolver::new(settings.guard, settings.names);
        let url = settings.user_agent_url.as_deref();
        Self::new(resolver, &settings.roots, url, None)
    }

    pub(crate) fn new(
        resolver: GuardedResolver,
        roots: &Roots,
        user_agent_url: Option<&str>,
        pool: Option<Pool>,
    ) -> Result<Self, ClientError> {
        let connector = Connector::new(resolver, tls::client_config(roots)?);
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        match pool {
            Some(pool) => builder
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(pool.idle_timeout)
                .pool_max_idle_per_host(pool.max_idle),
            None => builder
                .pool_max_idle_per_host(0)
                .retry_canceled_requests(false),
        };
        builder
            .http1_max_headers(MAX_HEADER_LINES)
            .http1_max_buf_size(MAX_BUFFER_BYTES)
            // Accept what browsers accept: such a target works for its users.
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true)
            .http2_max_header_list_size(MAX_HEADER_LIST_BYTES)
            .http2_initial_stream_window_size(STREAM_WINDOW_BYTES)
            .http2_initial_connection_window_size(2 * STREAM_WINDOW_BYTES);
        Ok(Self {
            client: builder.build(connector),
            user_agent: user_agent(user_agent_url)?,
        })
    }

    /// Requests `url` with GET and `headers`.
    ///
    /// # Errors
    /// Returns why no complete head of a response arrived.
    pub async fn get(
        &self,
        url: &Url,
        headers: HeaderMap,
    ) -> Result<Response<ResponseBody>, RequestError> {
        send(&self.client, self.request(url, headers)?).await
    }

    /// Builds the request for `url`.
    pub(crate) fn request(
        &self,
        url: &Url,
        headers: HeaderMap,
    ) -> Result<Request<Empty<Bytes>>, RequestError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = url.as_str().parse()?;
        *request.headers_mut() = headers;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, self.user_agent.clone());
        headers
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("*/*"));
        Ok(request)
    }
}

/// For layers, such as the one that decompresses bodies.
impl Service<Request<Empty<Bytes>>> for HttpClient {
    type Response = Response<ResponseBody>;
    type Error = RequestError;
    type Future = BoxFuture<'static, Result<Self::Response, RequestError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), RequestError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Empty<Bytes>>) -> Self::Future {
        let client = self.client.clone();
        Box::pin(async move { send(&client, request).await })
    }
}

async fn send(
    client: &legacy::Client<Connector, Empty<Bytes>>,
    request: Request<Empty<Bytes>>,
) -> Result<Response<ResponseBody>, RequestError> {
    let mut response = client.request(request).await?;
    let allowance = response.extensions_mut().remove::<ReadAllowance>();
    let allowance = allowance.unwrap_or_default();
    allowance.renew();
    if is_too_large(response.headers()) {
        return Err(HeadError::TooLarge.into());
    }
    Ok(response.map(|body| ResponseBody::new(body, allowance)))
}

/// Returns whether the headers exceed the limits, which HTTP/2 does not enforce by itself.
fn is_too_large(headers: &HeaderMap) -> bool {
    let line = |(name, value): (&http::HeaderName, &HeaderValue)| {
        // Plus colon, space and line end.
        name.as_str().len() + value.len() + 4
    };
    headers.len() > MAX_HEADER_LINES || headers.iter().map(line).sum::<usize>() > MAX_HEAD_BYTES
}

fn user_agent(url: Option<&str>) -> Result<HeaderValue, ClientError> {
    let version = env!("CARGO_PKG_VERSION");
    let text = match url {
        Some(url) => format!("PulseCheck/{version} (+{url})"),
        None => format!("PulseCheck/{version}"),
    };
    HeaderValue::from_str(&text).map_err(|_| ClientError::UserAgent(text))
}
