//! Discovers the vendor page behind any address: its API URLs and their current content.
//!
//! Requests the API URLs of all known providers concurrently, with a short timeout and through the
//! fetcher's guard. Does not decide which components are followed.

mod candidates;
mod failure;
mod references;
mod refusals;
mod search;

pub use refusals::Refusals;

use crate::page::{self, Page, Unreadable};
use crate::reader::{self, MAX_PAGE_BYTES, UrlReading};
use futures::future::join_all;
use net::fetch::{Fetcher, Validators};
use net::guard::Refused;
use search::{RedirectPolicy, Search};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::time::Duration;

/// Timeout of each request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of all responses of a search together, in bytes. About sixty run at once, and many
/// sites answer each with a page for people.
const MAX_SEARCH_BYTES: usize = 24 << 20;
/// Maximum number of API URLs that a user can enter.
pub const MAX_URLS: usize = 10;
/// Maximum length in bytes of a key that is not hashed. PostgreSQL allows 2,704 bytes per index row.
const MAX_KEY: usize = 1_000;

/// A discovered vendor page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// The minimal set of API URLs, all of which are fetched on each poll.
    pub api_urls: Vec<String>,
    /// Current content of the page.
    pub page: Page,
}

impl Discovery {
    /// Returns the key that identifies the page: its API URLs, in any order.
    #[must_use]
    pub fn key(&self) -> String {
        key(&self.api_urls)
    }
}

/// Returns the [`Discovery::key`] of these API URLs: the URLs, or a digest if they are too long.
#[must_use]
pub fn key(api_urls: &[String]) -> String {
    let mut urls: Vec<&str> = api_urls.iter().map(String::as_str).collect();
    urls.sort_unstable();
    urls.dedup();
    let key = urls.join("\n");
    if key.len() <= MAX_KEY {
        key
    } else {
        format!("sha256:{}", hex::encode(Sha256::digest(key)))
    }
}

/// A URL entered by a user that is not usable, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The URL as entered.
    pub url: String,
    /// The reason, without a full stop.
    pub reason: String,
}

/// Error of a discovery. `Display` is a message for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// The address is not a web address.
    #[error("this is not a web address: {0}")]
    Address(String),
    /// The guard refused the address.
    #[error("{0}, which this server does not request")]
    Refused(Refused),
    /// No server responded.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// The host of the address.
        host: String,
        /// Why.
        reason: String,
    },
    /// Servers answered, but refused to serve what was requested.
    #[error("{0}")]
    Blocked(Refusals),
    /// There is status data that cannot be parsed.
    #[error("the status data at {url} cannot be read: {reason}")]
    Unreadable {
        /// Where it is.
        url: String,
        /// Why.
        reason: Unreadable,
    },
    /// The vendor page has no components, incidents or maintenance.
    #[error("the vendor page at {0} lists no components")]
    NoComponents(String),
    /// Servers responded, but not with a known format.
    #[error("no known kind of vendor page was found at {0} or at addresses that it refers to")]
    NotFound(String),
}

/// Finds the vendor page behind `address`: the page, a deep link into it, its API, the vendor's site
/// or a bare host. Also looks where the address redirects to.
///
/// # Errors
/// Returns why no page was found.
pub async fn discover(fetcher: &Fetcher, address: &str) -> Result<Discovery, DiscoveryError> {
    search(fetcher, address, RedirectPolicy::Any).await
}

/// Finds a page that its vendor may have moved away from `address`. Unlike [`discover`], does not
/// follow temporary redirects to another host: they do not say that the page has moved.
///
/// # Errors
/// Returns why no page was found.
pub async fn rediscover(fetcher: &Fetcher, address: &str) -> Result<Discovery, DiscoveryError> {
    search(fetcher, address, RedirectPolicy::PermanentOnly).await
}

async fn search(
    fetcher: &Fetcher,
    address: &str,
    policy: RedirectPolicy,
) -> Result<Discovery, DiscoveryError> {
    let given = candidates::address(address).map_err(DiscoveryError::Address)?;
    let fetcher = fetcher
        .within(REQUEST_TIMEOUT)
        .with_budget(MAX_SEARCH_BYTES);
    let mut search = Search::new(fetcher, policy);
    let first = search.run(candidates::around(&given)).await;
    if let Some(found) = first.best() {
        return Ok(found);
    }
    // The page may be where the address redirects to, and pages for people may say where the data is: on another
    // host, or under an address that holds an id.
    let mut elsewhere = search.redirect_targets(&first);
    candidates::append(&mut elsewhere, references::candidates(&first.pages));
    let second = search.run(elsewhere).await;
    if let Some(found) = second.best() {
        return Ok(found);
    }
    let mut elsewhere = search.redirect_targets(&second);
    candidates::append(&mut elsewhere, references::hints(&second.pages));
    let third = search.run(elsewhere).await;
    if let Some(found) = third.best() {
        return Ok(found);
    }
    Err(failure::explain(&given, &[&first, &second, &third]))
}

/// Keeps the entered URLs that have components, incidents or maintenance, and returns why the others
/// are not usable. Returns `None` if none is left.
pub async fn validate_urls(
    fetcher: &Fetcher,
    urls: &[String],
) -> (Option<Discovery>, Vec<Rejected>) {
    let fetcher = fetcher.within(REQUEST_TIMEOUT).with_budget(MAX_PAGE_BYTES);
    let mut seen = HashSet::new();
    let (mut wanted, mut rejected) = (Vec::new(), Vec::new());
    for url in urls {
        let mut reject = |reason: String| {
            rejected.push(Rejected {
                url: url.clone(),
                reason,
            });
        };
        match candidates::address(url) {
            Err(reason) => reject(format!("this is not a web address: {reason}")),
            Ok(parsed) if !seen.insert(parsed.clone()) => reject("it is given twice".into()),
            Ok(_) if wanted.len() == MAX_URLS => {
                reject(format!("no more than {MAX_URLS} addresses are read"));
            }
            Ok(parsed) => wanted.push((url, parsed)),
        }
    }
    let answers = join_all(wanted.into_iter().map(|(text, url)| {
        let fetcher = &fetcher;
        let validators = Validators::default();
        async move { (text, reader::read_url(fetcher, &url, &validators).await) }
    }))
    .await;
    let (mut api_urls, mut readings) = (Vec::new(), Vec::new());
    for (text, answer) in answers {
        let mut reject = |reason: String| {
            rejected.push(Rejected {
                url: text.clone(),
                reason,
            });
        };
        let (url, reading) = match answer {
            Ok(UrlReading {
                url,
                reading: Some(reading),
                ..
            }) => (String::from(url), reading),
            Ok(UrlReading { reading: None, .. }) => {
                reject("it answered 304, although nothing was known".into());
                continue;
            }
            Err(error) => {
                reject(error.to_string());
                continue;
            }
        };
        if !reading.contributes() {
            reject("it has no components, incidents or maintenance".into());
        } else if api_urls.contains(&url) {
            // Two that lead to one place are one.
            reject("it is given twice".into());
        } else {
            api_urls.push(url);
            readings.push(reading);
        }
    }
    let found = page::assemble(readings)
        .ok()
        .map(|page| Discovery { api_urls, page });
    (found, rejected)
}
