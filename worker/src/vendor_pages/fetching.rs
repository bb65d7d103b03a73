//! Fetches the addresses of a page concurrently and assembles the responses. Keeps only what a 304
//! refers to, and does not decide what a response means.

use super::content::PresentLists;
use crate::metrics;
use crate::stats::{Stats, add};
use chrono::{DateTime, Utc};
use domain::service::MAX_URL;
use entity::vendor_page;
use futures::future::join_all;
use net::fetch::Validators;
use net::{FetchError, FetchFailure, Fetcher, Redirects};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tracing::Instrument as _;
use url::Url;
use uuid::Uuid;
use vendor_pages::page::{Page, PartialPage, assemble};
use vendor_pages::reader::{MAX_PAGE_BYTES, ReadError, UrlReading, read_url};

/// Timeout of reading each address, with all parts of its list.
pub(crate) const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// How long responses are cached, and of how many pages at most.
const CACHE_TTL: Duration = Duration::from_secs(3600);
const MAX_CACHED_PAGES: usize = 500;

/// What the addresses of a page returned.
#[derive(Debug)]
pub(crate) enum FetchedPage {
    /// A reading, with the HTTP validators to send next time.
    Read {
        page: Box<Page>,
        present: PresentLists,
        validators: Option<Value>,
        /// The addresses that permanent redirects to another server lead to, if there were any.
        moved_to: Option<Vec<String>>,
    },
    /// The same as at the last reading.
    Unchanged(Option<Value>),
}

/// Why a page could not be read.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// One sentence for people, without a full stop.
    pub(crate) message: String,
    pub(crate) kind: FailureKind,
    /// For how long the server asks not to be requested again.
    pub(crate) retry_after: Option<Duration>,
}

/// Kinds of failures to read a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// No response, or a server error.
    Unreachable,
    /// The server limits requests.
    Limited,
    /// A response, but not this page: the vendor may have moved it.
    Unreadable,
}

impl Failure {
    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind: FailureKind::Unreadable,
            retry_after: None,
        }
    }
}

/// Fetches pages. Clones share the cache.
#[derive(Debug, Clone)]
pub(crate) struct PageFetcher {
    fetcher: Fetcher,
    /// The last responses of pages with several addresses, from which the page is assembled if some
    /// addresses are unchanged. A page with one address needs none: its reading is in the database.
    cache: Arc<Mutex<ResponseCache>>,
    stats: Arc<Stats>,
}

/// By page, with the time of the last response.
type ResponseCache = HashMap<Uuid, (Instant, Arc<Vec<CachedResponse>>)>;

#[derive(Debug)]
struct CachedResponse {
    url: Url,
    validators: Validators,
    reading: PartialPage,
}

impl PageFetcher {
    pub(crate) fn new(fetcher: &Fetcher, stats: Arc<Stats>) -> Self {
        Self {
            fetcher: fetcher.within(FETCH_TIMEOUT),
            cache: Arc::default(),
            stats,
        }
    }

    /// The client for rediscovery.
    pub(crate) fn client(&self) -> &Fetcher {
        &self.fetcher
    }

    /// Fetches all addresses of `page`.
    pub(crate) async fn fetch(
        &self,
        page: &vendor_page::Model,
        now: DateTime<Utc>,
    ) -> Result<FetchedPage, Failure> {
        let begun = Instant::now();
        let span = tracing::debug_span!(target: "traces", "page_fetch", page = %page.id, provider = page.provider);
        let fetched = self.fetch_all(page, now).instrument(span).await;
        let pages = &self.stats.pages;
        let (counter, result) = match &fetched {
            Ok((_, false)) => (&pages.read, "read"),
            Ok((_, true)) => (&pages.unchanged, "unchanged"),
            Err(failure) => match failure.kind {
                FailureKind::Unreachable => (&pages.unreachable, "unreachable"),
                FailureKind::Limited => (&pages.limited, "limited"),
                FailureKind::Unreadable => (&pages.unreadable, "unreadable"),
            },
        };
        metrics::record_fetch(page.provider.as_deref(), result, begun.elapsed());
        add(counter, 1);
        fetched.map(|(page, _)| page)
    }

    /// Drops the cached responses of a page.
    pub(crate) fn forget(&self, page: Uuid) {
        self.lock().remove(&page);
    }

