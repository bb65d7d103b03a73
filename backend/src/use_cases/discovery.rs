//! Discovers vendor pages for users and reads those that they want to follow. Nothing that a client
//! says about a page is trusted: all users who follow it share what is stored of it.
//!
//! A discovery is cached for its workspace for some minutes, so that adding the service does not ask the
//! vendor again.

mod limiter;
pub(super) mod reader;

pub use reader::VendorPages;

use super::{Error, Result, UseCases, now};
use crate::auth::Viewer;
use domain::service::{FieldError, MAX_URL};
use futures::future::join_all;
use limiter::{DISCOVERY_TIMEOUT, DiscoveryPermit, SEARCH_COST};
use monitors::SharedPage;
use net::fetch::Validators;
use net::{FetchError, Fetcher};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use url::Url;
use vendor_pages::discovery::MAX_URLS;
use vendor_pages::page::{self, PartialPage};
use vendor_pages::reader::{MAX_PAGE_BYTES, ReadError, UrlReading, read_url};
use vendor_pages::{Discovery, DiscoveryError, Rejected};

/// Maximum number of addresses to validate: more than a page has, few enough for a response.
const MAX_GIVEN: usize = 50;

/// What to do when a discovery found nothing.
const BY_HAND: &str = "or enter the addresses of its JSON API by hand";

/// Runs a discovery on a blocking thread: parsing a MiB takes long enough to delay other requests.
/// The permit is held until the discovery ends, which bounds the number of threads; it is cancelled
/// when nobody waits for it any more.
async fn run_on_thread<T: Send + 'static>(
    permit: DiscoveryPermit,
    asking: impl Future<Output = T> + Send + 'static,
) -> Result<T> {
    let (runtime, cancelled) = (tokio::runtime::Handle::current(), CancellationToken::new());
    let _when_dropped = cancelled.clone().drop_guard();
    let asked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        runtime.block_on(async {
            tokio::time::timeout(
                DISCOVERY_TIMEOUT,
                cancelled.run_until_cancelled(Box::pin(asking)),
            )
            .await
        })
    });
    match asked.await {
        Ok(Ok(Some(answer))) => Ok(answer),
        Ok(Ok(None) | Err(_)) => {
            let seconds = DISCOVERY_TIMEOUT.as_secs();
            Err(Error::Upstream(format!(
                "the vendor page did not answer within {seconds} s: try again later, {BY_HAND}"
            )))
        }
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::Upstream(
                "this server is stopping: try again in a few seconds".into(),
            )),
        },
    }
}

impl UseCases {
    /// Discovers the vendor page at any address.
    ///
    /// # Errors
    /// Returns [`Error::BadInput`] for `url` if there is none, [`Error::Upstream`] if it cannot be read
    /// at the moment, [`Error::RateLimited`] if the viewer has too many other discoveries running.
    pub async fn discover_page(&self, viewer: &Viewer, url: &str) -> Result<Arc<Discovery>> {
        let pages = &self.vendor_pages;
        let permit = pages.acquire(viewer, SEARCH_COST).await?;
        let (fetcher, url) = (pages.fetcher.clone(), url.to_owned());
        let found = run_on_thread(permit, async move {
            vendor_pages::discover(&fetcher, &url).await
        })
        .await?;
        let found = found.map_err(|error| discovery_error(&error))?;
        Ok(self
            .caches
            .discoveries
            .insert(viewer.workspace_id, found, now()))
    }

    /// Reads addresses that were entered by hand. Returns those with components, incidents or maintenance,
    /// `None` if there are none, and why each other one was rejected.
    ///
    /// # Errors
    /// Returns [`Error::BadInput`] for `urls` if there are none or too many, [`Error::Upstream`] if it
    /// takes too long, [`Error::RateLimited`] if the viewer has too many other discoveries running.
    pub async fn validate_page_urls(
        &self,
        viewer: &Viewer,
        urls: &[String],
    ) -> Result<(Option<Arc<Discovery>>, Vec<Rejected>)> {
        if urls.is_empty() || urls.len() > MAX_GIVEN {
            let message = format!("must have 1 to {MAX_URLS} addresses, got {}", urls.len());
            return Err(Error::field("urls", message));
        }
        let pages = &self.vendor_pages;
        let permit = pages.acquire(viewer, read_cost(urls)).await?;
        let (found, rejected) = validate(permit, &pages.fetcher, urls).await?;
        Ok((
            found.map(|found| {
                self.caches
                    .discoveries
                    .insert(viewer.workspace_id, found, now())
            }),
            rejected,
        ))
    }

    /// Returns the page that is to be followed, as this server reads it now or read it for this
    /// workspace some minutes ago.
    ///
    /// # Errors
    /// Returns [`Error::BadInput`] for the list with an invalid address, [`Error::Upstream`] if the page
    /// does not answer, [`Error::RateLimited`] if the viewer has too many other discoveries running.
    pub(super) async fn read_page(
        &self,
        viewer: &Viewer,
        wanted: &SharedPage,
    ) -> Result<Arc<Discovery>> {
        let pages = &self.vendor_pages;
        let (field, given) = wanted.read_urls();
        if let Some(known) = self
            .caches
            .discoveries
            .get_by_urls(viewer.workspace_id, given, now())
        {
            return Ok(known);
        }
        let permit = pages.acquire(viewer, read_cost(given)).await?;
        let found = if wanted.is_user_defined() {
            let (found, rejected) = validate(permit, &pages.fetcher, given).await?;
            let wrong: Vec<_> = rejected
                .iter()
                .map(|one| format!("{}: {}", one.url, one.reason))
                .collect();
            if !wrong.is_empty() {
                return Err(Error::field(field, wrong.join("; ")));
            }
            found.ok_or_else(|| {
                Error::field(field, "must have an address with status data, got none")
            })?
        } else {
            let (fetcher, given) = (pages.fetcher.clone(), given.to_vec());
            run_on_thread(
                permit,
                async move { read_all(&fetcher, field, &given).await },
            )
            .await??
        };
        Ok(self
            .caches
            .discoveries
            .insert(viewer.workspace_id, found, now()))
    }
}

