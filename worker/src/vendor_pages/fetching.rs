//! Asks a page's addresses, all at once, and puts their answers together. Keeps nothing but what a 304 refers to, and
//! decides nothing about what an answer means.

use super::content::Spoken;
use crate::metrics;
use crate::stats::{Stats, add};
use chrono::{DateTime, Utc};
use entity::vendor_page;
use futures::future::join_all;
use net::fetch::Validators;
use net::{FetchError, Fetched, Fetcher};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tracing::Instrument as _;
use url::Url;
use uuid::Uuid;
use vendor_pages::page::{Page, Reading, Unreadable, assemble, read};

/// The time for each address.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of each answer: the largest page known has 230 KB, and discovery takes half of this.
const MAX_BYTES: usize = 2 << 20;

/// How long answers are kept that are not asked for again, and of how many pages at most.
const KEPT_FOR: Duration = Duration::from_secs(3600);
const MOST_KEPT: usize = 500;

/// What a page's addresses answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// This, as far as it speaks, and what to recognise it by the next time.
    Said(Box<Page>, Spoken, Option<Value>),
    /// The same as when it was read last.
    Unchanged(Option<Value>),
}

/// Why a page could not be read.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// For people, one sentence without a full stop.
    pub(crate) message: String,
    pub(crate) kind: Kind,
    /// How long the server wishes to be left alone.
    pub(crate) rest: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing came, or the server says that it is in trouble.
    Unreachable,
    /// The server says that it is asked too often.
    Limited,
    /// Something came, but not what this page says: the vendor may have moved.
    Unreadable,
}

impl Failure {
    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind: Kind::Unreadable,
            rest: None,
        }
    }
}

/// Asks pages. Clones share what is kept.
#[derive(Debug, Clone)]
pub(crate) struct Fetching {
    fetcher: Fetcher,
    /// The last answers of pages with several addresses: where one of them is unchanged, the page is put together with
    /// what that one said. A page with one address needs none, because what it said is in the database.
    kept: Arc<Mutex<KeptOfAll>>,
    stats: Arc<Stats>,
}

/// By page, and since when.
type KeptOfAll = HashMap<Uuid, (Instant, Arc<Vec<Kept>>)>;

#[derive(Debug)]
struct Kept {
    url: Url,
    validators: Validators,
    reading: Reading,
}

impl Fetching {
    pub(crate) fn new(fetcher: &Fetcher, stats: Arc<Stats>) -> Self {
        Self {
            fetcher: fetcher.within(PATIENCE).up_to(MAX_BYTES),
            kept: Arc::default(),
            stats,
        }
    }

    /// What detection asks through: with bounds of its own.
    pub(crate) fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// Asks all addresses of `page`.
    pub(crate) async fn ask(
        &self,
        page: &vendor_page::Model,
        now: DateTime<Utc>,
    ) -> Result<Answer, Failure> {
        let begun = Instant::now();
        let span = tracing::debug_span!(target: "traces", "page_fetch", page = %page.id, provider = page.provider);
        let asked = self.ask_all(page, now).instrument(span).await;
        let pages = &self.stats.pages;
        let (counter, result) = match &asked {
            Ok((_, false)) => (&pages.read, "read"),
            Ok((_, true)) => (&pages.unchanged, "unchanged"),
            Err(failure) => match failure.kind {
                Kind::Unreachable => (&pages.unreachable, "unreachable"),
                Kind::Limited => (&pages.limited, "limited"),
                Kind::Unreadable => (&pages.unreadable, "unreadable"),
            },
        };
        metrics::fetched(page.provider.as_deref(), result, begun.elapsed());
        add(counter, 1);
        asked.map(|(answer, _)| answer)
    }

    /// Drops what is kept of a page that is followed no more.
    pub(crate) fn forget(&self, page: Uuid) {
        self.kept().remove(&page);
    }

    /// The answer, and whether nothing in it is new.
    async fn ask_all(
        &self,
        page: &vendor_page::Model,
        now: DateTime<Utc>,
    ) -> Result<(Answer, bool), Failure> {
        let urls = addresses(page)?;
        let kept = self.kept().get(&page.id).map(|(_, kept)| Arc::clone(kept));
        let kept = kept.filter(|kept| kept.iter().map(|one| &one.url).eq(&urls));
        let validators: Vec<_> = match (&kept, &urls[..]) {
            (_, [url]) => vec![stored(page, url)],
            (Some(kept), _) => kept.iter().map(|one| one.validators.clone()).collect(),
            (None, _) => vec![Validators::default(); urls.len()],
        };
        let requests = urls
            .iter()
            .zip(&validators)
            .map(|(url, validators)| self.fetcher.get(url, validators));
        add(&self.stats.pages.requests, urls.len());
        let answers: Vec<Fetched> = whole(&urls, join_all(requests).await, now)?;
        let unchanged = answers.iter().all(|answer| answer.body.is_none());

        if let ([url], [answer]) = (&urls[..], &answers[..]) {
            let validators = validators_of(url, &answer.validators);
            if unchanged {
                return Ok((Answer::Unchanged(validators), true));
            }
        }
        let mut new = Vec::with_capacity(urls.len());
        for (i, (url, answer)) in urls.iter().zip(answers).enumerate() {
            let reading = match (answer.body, &kept) {
                (Some(body), _) => parsed(answer.url, body)
                    .await
                    .map_err(|why| failure(&urls, url, &why))?,
                (None, Some(kept)) => kept[i].reading.clone(),
                (None, None) => {
                    return Err(Failure::unreadable(
                        "answered 304 although nothing was known",
                    ));
                }
            };
            new.push(Kept {
                url: url.clone(),
                validators: answer.validators,
                reading,
            });
        }
        let spoken = Spoken::by(new.iter().map(|one| &one.reading));
        let said = assemble(new.iter().map(|one| one.reading.clone()).collect());
        let said = said.map_err(|why| Failure::unreadable(why.to_string()))?;
        let validators = match &new[..] {
            [one] => validators_of(&one.url, &one.validators),
            _ => None,
        };
        if new.len() > 1 {
            keep(&mut self.kept(), page.id, Arc::new(new), Instant::now());
        }
        Ok((Answer::Said(Box::new(said), spoken, validators), unchanged))
    }