    /// Returns the page and whether no address had anything new.
    async fn fetch_all(
        &self,
        page: &vendor_page::Model,
        now: DateTime<Utc>,
    ) -> Result<(FetchedPage, bool), Failure> {
        let urls = addresses(page)?;
        let cached = self
            .lock()
            .get(&page.id)
            .map(|(_, cached)| Arc::clone(cached))
            .filter(|cached| cached.iter().map(|response| &response.url).eq(&urls));
        let validators: Vec<_> = match (&cached, &urls[..]) {
            (_, [url]) => vec![stored_validators(page, url)],
            (Some(cached), _) => cached
                .iter()
                .map(|response| response.validators.clone())
                .collect(),
            (None, _) => vec![Validators::default(); urls.len()],
        };
        let mut responses = self.read_all(&urls, &validators, now).await?;
        let mut moved_to = moved_to(&urls, &responses).filter(|_| !page.user_defined);
        if moved_to.is_some() && responses.iter().any(|response| response.reading.is_none()) {
            // Where the page is now has to be compared with what is known of it.
            let validators = vec![Validators::default(); urls.len()];
            responses = self.read_all(&urls, &validators, now).await?;
            moved_to = self::moved_to(&urls, &responses);
        }
        let unchanged = responses.iter().all(|response| response.reading.is_none());

        if let ([url], [response]) = (&urls[..], &responses[..]) {
            let validators = validators_json(url.as_str(), &response.validators);
            if unchanged {
                return Ok((FetchedPage::Unchanged(validators), true));
            }
        }
        let mut new = Vec::with_capacity(urls.len());
        for (i, (url, response)) in urls.iter().zip(responses).enumerate() {
            let reading = match (response.reading, &cached) {
                (Some(reading), _) => reading,
                (None, Some(cached)) => cached[i].reading.clone(),
                (None, None) => {
                    return Err(Failure::unreadable(
                        "answered 304 although nothing was known",
                    ));
                }
            };
            new.push(CachedResponse {
                url: url.clone(),
                validators: response.validators,
                reading,
            });
        }
        let present = PresentLists::of(new.iter().map(|response| &response.reading));
        let page_read = assemble(
            new.iter()
                .map(|response| response.reading.clone())
                .collect(),
        )
        .map_err(|why| Failure::unreadable(why.to_string()))?;
        let validators = match &new[..] {
            [response] => {
                let moved = moved_to.as_ref().and_then(|urls| urls.first());
                let url = moved.map_or(response.url.as_str(), String::as_str);
                validators_json(url, &response.validators)
            }
            _ => None,
        };
        if new.len() > 1 {
            insert(&mut self.lock(), page.id, Arc::new(new), Instant::now());
        }
        let read = FetchedPage::Read {
            page: Box::new(page_read),
            present,
            validators,
            moved_to,
        };
        Ok((read, unchanged))
    }

    /// Reads all addresses concurrently.
    async fn read_all(
        &self,
        urls: &[Url],
        validators: &[Validators],
        now: DateTime<Utc>,
    ) -> Result<Vec<UrlReading>, Failure> {
        let fetcher = self.fetcher.with_budget(MAX_PAGE_BYTES);
        let requests = urls
            .iter()
            .zip(validators)
            .map(|(url, validators)| read_url(&fetcher, url, validators));
        add(&self.stats.pages.requests, urls.len());
        require_all(urls, join_all(requests).await, now)
    }

