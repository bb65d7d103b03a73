//! Discovers the vendor page behind any address: its API URLs and their current content.
//!
//! Requests the API URLs of all known providers concurrently, with a short timeout and through the
//! fetcher's guard. Does not decide which components are followed.

mod candidates;
mod references;

use crate::page::{self, PROVIDERS, Page, PartialPage, Unreadable};
use candidates::Candidate;
use futures::future::join_all;
use net::fetch::{FetchError, Fetched, Fetcher, Validators};
use net::guard::Refused;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::time::Duration;
use url::Url;

/// Timeout of each request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of a response. About sixty run at once, and the largest known page has 230 KB.
const MAX_BYTES: usize = 1 << 20;
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
/// or a bare host.
///
/// # Errors
/// Returns why no page was found.
pub async fn discover(fetcher: &Fetcher, address: &str) -> Result<Discovery, DiscoveryError> {
    let given = candidates::address(address).map_err(DiscoveryError::Address)?;
    let host = given.host_str().unwrap_or_default().to_owned();
    let fetcher = fetcher.within(REQUEST_TIMEOUT).up_to(MAX_BYTES);
    let mut asked = HashSet::new();
    let first = ask(&fetcher, candidates::around(&given), &mut asked).await;
    if let Some(found) = first.best() {
        return Ok(found);
    }
    // The pages for people may say where the data is: on another host, or under an address that holds an id.
    let second = ask(&fetcher, references::candidates(&first.pages), &mut asked).await;
    if let Some(found) = second.best() {
        return Ok(found);
    }
    let third = ask(&fetcher, references::hints(&second.pages), &mut asked).await;
    if let Some(found) = third.best() {
        return Ok(found);
    }
    Err(why_not(&given, host, &[&first, &second, &third]))
}

/// Keeps the entered URLs that have components, incidents or maintenance, and returns why the others
/// are not usable. Returns `None` if none is left.
pub async fn validate_urls(
    fetcher: &Fetcher,
    urls: &[String],
) -> (Option<Discovery>, Vec<Rejected>) {
    let fetcher = fetcher.within(REQUEST_TIMEOUT).up_to(MAX_BYTES);
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
        async move { (text, fetcher.get(&url, &Validators::default()).await) }
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
        match answer {
            Err(error) => reject(error.to_string()),
            Ok(Fetched { url, body, .. }) => {
                match page::read(&url, &body.unwrap_or_default()) {
                    Err(reason) => reject(reason.to_string()),
                    Ok(reading) if !reading.contributes() => {
                        reject("it has no components, incidents or maintenance".into());
                    }
                    // Two that lead to one place are one.
                    Ok(_) if api_urls.contains(&String::from(url.clone())) => {
                        reject("it is given twice".into());
                    }
                    Ok(reading) => {
                        api_urls.push(url.into());
                        readings.push(reading);
                    }
                }
            }
        }
    }
    let found = page::assemble(readings)
        .ok()
        .map(|page| Discovery { api_urls, page });
    (found, rejected)
}

/// Results of the candidates of one round.
#[derive(Default)]
struct Round {
    readings: Vec<(Candidate, Url, PartialPage)>,
    /// Pages for people, with their addresses.
    pages: Vec<(Url, String)>,
    unreadable: Vec<(Url, Unreadable)>,
    failed: Vec<(Url, FetchError)>,
}

async fn ask(fetcher: &Fetcher, candidates: Vec<Candidate>, asked: &mut HashSet<Url>) -> Round {
    let new: Vec<_> = candidates
        .into_iter()
        .filter(|candidate| asked.insert(candidate.url.clone()))
        .collect();
    let answers = join_all(new.into_iter().map(|candidate| async move {
        let answer = fetcher.get(&candidate.url, &Validators::default()).await;
        (candidate, answer)
    }))
    .await;
    let mut round = Round::default();
    let mut read = HashSet::new();
    for (candidate, answer) in answers {
        let (url, body) = match answer {
            Ok(fetched) => (fetched.url, fetched.body.unwrap_or_default()),
            Err(error) => {
                round.failed.push((candidate.url, error));
                continue;
            }
        };
        if !read.insert(url.clone()) {
            continue;
        }
        match page::read(&url, &body) {
            Ok(reading) => round.readings.push((candidate, url, reading)),
            Err(Unreadable::Html) => round
                .pages
                .push((url, String::from_utf8_lossy(&body).into_owned())),
            Err(reason) => round.unreadable.push((url, reason)),
        }
    }
    round
}