async fn validate(
    permit: DiscoveryPermit,
    fetcher: &Fetcher,
    urls: &[String],
) -> Result<(Option<Discovery>, Vec<Rejected>)> {
    let (fetcher, urls) = (fetcher.clone(), urls.to_vec());
    run_on_thread(permit, async move {
        vendor_pages::validate_urls(&fetcher, &urls).await
    })
    .await
}

/// Returns the cost of reading these addresses.
fn read_cost(urls: &[String]) -> u32 {
    u32::try_from(urls.len().min(MAX_URLS)).unwrap_or(u32::MAX)
}

/// Reads a page as the worker will from now on: one address that fails is an error.
async fn read_all(fetcher: &Fetcher, field: &str, given: &[String]) -> Result<Discovery> {
    let wrong = |url: &str, reason: &dyn std::fmt::Display| {
        FieldError::new(field, format!("{url}: {reason}"))
    };
    let mut urls: Vec<Url> = Vec::new();
    for text in given {
        let url =
            domain::service::address(field, text).map_err(|error| Error::BadInput(vec![error]))?;
        urls.push(Url::parse(&url).map_err(|error| Error::from(vec![wrong(text, &error)]))?);
    }
    let fetcher = fetcher.with_budget(MAX_PAGE_BYTES);
    let validators = Validators::default();
    let responses = join_all(urls.iter().map(|url| read_url(&fetcher, url, &validators))).await;
    let (mut api_urls, mut readings): (Vec<String>, Vec<PartialPage>) = (Vec::new(), Vec::new());
    for (asked, response) in urls.iter().zip(responses) {
        let UrlReading { url, reading, .. } =
            response.map_err(|error| read_error(asked, &error, &wrong))?;
        let reading = reading.ok_or_else(|| {
            Error::Upstream(format!(
                "failed to read {asked}: it answered 304, although nothing was known; try again later"
            ))
        })?;
        let url = String::from(url);
        // The target of a redirect is stored, so it must fit; two addresses with one target are one.
        if url.len() > MAX_URL {
            return Err(Error::field(
                field,
                format!("{asked}: must redirect to an address of at most {MAX_URL} bytes"),
            ));
        }
        if !api_urls.contains(&url) {
            api_urls.push(url);
            readings.push(reading);
        }
    }
    let page =
        page::assemble(readings).map_err(|reason| Error::field(field, reason.to_string()))?;
    Ok(Discovery { api_urls, page })
}

/// Converts the error of reading one of the addresses that were found before.
fn read_error(
    asked: &Url,
    error: &ReadError,
    wrong: &impl Fn(&str, &dyn std::fmt::Display) -> FieldError,
) -> Error {
    match error {
        ReadError::Unreadable(reason) => Error::from(vec![wrong(asked.as_str(), reason)]),
        ReadError::Fetch(failure) => match &failure.error {
            FetchError::Refused(refused) => Error::from(vec![wrong(asked.as_str(), refused)]),
            _ => Error::Upstream(format!(
                "failed to read {asked}: {failure}; try again later"
            )),
        },
    }
}

/// Converts the error of a discovery for the user who entered the address.
fn discovery_error(error: &DiscoveryError) -> Error {
    match error {
        DiscoveryError::Address(_) | DiscoveryError::Refused(_) => {
            Error::field("url", error.to_string())
        }
        DiscoveryError::NotFound(_) | DiscoveryError::NoComponents(_) => Error::field(
            "url",
            format!("{error}: try the address of the vendor page itself, {BY_HAND}"),
        ),
        DiscoveryError::Blocked(refusals) => {
            Error::Upstream(format!("{error}: {}, {BY_HAND}", refusals.advice()))
        }
        DiscoveryError::Unreachable { .. } | DiscoveryError::Unreadable { .. } => Error::Upstream(
            format!("{error}: check the address, try again later, {BY_HAND}"),
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::limiter::DiscoveryLimiter;
    use super::*;
    use tokio::sync::oneshot;
    use uuid::Uuid;

    #[tokio::test]
    async fn vendors_are_read_on_another_thread_while_the_permit_is_held() {
        let (limiter, ada) = (DiscoveryLimiter::default(), Uuid::from_u128(1));
        let permit = limiter.acquire(ada, 1).await.unwrap();
        let there = run_on_thread(permit, async { std::thread::current().id() })
            .await
            .unwrap();
        assert_ne!(there, std::thread::current().id());

        // A request that is dropped cancels its discovery, and the permit is held until then.
        let (begun, beginning) = oneshot::channel();
        let (ended, ending) = oneshot::channel::<()>();
        let permit = limiter.acquire(ada, 1).await.unwrap();
        let asking = tokio::spawn(run_on_thread(permit, async move {
            let _ended = ended;
            let _ = begun.send(());
            std::future::pending::<()>().await;
        }));
        beginning.await.unwrap();
        asking.abort();
        assert!(
            tokio::time::timeout(DISCOVERY_TIMEOUT, ending)
                .await
                .unwrap()
                .is_err(),
            "it was dropped, not sent"
        );
    }
}