    fn lock(&self) -> MutexGuard<'_, ResponseCache> {
        self.cache
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

/// Caches `new` for `page`, and evicts entries that are older than [`CACHE_TTL`], or the oldest one if
/// there are too many. A page without an entry is fetched in full.
fn insert<T>(cache: &mut HashMap<Uuid, (Instant, T)>, page: Uuid, new: T, now: Instant) {
    cache.retain(|_, (at, _)| now.duration_since(*at) < CACHE_TTL);
    cache.insert(page, (now, new));
    if cache.len() > MAX_CACHED_PAGES
        && let Some(oldest) = cache
            .iter()
            .min_by_key(|(_, (at, _))| *at)
            .map(|(id, _)| *id)
    {
        cache.remove(&oldest);
    }
}

/// Returns the addresses of a page, at least one.
pub(crate) fn addresses(page: &vendor_page::Model) -> Result<Vec<Url>, Failure> {
    let urls = page
        .api_urls
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let urls: Vec<Url> = urls
        .iter()
        .filter_map(|url| Url::parse(url.as_str()?).ok())
        .collect();
    if urls.is_empty() {
        Err(Failure::unreadable("it has no address"))
    } else {
        Ok(urls)
    }
}

/// Returns the addresses that permanent redirects lead to; `None` if none leads to another server. An
/// address with TLS does not move to one without.
fn moved_to(urls: &[Url], responses: &[UrlReading]) -> Option<Vec<String>> {
    let target = |url: &Url, response: &UrlReading| {
        let is_move = response.redirects == Redirects::Permanent
            && response.url.origin() != url.origin()
            && (response.url.scheme() == "https" || url.scheme() == "http")
            && response.url.as_str().len() <= MAX_URL;
        is_move.then(|| response.url.to_string())
    };
    let targets: Vec<Option<String>> = urls
        .iter()
        .zip(responses)
        .map(|(url, response)| target(url, response))
        .collect();
    targets.iter().any(Option::is_some).then(|| {
        let kept = urls.iter().map(Url::to_string);
        targets
            .into_iter()
            .zip(kept)
            .map(|(target, kept)| target.unwrap_or(kept))
            .collect()
    })
}

/// Returns all responses, or why the page cannot be assembled: what only a failed address has would
/// look as if it were gone. A request limit is respected, whatever else is wrong, and a response that
/// cannot be parsed matters only if all addresses responded.
fn require_all(
    urls: &[Url],
    results: Vec<Result<UrlReading, ReadError>>,
    now: DateTime<Utc>,
) -> Result<Vec<UrlReading>, Failure> {
    let mut failed: Option<Failure> = None;
    let mut unreadable: Option<Failure> = None;
    let mut responses = Vec::with_capacity(results.len());
    for (url, result) in urls.iter().zip(results) {
        let failure = match result {
            Ok(response) => {
                responses.push(response);
                continue;
            }
            Err(ReadError::Unreadable(why)) => {
                unreadable
                    .get_or_insert_with(|| Failure::unreadable(with_address(urls, url, &why)));
                continue;
            }
            Err(ReadError::Fetch(failure)) => failure,
        };
        let (kind, retry_after) = classify(&failure, now);
        let retry_after = retry_after.max(failed.as_ref().and_then(|first| first.retry_after));
        failed = match failed {
            Some(first) if first.kind == FailureKind::Limited || kind != FailureKind::Limited => {
                Some(Failure {
                    retry_after,
                    ..first
                })
            }
            _ => Some(Failure {
                message: with_address(urls, url, &failure),
                kind,
                retry_after,
            }),
        };
    }
    failed.or(unreadable).map_or(Ok(responses), Err)
}

fn classify(failure: &FetchFailure, now: DateTime<Utc>) -> (FailureKind, Option<Duration>) {
    match &failure.error {
        FetchError::Status { code, retry_after } => {
            let kind = match code {
                429 => FailureKind::Limited,
                // The page is still there for browsers.
                _ if failure.is_challenge => FailureKind::Unreachable,
                408 | 500..600 => FailureKind::Unreachable,
                _ => FailureKind::Unreadable,
            };
            (kind, retry_after.map(|after| after.from(now)))
        }
        FetchError::Failed(_) | FetchError::Timeout(_) => (FailureKind::Unreachable, None),
        FetchError::Refused(_) | FetchError::TooLarge(_) | FetchError::OverBudget(_) => {
            (FailureKind::Unreadable, None)
        }
    }
}

/// Formats `why`, with the address if the page has several.
fn with_address(urls: &[Url], url: &Url, why: &dyn std::fmt::Display) -> String {
    if urls.len() > 1 {
        format!("{url}: {why}")
    } else {
        why.to_string()
    }
}

/// Returns the stored validators of `url`.
fn stored_validators(page: &vendor_page::Model, url: &Url) -> Validators {
    let of_url = page
        .validators
        .as_ref()
        .and_then(|all| all.get(url.as_str()));
    let text = |name: &str| Some(of_url?.get(name)?.as_str()?.to_owned());
    Validators {
        etag: text("etag"),
        last_modified: text("last_modified"),
    }
}

fn validators_json(url: &str, validators: &Validators) -> Option<Value> {
    let any = *validators != Validators::default();
    any.then(
        || json!({ url: { "etag": validators.etag, "last_modified": validators.last_modified } }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded_in_number_and_in_time() {
        let (mut cache, begin) = (HashMap::new(), Instant::now());
        for i in 0..2000_u32 {
            insert(
                &mut cache,
                Uuid::from_u128(i.into()),
                i,
                begin + Duration::from_millis(i.into()),
            );
        }
        assert_eq!(cache.len(), MAX_CACHED_PAGES);
        assert!(cache.values().all(|(_, i)| *i >= 1500), "the latest");
        insert(&mut cache, Uuid::from_u128(1), 1, begin + 2 * CACHE_TTL);
        assert_eq!(cache.len(), 1);
    }
}
