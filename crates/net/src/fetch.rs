//! Fetches documents from other people's servers: guards every redirect hop, limits the decompressed
//! size and the total time, and supports conditional requests.
//!
//! Does not interpret the body and does not retry.

use crate::client::{ClientError, HttpClient, Pool};
use crate::cookies::CookieJar;
use crate::guard::{Guard, Refused};
use crate::resolver::{GuardedResolver, LookupSource};
use crate::response_body::{ResponseBody, next_chunk};
use crate::tls::Roots;
use crate::{challenge, fault, redirect};
use chrono::{DateTime, TimeDelta, Utc};
use domain::Cause;
use domain::cause::Phase;
use futures::future::BoxFuture;
use http::Response;
use http::header::{
    ACCEPT, CONTENT_LENGTH, COOKIE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tower::ServiceExt;
use tower_http::decompression::{Decompression, DecompressionBody};
use url::Url;

/// `Accept` header: prefers data formats, and accepts HTML too.
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "application/json, application/rss+xml;q=0.9, text/html;q=0.5, */*;q=0.1",
);
/// Maximum length of a stored `ETag` or `Last-Modified` value, in bytes.
const MAX_VALIDATOR: usize = 1_000;
/// Maximum size of a decompressed body, in bytes: one bound for everything that reads vendor pages. The
/// largest known page has several megabytes.
pub const MAX_BODY_BYTES: usize = 8 << 20;
/// How much of the body of an error response is read, in bytes: enough for the title of a page.
const MAX_EXCERPT: usize = 16 << 10;
/// How long that may take.
const EXCERPT_TIMEOUT: Duration = Duration::from_secs(2);

/// Settings of a [`Fetcher`].
#[derive(Debug, Clone)]
pub struct FetcherSettings {
    /// The public address of this installation, for the `User-Agent`.
    pub user_agent_url: Option<String>,
    /// Which addresses may be requested.
    pub guard: Guard,
    /// Maximum size of a decompressed body, in bytes.
    pub max_body_bytes: usize,
    /// Timeout for the whole request, including lookups, redirects and the body.
    pub timeout: Duration,
    /// How names are resolved.
    pub names: LookupSource,
    /// Which authorities are trusted.
    pub roots: Roots,
}

impl Default for FetcherSettings {
    fn default() -> Self {
        Self {
            user_agent_url: None,
            guard: Guard::PublicOnly,
            max_body_bytes: MAX_BODY_BYTES,
            timeout: Duration::from_secs(20),
            names: LookupSource::System,
            roots: Roots::System,
        }
    }
}

/// Cache validators of a response, sent with the next conditional request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// A response with status code 200, or 304 to a conditional request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Final URL after all redirects.
    pub url: Url,
    /// The decompressed body; `None` if it has not changed (304).
    pub body: Option<Vec<u8>>,
    /// Validators for the next request.
    pub validators: Validators,
    /// The redirects on the way to `url`.
    pub redirects: Redirects,
}

/// The redirects that a fetch followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Redirects {
    /// None.
    #[default]
    None,
    /// Only permanent ones (301 and 308): the document has moved.
    Permanent,
    /// At least one temporary one.
    Temporary,
}

impl Redirects {
    /// Returns these redirects followed by one with status code `code`.
    fn and(self, code: u16) -> Self {
        match (self, code) {
            (Self::None | Self::Permanent, 301 | 308) => Self::Permanent,
            _ => Self::Temporary,
        }
    }
}

/// A fetch that failed: why, and how far it got. `Display` is the error with what the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchFailure {
    /// Why.
    pub error: FetchError,
    /// The last URL that was requested.
    pub url: Url,
    /// The redirects on the way to `url`.
    pub redirects: Redirects,
    /// Title of the page that came with another status code than 200, if it had one.
    pub title: Option<String>,
    /// Whether a protection against bots answered instead of the server.
    pub is_challenge: bool,
}