    fn kept(&self) -> MutexGuard<'_, KeptOfAll> {
        self.kept
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

/// Keeps `new` of `page`, and no more of others than is of use: what another worker asks by now, or nobody, goes after a
/// while, and of too many the oldest. A page of which nothing is kept is asked for everything.
fn keep<T>(kept: &mut HashMap<Uuid, (Instant, T)>, page: Uuid, new: T, now: Instant) {
    kept.retain(|_, (at, _)| now.duration_since(*at) < KEPT_FOR);
    kept.insert(page, (now, new));
    if kept.len() > MOST_KEPT
        && let Some(oldest) = kept
            .iter()
            .min_by_key(|(_, (at, _))| *at)
            .map(|(id, _)| *id)
    {
        kept.remove(&oldest);
    }
}

/// The addresses of a page, one at least.
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

/// Every answer, or why the page cannot be put together: what only one address has would look as if it were gone.
fn whole(
    urls: &[Url],
    answers: Vec<Result<Fetched, FetchError>>,
    now: DateTime<Utc>,
) -> Result<Vec<Fetched>, Failure> {
    let mut failed: Option<Failure> = None;
    let mut whole = Vec::with_capacity(answers.len());
    for (url, answer) in urls.iter().zip(answers) {
        let error = match answer {
            Ok(fetched) => {
                whole.push(fetched);
                continue;
            }
            Err(error) => error,
        };
        let (kind, rest) = judged(&error, now);
        let rest = rest.max(failed.as_ref().and_then(|first| first.rest));
        failed = match failed {
            // That it is asked too often is to be obeyed, whatever else is wrong.
            Some(first) if first.kind == Kind::Limited || kind != Kind::Limited => {
                Some(Failure { rest, ..first })
            }
            _ => Some(Failure {
                message: told(urls, url, &error),
                kind,
                rest,
            }),
        };
    }
    failed.map_or(Ok(whole), Err)
}

fn judged(error: &FetchError, now: DateTime<Utc>) -> (Kind, Option<Duration>) {
    match error {
        FetchError::Status {
            code: 429,
            retry_after,
        } => (Kind::Limited, retry_after.map(|after| after.from(now))),
        FetchError::Status { code, retry_after } => {
            let kind = if (500..600).contains(code) || *code == 408 {
                Kind::Unreachable
            } else {
                Kind::Unreadable
            };
            (kind, retry_after.map(|after| after.from(now)))
        }
        FetchError::Failed(_) | FetchError::Timeout(_) => (Kind::Unreachable, None),
        FetchError::Refused(_) | FetchError::TooLarge(_) => (Kind::Unreadable, None),
    }
}

/// Reading takes some milliseconds of large pages: elsewhere, so that nothing here waits for it.
async fn parsed(url: Url, body: Vec<u8>) -> Result<Reading, String> {
    let reading = tokio::task::spawn_blocking(move || read(&url, &body)).await;
    match reading {
        Ok(reading) => reading.map_err(|why: Unreadable| why.to_string()),
        Err(panic) => {
            tracing::error!(%panic, "the reader of vendor pages panicked");
            Err("reading it failed by a fault of this program".into())
        }
    }
}

fn failure(urls: &[Url], url: &Url, why: &str) -> Failure {
    Failure::unreadable(told(urls, url, &why))
}

/// With the address where there are several.
fn told(urls: &[Url], url: &Url, why: &dyn std::fmt::Display) -> String {
    if urls.len() > 1 {
        format!("{url}: {why}")
    } else {
        why.to_string()
    }
}

/// What the page's row says to recognise the answer of `url` by.
fn stored(page: &vendor_page::Model, url: &Url) -> Validators {
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

fn validators_of(url: &Url, validators: &Validators) -> Option<Value> {
    let any = *validators != Validators::default();
    any.then(|| json!({ url.as_str(): { "etag": validators.etag, "last_modified": validators.last_modified } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_in_number_and_in_time() {
        let (mut kept, begin) = (HashMap::new(), Instant::now());
        for i in 0..2000_u32 {
            keep(
                &mut kept,
                Uuid::from_u128(i.into()),
                i,
                begin + Duration::from_millis(i.into()),
            );
        }
        assert_eq!(kept.len(), MOST_KEPT);
        assert!(kept.values().all(|(_, i)| *i >= 1500), "the latest");
        keep(&mut kept, Uuid::from_u128(1), 1, begin + 2 * KEPT_FOR);
        assert_eq!(kept.len(), 1);
    }
}
