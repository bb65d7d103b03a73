//! Finding vendor pages for users, and reading those that they want to follow: what a client says about a page is
//! never believed, because all users who follow it share what is kept of it.
//!
//! What somebody found is remembered for some minutes, for them alone, so that adding the service asks the vendor no second
//! time. Nothing is wrong without that memory.

mod places;
mod recent;

use super::service::Page;
use super::{Error, Ops, Result, now};
use crate::auth::Viewer;
use domain::service::{FieldError, MAX_URL};
use futures::future::join_all;
use net::fetch::Validators;
use net::{FetchError, Fetcher};
use places::{Place, Places, SEARCH};
use recent::Recent;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;
use vendor_pages::discovery::MAX_URLS;
use vendor_pages::page::{self, Reading};
use vendor_pages::{Discovery, DiscoveryError, Rejected};

/// The time for each request to a vendor.
const PATIENCE: Duration = Duration::from_secs(4);
/// The time for everything that one search takes, within what a person waits.
const WHOLE: Duration = Duration::from_secs(11);
/// The most bytes of one answer, as in a search.
const MAX_BYTES: usize = 1 << 20;
/// How many addresses may be given for a look; more than a page has, fewer than would flood an answer.
const MAX_GIVEN: usize = 50;

/// What to do when a search was in vain.
const BY_HAND: &str = "or give the addresses of its JSON answers by hand";

/// Looks at vendor pages on behalf of users. Clones share it.
#[derive(Debug, Clone)]
pub struct VendorPages {
    fetcher: Fetcher,
    places: Places,
    recent: Arc<Recent>,
}

impl VendorPages {
    /// One that asks through `fetcher`.
    #[must_use]
    pub fn new(fetcher: &Fetcher) -> Self {
        let fetcher = fetcher.within(PATIENCE).up_to(MAX_BYTES);
        Self {
            fetcher,
            places: Places::default(),
            recent: Arc::default(),
        }
    }

    /// A place among those that look at the moment, for a look that counts as `weight`.
    async fn begin(&self, viewer: &Viewer, weight: u32) -> Result<Place> {
        self.places.take(viewer.user_id, weight).await
    }

    /// What this workspace read lately of the page with this key.
    pub(super) fn own(&self, workspace: Uuid, key: &str) -> Option<Arc<Discovery>> {
        self.recent.by_key(workspace, key, now())
    }
}