impl Round {
    /// The page with components that comes first: by where it was looked for, then by its provider.
    fn best(&self) -> Option<Discovery> {
        let with_components = |reading: &PartialPage| {
            reading
                .components
                .as_ref()
                .is_some_and(|list| !list.is_empty())
        };
        let rank = |name: &str| PROVIDERS.iter().position(|provider| provider.name == name);
        let (place, provider) = self
            .readings
            .iter()
            .filter(|(_, _, reading)| with_components(reading))
            .map(|(candidate, _, reading)| (candidate.place, reading.provider))
            .min_by_key(|(place, provider)| (*place, rank(provider)))?;
        let mut of_page: Vec<_> = self
            .readings
            .iter()
            .filter(|(candidate, _, reading)| {
                candidate.place == place && reading.provider == provider
            })
            .collect();
        // A summary first, so that lists with no more than it has are left out.
        of_page.sort_by_key(|(_, _, reading)| {
            !(reading.components.is_some()
                && reading.incidents.is_some()
                && reading.maintenances.is_some())
        });
        let (mut api_urls, mut kept): (Vec<String>, Vec<PartialPage>) = (Vec::new(), Vec::new());
        for (_, url, reading) in of_page {
            if adds_to(&kept, reading) {
                api_urls.push(url.clone().into());
                kept.push(reading.clone());
            }
        }
        let page = page::assemble(kept).ok()?;
        Some(Discovery { api_urls, page })
    }
}

/// Returns whether `reading` has anything that `kept` do not have. Each URL that is not needed saves a
/// request on every poll.
fn adds_to(kept: &[PartialPage], reading: &PartialPage) -> bool {
    fn new<T>(
        kept: &[PartialPage],
        list: fn(&PartialPage) -> &Option<Vec<T>>,
        id: fn(&T) -> &String,
        reading: &PartialPage,
    ) -> bool {
        let Some(own) = list(reading) else {
            return false;
        };
        let others: Vec<_> = kept
            .iter()
            .filter_map(|other| list(other).as_ref())
            .collect();
        let known: HashSet<&String> = others.iter().flat_map(|list| list.iter().map(id)).collect();
        others.is_empty() || own.iter().any(|item| !known.contains(id(item)))
    }
    new(
        kept,
        |reading| &reading.components,
        |component| &component.id,
        reading,
    ) || new(
        kept,
        |reading| &reading.incidents,
        |incident| &incident.id,
        reading,
    ) || new(
        kept,
        |reading| &reading.maintenances,
        |maintenance| &maintenance.id,
        reading,
    )
}

/// Returns the most specific error: the one closest to a vendor page.
fn why_not(given: &Url, host: String, rounds: &[&Round]) -> DiscoveryError {
    if let Some((_, url, _)) = rounds.iter().flat_map(|round| &round.readings).next() {
        return DiscoveryError::NoComponents(url.to_string());
    }
    let unreadable = rounds
        .iter()
        .flat_map(|round| &round.unreadable)
        .find(|(_, reason)| *reason != Unreadable::Empty);
    if let Some((url, reason)) = unreadable {
        return DiscoveryError::Unreadable {
            url: url.to_string(),
            reason: reason.clone(),
        };
    }
    let failure = |url: &Url| {
        rounds
            .iter()
            .flat_map(|round| &round.failed)
            .find(|(of, _)| of == url)
    };
    match failure(given) {
        Some((_, FetchError::Refused(refused))) => DiscoveryError::Refused(refused.clone()),
        // A status code is an answer: somebody is there.
        Some((_, FetchError::Status { .. })) | None => DiscoveryError::NotFound(host),
        Some((_, error)) => DiscoveryError::Unreachable {
            host,
            reason: error.to_string(),
        },
    }
}
