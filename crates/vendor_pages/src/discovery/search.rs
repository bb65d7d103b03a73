//! Requests candidates in rounds, and picks the page with components among the responses.

use super::Discovery;
use super::candidates::{Candidate, endpoints};
use crate::page::{self, PROVIDERS, PartialPage, Unreadable};
use crate::reader::{self, ReadError};
use futures::future::join_all;
use net::challenge;
use net::fetch::{FetchFailure, Fetcher, Redirects, Validators};
use std::collections::HashSet;
use url::{Origin, Url};

/// Maximum number of hosts that a round redirects to and that are searched too.
const MAX_REDIRECT_TARGETS: usize = 3;

/// Which redirects to other hosts are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RedirectPolicy {
    Any,
    PermanentOnly,
}

/// A search for one page.
pub(super) struct Search {
    fetcher: Fetcher,
    policy: RedirectPolicy,
    requested: HashSet<Url>,
    /// Servers on which the candidates of all providers were requested.
    searched: HashSet<Origin>,
}

/// Results of the candidates of one round.
#[derive(Default)]
pub(super) struct Round {
    readings: Vec<(Candidate, Url, PartialPage)>,
    /// Pages for people, with their addresses.
    pub(super) pages: Vec<(Url, String)>,
    pub(super) unreadable: Vec<(Url, Unreadable)>,
    /// Failures, with the requested URLs.
    pub(super) failed: Vec<(Url, Box<FetchFailure>)>,
    /// Final URLs of redirects to other servers.
    redirected: Vec<Url>,
}

impl Search {
    pub(super) fn new(fetcher: Fetcher, policy: RedirectPolicy) -> Self {
        Self {
            fetcher,
            policy,
            requested: HashSet::new(),
            searched: HashSet::new(),
        }
    }

    /// Requests the candidates that were not requested before.
    pub(super) async fn run(&mut self, candidates: Vec<Candidate>) -> Round {
        let new: Vec<_> = candidates
            .into_iter()
            .filter(|candidate| self.requested.insert(candidate.url.clone()))
            .collect();
        self.searched
            .extend(new.iter().map(|candidate| candidate.url.origin()));
        let (fetcher, policy) = (&self.fetcher, self.policy);
        let responses = join_all(new.into_iter().map(|candidate| async move {
            let response = request(fetcher, policy, &candidate.url).await;
            (candidate, response)
        }))
        .await;
        let mut round = Round::default();
        let mut read = HashSet::new();
        for (candidate, response) in responses {
            round.add(candidate, response, &mut read);
        }
        round
    }

    /// Returns the candidates on servers that `round` was redirected to and that were not searched yet.
    pub(super) fn redirect_targets(&mut self, round: &Round) -> Vec<Candidate> {
        let mut targets = Vec::new();
        for (place, url) in round
            .redirected
            .iter()
            .filter(|url| self.searched.insert(url.origin()))
            .take(MAX_REDIRECT_TARGETS)
            .enumerate()
        {
            targets.extend(endpoints(url, place));
        }
        targets
    }
}

/// What a candidate returned.
enum Response {
    Read(Url, Box<PartialPage>),
    /// A page for people.
    Page(Url, String),
    Unreadable(Url, Unreadable),
    Failed(Box<FetchFailure>),
    /// A temporary redirect to another host that is not followed.
    NotFollowed,
}

async fn request(fetcher: &Fetcher, policy: RedirectPolicy, url: &Url) -> Response {
    let follows = |redirects: Redirects, to: &Url| {
        policy == RedirectPolicy::Any
            || redirects != Redirects::Temporary
            || to.host() == url.host()
    };
    let fetched = match fetcher.fetch(url, &Validators::default()).await {
        Ok(fetched) if follows(fetched.redirects, &fetched.url) => fetched,
        Err(failure) if follows(failure.redirects, &failure.url) => {
            return Response::Failed(failure);
        }
        Ok(_) | Err(_) => return Response::NotFollowed,
    };
    let (url, body) = (fetched.url, fetched.body.unwrap_or_default());
    let first = match page::read(&url, &body) {
        Ok(first) => first,
        Err(Unreadable::Html) => {
            return Response::Page(url, String::from_utf8_lossy(&body).into_owned());
        }
        Err(reason) => return Response::Unreadable(url, reason),
    };
    match reader::read_rest(fetcher, first).await {
        Ok(reading) => Response::Read(url, Box::new(reading)),
        Err(ReadError::Unreadable(reason)) => Response::Unreadable(url, reason),
        Err(ReadError::Fetch(failure)) => Response::Failed(failure),
    }
}

impl Round {
    fn add(&mut self, candidate: Candidate, response: Response, read: &mut HashSet<Url>) {
        let to = match &response {
            Response::Read(url, _) | Response::Page(url, _) | Response::Unreadable(url, _) => url,
            Response::Failed(failure) => &failure.url,
            Response::NotFollowed => return,
        };
        if to.origin() != candidate.url.origin() {
            self.redirected.push(to.clone());
        }
        if !matches!(response, Response::Failed(_)) && !read.insert(to.clone()) {
            return;
        }
        match response {
            Response::Read(url, reading) => self.readings.push((candidate, url, *reading)),
            Response::Page(url, html) => self.pages.push((url, html)),
            Response::Unreadable(url, reason) => self.unreadable.push((url, reason)),
            Response::Failed(failure) => self.failed.push((candidate.url, failure)),
            Response::NotFollowed => {}
        }
    }

    /// Returns the URL of a response without components, incidents and maintenance to follow.
    pub(super) fn without_components(&self) -> Option<&Url> {
        self.readings.first().map(|(_, url, _)| url)
    }

    /// Returns the pages for people that are challenges of a protection against bots.
    pub(super) fn challenges(&self) -> impl Iterator<Item = (&Url, String)> {
        self.pages
            .iter()
            .filter(|(_, html)| challenge::has_challenge_title(html))
            .map(|(url, html)| (url, challenge::title(html).unwrap_or_default()))
    }

    /// The page with components that comes first: by where it was looked for, then by its provider.
    pub(super) fn best(&self) -> Option<Discovery> {
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