/// Asks vendors and reads what they say, on a thread of its own: reading a MiB takes long enough to keep everybody else
/// waiting. The place is held until that is over, so there are never more such threads than places, and it is over soon
/// when nobody waits for it any more.
async fn aside<T: Send + 'static>(
    place: Place,
    asking: impl Future<Output = T> + Send + 'static,
) -> Result<T> {
    let (runtime, given_up) = (tokio::runtime::Handle::current(), CancellationToken::new());
    let _when_dropped = given_up.clone().drop_guard();
    let asked = tokio::task::spawn_blocking(move || {
        let _place = place;
        runtime.block_on(async {
            tokio::time::timeout(WHOLE, given_up.run_until_cancelled(Box::pin(asking))).await
        })
    });
    match asked.await {
        Ok(Ok(Some(answer))) => Ok(answer),
        Ok(Ok(None) | Err(_)) => {
            let seconds = WHOLE.as_secs();
            Err(Error::Upstream(format!(
                "no answer within {seconds} s: try again later, {BY_HAND}"
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

impl Ops {
    /// Finds the vendor page behind any address.
    ///
    /// # Errors
    /// [`Error::BadInput`] under `url` when there is none, [`Error::Upstream`] when it cannot be read at the moment,
    /// [`Error::RateLimited`] when the viewer has others looked for already.
    pub async fn discover_page(&self, viewer: &Viewer, url: &str) -> Result<Arc<Discovery>> {
        let pages = &self.vendor_pages;
        let place = pages.begin(viewer, SEARCH).await?;
        let (fetcher, url) = (pages.fetcher.clone(), url.to_owned());
        let found = aside(place, async move {
            vendor_pages::discover(&fetcher, &url).await
        })
        .await?;
        let found = found.map_err(|error| not_found(&error))?;
        Ok(pages.recent.keep(viewer.workspace_id, found, now()))
    }

    /// Keeps those of addresses given by hand that have components, incidents or maintenance, and says of each other one
    /// why not; `None` when nothing is left.
    ///
    /// # Errors
    /// [`Error::BadInput`] under `urls` when there are none or far too many, [`Error::Upstream`] when it takes too long,
    /// [`Error::RateLimited`] when the viewer has others looked at already.
    pub async fn validate_page_urls(
        &self,
        viewer: &Viewer,
        urls: &[String],
    ) -> Result<(Option<Arc<Discovery>>, Vec<Rejected>)> {
        if urls.is_empty() || urls.len() > MAX_GIVEN {
            let message = format!("has {} addresses, give 1 to {MAX_URLS}", urls.len());
            return Err(Error::field("urls", message));
        }
        let pages = &self.vendor_pages;
        let place = pages.begin(viewer, addresses(urls)).await?;
        let (found, rejected) = validated(place, &pages.fetcher, urls).await?;
        Ok((
            found.map(|found| pages.recent.keep(viewer.workspace_id, found, now())),
            rejected,
        ))
    }

    /// What the page says that is to be followed, as it was read by this server: just now, or for this very viewer some
    /// minutes ago.
    ///
    /// # Errors
    /// [`Error::BadInput`] under the list that holds a wrong address, [`Error::Upstream`] when the page does not answer,
    /// [`Error::RateLimited`] when the viewer has others looked at already.
    pub(super) async fn read_page(&self, viewer: &Viewer, wanted: &Page) -> Result<Arc<Discovery>> {
        let pages = &self.vendor_pages;
        let (field, given) = wanted.addresses();
        if let Some(known) = pages.recent.find(viewer.workspace_id, given, now()) {
            return Ok(known);
        }
        let place = pages.begin(viewer, addresses(given)).await?;
        let found = if wanted.by_hand() {
            let (found, rejected) = validated(place, &pages.fetcher, given).await?;
            let wrong: Vec<_> = rejected
                .iter()
                .map(|one| format!("{}: {}", one.url, one.reason))
                .collect();
            if !wrong.is_empty() {
                return Err(Error::field(field, wrong.join("; ")));
            }
            found.ok_or_else(|| Error::field(field, "none of the addresses has status data"))?
        } else {
            let (fetcher, given) = (pages.fetcher.clone(), given.to_vec());
            aside(
                place,
                async move { read_all(&fetcher, field, &given).await },
            )
            .await??
        };
        Ok(pages.recent.keep(viewer.workspace_id, found, now()))
    }
}

async fn validated(
    place: Place,
    fetcher: &Fetcher,
    urls: &[String],
) -> Result<(Option<Discovery>, Vec<Rejected>)> {
    let (fetcher, urls) = (fetcher.clone(), urls.to_vec());
    aside(place, async move {
        vendor_pages::validate_urls(&fetcher, &urls).await
    })
    .await
}

/// What it counts as that these are read.
fn addresses(urls: &[String]) -> u32 {
    u32::try_from(urls.len().min(MAX_URLS)).unwrap_or(u32::MAX)
}

/// Reads a page as it is read every minute from now on: every one of its answers, or it is none.
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
    let answers = join_all(urls.iter().map(|url| async {
        let answer = fetcher.get(url, &Validators::default()).await;
        answer.map(|fetched| (fetched.url, fetched.body.unwrap_or_default()))
    }))
    .await;
    let (mut api_urls, mut readings): (Vec<String>, Vec<Reading>) = (Vec::new(), Vec::new());
    for (asked, answer) in urls.iter().zip(answers) {
        let (url, body) = answer.map_err(|error| match error {
            FetchError::Refused(refused) => Error::from(vec![wrong(asked.as_str(), &refused)]),
            error => Error::Upstream(format!(
                "{asked} does not answer as it should: {error}; try again later"
            )),
        })?;
        let reading = page::read(&url, &body);
        let reading = reading.map_err(|reason| Error::from(vec![wrong(url.as_str(), &reason)]))?;
        let url = String::from(url);
        // Two that lead to one place are one. And what a redirect leads to is kept, so that has to fit as well.
        if url.len() > MAX_URL {
            return Err(Error::field(
                field,
                format!("{asked} leads to an address longer than {MAX_URL} bytes"),
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

/// The refusal that somebody gets who typed an address.
fn not_found(error: &DiscoveryError) -> Error {
    match error {
        DiscoveryError::Address(_) | DiscoveryError::Refused(_) => {
            Error::field("url", error.to_string())
        }
        DiscoveryError::NotFound(_) | DiscoveryError::NoComponents(_) => Error::field(
            "url",
            format!("{error}: try the address of the vendor page itself, {BY_HAND}"),
        ),
        DiscoveryError::Unreachable { .. } | DiscoveryError::Unreadable { .. } => Error::Upstream(
            format!("{error}: check the address, try again later, {BY_HAND}"),
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn vendors_are_read_on_another_thread_within_the_places() {
        let (places, ada) = (Places::default(), Uuid::from_u128(1));
        let place = places.take(ada, 1).await.unwrap();
        let there = aside(place, async { std::thread::current().id() })
            .await
            .unwrap();
        assert_ne!(there, std::thread::current().id());

        // Who goes away ends what was asked for them, and has their place until then.
        let (begun, beginning) = oneshot::channel();
        let (ended, ending) = oneshot::channel::<()>();
        let place = places.take(ada, 1).await.unwrap();
        let asking = tokio::spawn(aside(place, async move {
            let _ended = ended;
            let _ = begun.send(());
            std::future::pending::<()>().await;
        }));
        beginning.await.unwrap();
        asking.abort();
        assert!(
            tokio::time::timeout(WHOLE, ending).await.unwrap().is_err(),
            "it was dropped, not sent"
        );
    }
}
