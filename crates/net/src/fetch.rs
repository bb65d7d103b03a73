//! One page or answer of somebody else's server, fetched politely and within bounds: guarded at every hop, no larger
//! than asked for even when it was compressed, and no longer than it may take.
//!
//! Knows nothing of what is in the body, and does not try again.

use crate::client::ClientError;
use crate::guard::{Guard, Refused};
use crate::resolver::Names;
use crate::tls::Roots;
use crate::{client, fault, redirect};
use chrono::{DateTime, TimeDelta, Utc};
use domain::Cause;
use domain::cause::Phase;
use reqwest::header::{
    ACCEPT, CONTENT_LENGTH, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
};
use reqwest::{Method, Request, Response};
use std::time::Duration;
use url::Url;

/// What is asked for: data first, pages for people as well.
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "application/json, application/rss+xml;q=0.9, text/html;q=0.5, */*;q=0.1",
);
/// The longest validator that is kept and sent back, in bytes.
const MAX_VALIDATOR: usize = 1_000;

/// How pages are fetched.
#[derive(Debug, Clone)]
pub struct FetcherSettings {
    /// The public address of this installation, for the `User-Agent`.
    pub user_agent_url: Option<String>,
    /// Which addresses may be requested.
    pub guard: Guard,
    /// The most bytes of a body, after it was decompressed.
    pub max_body_bytes: usize,
    /// The time for everything: lookups, connections, redirects, and the body.
    pub timeout: Duration,
    /// Where names are looked up.
    pub names: Names,
    /// Which authorities are trusted.
    pub roots: Roots,
}

impl Default for FetcherSettings {
    fn default() -> Self {
        Self {
            user_agent_url: None,
            guard: Guard::PublicOnly,
            max_body_bytes: 8 << 20,
            timeout: Duration::from_secs(20),
            names: Names::System,
            roots: Roots::System,
        }
    }
}

/// What a server gave to recognise an answer by, to be sent back with the next request for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// An answer with status code 200, or 304 to a request with validators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it came from, after all redirects.
    pub url: Url,
    /// The body, decompressed; `None` if it is what it was when the validators were given (304).
    pub body: Option<Vec<u8>>,
    /// What to send with the next request.
    pub validators: Validators,
}

/// How long a server wishes to be left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// From now on.
    Seconds(u32),
    /// Until then.
    At(DateTime<Utc>),
}

impl RetryAfter {
    /// The time from `now` until the server may be asked again.
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

/// Why nothing was fetched. `Display` gives one sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The guard refused the address or one that it redirects to.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// No complete answer came.
    #[error("{0}")]
    Failed(Cause),
    /// The whole exchange took too long.
    #[error("no complete answer within {} seconds", .0.as_secs_f32())]
    Timeout(Duration),
    /// Another status code than 200.
    #[error("answered {code}")]
    Status {
        /// The code.
        code: u16,
        /// How long the server wishes to be left alone.
        retry_after: Option<RetryAfter>,
    },
    /// The body is larger than allowed, perhaps only once it is decompressed.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// Fetches pages. Cheap to clone; all clones share one client.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: reqwest::Client,
    guard: Guard,
    max_body_bytes: usize,
    timeout: Duration,
}

impl Fetcher {
    /// A fetcher.
    ///
    /// # Errors
    /// When the settings cannot work.
    pub fn new(settings: FetcherSettings) -> Result<Self, ClientError> {
        let client = client::outgoing(
            settings.guard,
            settings.names,
            &settings.roots,
            settings.user_agent_url.as_deref(),
        )?
        .gzip(true)
        .brotli(true)
        .deflate(true)
        .pool_max_idle_per_host(2)
        .pool_idle_timeout(Duration::from_secs(15))
        .build()
        .map_err(ClientError::Client)?;
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
        })
    }

    /// The same fetcher with less time for each request.
    #[must_use]
    pub fn within(&self, timeout: Duration) -> Self {
        Self {
            timeout: timeout.min(self.timeout),
            ..self.clone()
        }
    }

    /// The same fetcher with a smaller bound on bodies.
    #[must_use]
    pub fn up_to(&self, max_body_bytes: usize) -> Self {
        Self {
            max_body_bytes: max_body_bytes.min(self.max_body_bytes),
            ..self.clone()
        }
    }

    /// Fetches `url`, unless it is still what `validators` were given for.
    ///
    /// # Errors
    /// Why there is no body.
    pub async fn get(&self, url: &Url, validators: &Validators) -> Result<Fetched, FetchError> {
        let exchange = self.follow(url, validators);
        tokio::time::timeout(self.timeout, exchange)
            .await
            .unwrap_or(Err(FetchError::Timeout(self.timeout)))
    }

    async fn follow(&self, url: &Url, validators: &Validators) -> Result<Fetched, FetchError> {
        let mut url = redirect::bare(url.clone());
        for _ in 0..=redirect::LIMIT {
            self.guard.check_url(&url)?;
            let response = self.client.execute(request(&url, validators)).await;
            let response = response.map_err(|error| failed(&error, &url, Phase::FirstByte))?;
            let code = response.status().as_u16();
            if redirect::is_redirect(code) {
                url = redirect::next(&url, response.headers()).map_err(FetchError::Failed)?;
                continue;
            }
            let new = Validators::of(response.headers());
            return match code {
                200 => Ok(Fetched {
                    body: Some(self.read(response, &url).await?),
                    url,
                    validators: new,
                }),
                // What was not given anew is still what it was.
                304 if *validators != Validators::default() => Ok(Fetched {
                    url,
                    body: None,
                    validators: new.or(validators),
                }),
                _ => Err(FetchError::Status {
                    code,
                    retry_after: retry_after(response.headers()),
                }),
            };
        }
        Err(FetchError::Failed(Cause::TooManyRedirects {
            limit: redirect::LIMIT,
        }))
    }

    /// Reads the body piece by piece as it is decompressed, and stops at the bound.
    async fn read(&self, mut response: Response, url: &Url) -> Result<Vec<u8>, FetchError> {
        let too_large = || FetchError::TooLarge(self.max_body_bytes);
        let announced = response
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length: u64| length > self.max_body_bytes as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| failed(&error, url, Phase::Body))?
        {
            if body.len() + chunk.len() > self.max_body_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn request(url: &Url, validators: &Validators) -> Request {
    let mut request = Request::new(Method::GET, url.clone());
    let headers = request.headers_mut();
    headers.insert(ACCEPT, ACCEPTED);
    for (name, value) in [
        (IF_NONE_MATCH, &validators.etag),
        (IF_MODIFIED_SINCE, &validators.last_modified),
    ] {
        // One that is no header value any more is left out: the answer then comes in full.
        if let Some(value) = value
            .as_ref()
            .and_then(|value| HeaderValue::from_str(value).ok())
        {
            headers.insert(name, value);
        }
    }
    request
}

fn failed(error: &reqwest::Error, url: &Url, phase: Phase) -> FetchError {
    match fault::cause(error, url, phase) {
        Cause::NameRefused { host } => FetchError::Refused(Refused::Name(host)),
        // What is left when neither the connection nor HTTP is at fault.
        Cause::NotChecked { .. } if phase == Phase::Body && error.is_decode() => {
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

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
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
    fn the_wish_to_be_left_alone_is_seconds_or_a_date() {
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
                retry_after(&headers).map(|after| after.from(now).as_secs()),
                seconds,
                "{text}"
            );
        }
    }
}