impl std::fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)?;
        match &self.title {
            Some(title) if self.is_challenge => write!(f, " (bot protection: \"{title}\")"),
            None if self.is_challenge => f.write_str(" (bot protection)"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for FetchFailure {}

/// Value of a `Retry-After` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// Delay from the time of the response.
    Seconds(u32),
    /// Point in time.
    At(DateTime<Utc>),
}

impl RetryAfter {
    /// Returns the time from `now` until the next request is allowed.
    #[must_use]
    pub fn from(self, now: DateTime<Utc>) -> Duration {
        match self {
            Self::Seconds(seconds) => Duration::from_secs(seconds.into()),
            Self::At(then) => (then - now)
                .max(TimeDelta::zero())
                .to_std()
                .unwrap_or_default(),
        }
    }
}

/// Error of a fetch. `Display` is a message for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The guard refused the URL or the target of a redirect.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// No complete response arrived.
    #[error("{0}")]
    Failed(Cause),
    /// The request timed out.
    #[error("no complete answer within {} seconds", .0.as_secs_f32())]
    Timeout(Duration),
    /// The status code is not 200.
    #[error("answered {code}")]
    Status {
        /// The status code.
        code: u16,
        /// The `Retry-After` header, if there was one.
        retry_after: Option<RetryAfter>,
    },
    /// The decompressed body is larger than allowed.
    #[error("the answer is larger than {0} bytes ({mib} MiB)", mib = .0 >> 20)]
    TooLarge(usize),
    /// The bodies of all requests that share a budget are larger than it.
    #[error("the answers are together larger than {0} bytes ({mib} MiB)", mib = .0 >> 20)]
    OverBudget(usize),
}

/// Fetches pages. Cheap to clone; all clones share one client.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: HttpClient,
    guard: Guard,
    max_body_bytes: usize,
    timeout: Duration,
    budgets: Vec<Budget>,
}

/// Bytes that several requests may read together.
#[derive(Debug, Clone)]
struct Budget {
    bytes: usize,
    left: Arc<AtomicUsize>,
}

impl Fetcher {
    /// Creates a fetcher.
    ///
    /// # Errors
    /// Fails if the HTTP client cannot be built from the settings.
    pub fn new(settings: FetcherSettings) -> Result<Self, ClientError> {
        let pool = Pool {
            max_idle: 2,
            idle_timeout: Duration::from_secs(15),
        };
        let client = HttpClient::new(
            GuardedResolver::new(settings.guard, settings.names),
            &settings.roots,
            settings.user_agent_url.as_deref(),
            Some(pool),
        )?;
        let FetcherSettings {
            guard,
            max_body_bytes,
            timeout,
            ..
        } = settings;
        Ok(Self {
            client,
            guard,
            max_body_bytes,
            timeout,
            budgets: Vec::new(),
        })
    }

    /// Returns the timeout of a request.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns a fetcher whose requests read `bytes` together at most, besides the budgets of this one.
    /// It shares the client.
    #[must_use]
    pub fn with_budget(&self, bytes: usize) -> Self {
        let mut limited = self.clone();
        limited.budgets.push(Budget {
            bytes,
            left: Arc::new(AtomicUsize::new(bytes)),
        });
        limited
    }

    /// Returns a fetcher with a shorter timeout that shares the client.
    #[must_use]
    pub fn within(&self, timeout: Duration) -> Self {
        Self {
            timeout: timeout.min(self.timeout),
            ..self.clone()
        }
    }

    /// Fetches `url`, unless it has not changed since the response that `validators` came from.
    ///
    /// # Errors
    /// Returns a [`FetchError`] for anything but 200 and 304.
    pub fn get<'a>(
        &'a self,
        url: &'a Url,
        validators: &'a Validators,
    ) -> BoxFuture<'a, Result<Fetched, FetchError>> {
        Box::pin(async move {
            let fetched = self.fetch(url, validators).await;
            fetched.map_err(|failure| failure.error)
        })
    }

    /// Fetches `url` like [`Self::get`], and says of a failure how far it got.
    ///
    /// # Errors
    /// Returns a [`FetchFailure`] for anything but 200 and 304.
    pub fn fetch<'a>(
        &'a self,
        url: &'a Url,
        validators: &'a Validators,
    ) -> BoxFuture<'a, Result<Fetched, Box<FetchFailure>>> {
        Box::pin(async move {
            let mut progress = Progress::new(url);
            let exchange = self.follow(&mut progress, validators);
            let result = tokio::time::timeout(self.timeout, exchange)
                .await
                .unwrap_or(Err(FetchError::Timeout(self.timeout)));
            result.map_err(|error| Box::new(progress.into_failure(error)))
        })
    }

    async fn follow(
        &self,
        progress: &mut Progress,
        validators: &Validators,
    ) -> Result<Fetched, FetchError> {
        let mut cookies = CookieJar::default();
        for hop in 0..=redirect::DEFAULT_LIMIT {
            let url = progress.url.clone();
            self.guard.check_url(&url)?;
            let headers = request_headers(validators, cookies.header(&url));
            let response = self.request(&url, headers).await?;
            let code = response.status().as_u16();
            if redirect::is_redirect(code) {
                cookies.keep(&url, response.headers());
                let next = redirect::next(&url, response.headers()).map_err(FetchError::Failed)?;
                if hop == redirect::DEFAULT_LIMIT {
                    return Err(FetchError::Failed(redirect::too_many(hop, &next)));
                }
                progress.url = next;
                progress.redirects = progress.redirects.and(code);
                continue;
            }
            let new = Validators::of(response.headers());
            let redirects = progress.redirects;
            return match code {
                200 => Ok(Fetched {
                    body: Some(self.read(response, &url).await?),
                    url,
                    validators: new,
                    redirects,
                }),
                // A 304 may omit validators; the old ones are still valid.
                304 if *validators != Validators::default() => Ok(Fetched {
                    url,
                    body: None,
                    validators: new.or(validators),
                    redirects,
                }),
                _ => {
                    let retry_after = parse_retry_after(response.headers());
                    let is_marked = challenge::is_marked(response.headers());
                    let excerpt = read_excerpt(response).await;
                    progress.title = challenge::title(&excerpt);
                    progress.is_challenge = is_marked || challenge::is_challenge_page(&excerpt);
                    Err(FetchError::Status { code, retry_after })
                }
            };
        }
        unreachable!("the last hop ends with an answer or as one redirect too many")
    }

    /// Requests `url`; the body of the response is decompressed while it is read.
    async fn request(
        &self,
        url: &Url,
        headers: HeaderMap,
    ) -> Result<Response<DecompressionBody<ResponseBody>>, FetchError> {
        let failed = |error: &(dyn Error + 'static)| fetch_error(error, url, Phase::FirstByte);
        let request = self.client.request(url, headers);
        let request = request.map_err(|error| failed(&error))?;
        let client = Decompression::new(self.client.clone());
        client
            .oneshot(request)
            .await
            .map_err(|error| failed(&error))
    }

    /// Reads the body in chunks while decompressing it. Stops at the size limit.
    async fn read(
        &self,
        mut response: Response<DecompressionBody<ResponseBody>>,
        url: &Url,
    ) -> Result<Vec<u8>, FetchError> {
        let too_large = || FetchError::TooLarge(self.max_body_bytes);
        let announced = response
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length: u64| length > self.max_body_bytes as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = next_chunk(response.body_mut())
            .await
            .map_err(|error| fetch_error(&*error, url, Phase::Body))?
        {
            if body.len() + chunk.len() > self.max_body_bytes {
                return Err(too_large());
            }
            for budget in &self.budgets {
                budget.take(chunk.len())?;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

impl Budget {
    fn take(&self, bytes: usize) -> Result<(), FetchError> {
        let left = |left: usize| left.checked_sub(bytes);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, left)
            .map(drop)
            .map_err(|_| FetchError::OverBudget(self.bytes))
    }
}

/// How far a fetch got.
struct Progress {
    url: Url,
    redirects: Redirects,
    title: Option<String>,
    is_challenge: bool,
}

impl Progress {
    fn new(url: &Url) -> Self {
        Self {
            url: redirect::bare(url.clone()),
            redirects: Redirects::None,
            title: None,
            is_challenge: false,
        }
    }

    fn into_failure(self, error: FetchError) -> FetchFailure {
        let Self {
            url,
            redirects,
            title,
            is_challenge,
        } = self;
        FetchFailure {
            error,
            url,
            redirects,
            title,
            is_challenge,
        }
    }
}

/// Reads the beginning of the body of an error response as text. Empty if it cannot be read.
async fn read_excerpt(mut response: Response<DecompressionBody<ResponseBody>>) -> String {
    let mut body = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = next_chunk(response.body_mut()).await {
            body.extend_from_slice(&chunk[..chunk.len().min(MAX_EXCERPT - body.len())]);
            if body.len() == MAX_EXCERPT {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(EXCERPT_TIMEOUT, reading).await;
    String::from_utf8_lossy(&body).into_owned()
}

fn request_headers(validators: &Validators, cookies: Option<HeaderValue>) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([(ACCEPT, ACCEPTED)]);
    for (name, value) in [
        (IF_NONE_MATCH, &validators.etag),
        (IF_MODIFIED_SINCE, &validators.last_modified),
    ] {
        // An invalid validator is left out, which makes the request unconditional.
        if let Some(value) = value
            .as_ref()
            .and_then(|value| HeaderValue::from_str(value).ok())
        {
            headers.insert(name, value);
        }
    }
    headers.extend(cookies.map(|cookies| (COOKIE, cookies)));
    headers
}

fn fetch_error(error: &(dyn Error + 'static), url: &Url, phase: Phase) -> FetchError {
    match fault::cause(error, url, phase) {
        Cause::NameRefused { host } => FetchError::Refused(Refused::Name(host)),
        // The remaining error when neither the connection nor HTTP failed.
        Cause::NotChecked { .. } if phase == Phase::Body && !error.is::<hyper::Error>() => {
            FetchError::Failed(Cause::NotHttp {
                detail: "the body could not be decompressed".into(),
            })
        }
        cause => FetchError::Failed(cause),
    }
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        let value = |name: HeaderName| {
            let value = headers.get(name)?.to_str().ok()?;
            (!value.is_empty() && value.len() <= MAX_VALIDATOR).then(|| value.to_owned())
        };
        Self {
            etag: value(ETAG),
            last_modified: value(LAST_MODIFIED),
        }
    }

    fn or(self, other: &Self) -> Self {
        Self {
            etag: self.etag.or_else(|| other.etag.clone()),
            last_modified: self.last_modified.or_else(|| other.last_modified.clone()),
        }
    }
}

/// Parses `Retry-After`: seconds or a date (RFC 9110, 10.2.3).
fn parse_retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        return Some(RetryAfter::Seconds(value.parse().unwrap_or(u32::MAX)));
    }
    Some(RetryAfter::At(
        DateTime::parse_from_rfc2822(value).ok()?.to_utc(),
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: DateTime<Utc> = "2026-04-21T12:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("120", Some(120)),
            (" 5 ", Some(5)),
            ("Tue, 21 Apr 2026 12:02:00 GMT", Some(120)),
            ("Tue, 21 Apr 2026 11:00:00 GMT", Some(0)),
            ("99999999999999999999", Some(u64::from(u32::MAX))),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            let headers =
                HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            assert_eq!(
                parse_retry_after(&headers).map(|after| after.from(now).as_secs()),
                seconds,
                "{text}"
            );
        }
    }
}
