//! Polls one claimed page: fetches it if that is allowed, has the result recorded, and rediscovers it
//! when its vendor seems to have moved it. Decides nothing about statuses and writes nothing itself.

use super::cadence::{self, Times};
use super::content::is_same_vendor;
use super::fetching::{self, FailureKind, PageFetcher};
use super::poll_limits::{PollLimits, PollPermits};
use super::recording::{PollRecorder, PollResult, Recorded};
use super::store::PageStore;
use crate::announcer::Announcer;
use crate::clock::Clock;
use crate::recorder::{Recorder, is_refusal};
use crate::retry_backoff::RetryBackoff;
use crate::services::{FollowedPage, Services};
use crate::stats::{Stats, add};
use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use coordination::{Claim, Coordination};
use domain::vendor_page::INTERVAL;
use entity::vendor_page;
use futures::FutureExt;
use net::Fetcher;
use sea_orm::DatabaseConnection;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vendor_pages::{Discovery, rediscover, validate_urls};

/// How much longer than the fetch a claim must last: the time to record the result.
const RECORD_MARGIN: Duration = Duration::from_secs(15);
/// Timeout of a rediscovery: from two addresses, three rounds of five seconds each.
const REDISCOVERY_TIMEOUT: Duration = Duration::from_secs(35);
/// Number of consecutive unreadable responses after which the vendor may have moved the page.
const MOVED_AFTER: i32 = 3;
/// Minimum time between two rediscoveries of a page.
const REDISCOVERY_INTERVAL: TimeDelta = TimeDelta::hours(24);
/// How soon a page is polled again that another worker is fetching.
const BUSY_RETRY_DELAY: TimeDelta = TimeDelta::seconds(2);
/// Minimum time between two checks of all followers without a fetch, however many of them ask for one.
const RECHECK_INTERVAL: Duration = Duration::from_secs(2);
/// After this a transaction is given up and tried again.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(20);
/// A result that could not be recorded for so long is dropped; the page is fetched again.
const MAX_RESULT_AGE: Duration = Duration::from_secs(45);

/// Polls the pages of this worker.
#[derive(Debug)]
pub(crate) struct Poller {
    live: Coordination,
    services: Services,
    clock: Clock,
    announcer: Announcer,
    stats: Arc<Stats>,
    fetcher: PageFetcher,
    recorder: PollRecorder,
    limits: PollLimits,
    /// A rediscovery sends some sixty requests: one at a time.
    rediscovery: Semaphore,
    /// When the followers of a page were last checked without a fetch.
    rechecked: Mutex<HashMap<Uuid, Instant>>,
    outage: Mutex<RetryBackoff>,
    /// Cancelled when no fetch may begin.
    stopping: CancellationToken,
}

/// What a poller is made of.
#[derive(Debug)]
pub(crate) struct PollerParts {
    pub(crate) db: DatabaseConnection,
    pub(crate) live: Coordination,
    pub(crate) services: Services,
    pub(crate) clock: Clock,
    pub(crate) announcer: Announcer,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) fetcher: Fetcher,
    pub(crate) concurrency: usize,
    pub(crate) stopping: CancellationToken,
}

impl Poller {
    pub(crate) fn new(parts: PollerParts) -> Self {
        let pages = PageStore::new(parts.db);
        Self {
            fetcher: PageFetcher::new(&parts.fetcher, Arc::clone(&parts.stats)),
            recorder: PollRecorder::new(pages, parts.recorder, parts.clock.clone()),
            limits: PollLimits::new(parts.concurrency),
            live: parts.live,
            services: parts.services,
            clock: parts.clock,
            announcer: parts.announcer,
            stats: parts.stats,
            rediscovery: Semaphore::new(1),
            rechecked: Mutex::default(),
            outage: Mutex::new(RetryBackoff::new("Following vendor pages")),
            stopping: parts.stopping,
        }
    }

    /// Takes the permits for a poll of `page`.
    ///
    /// # Errors
    /// Returns after how long to try again if there are none.
    pub(crate) fn acquire(
        &self,
        page: &FollowedPage,
        now: Instant,
    ) -> Result<PollPermits, Duration> {
        self.limits.acquire(page, now)
    }

    /// Polls `page` under `claim`, which is completed in every case.
    pub(crate) async fn poll(
        self: Arc<Self>,
        page: Arc<FollowedPage>,
        mut claim: Claim,
        permits: PollPermits,
    ) {
        add(&self.stats.pages.polls, 1);
        let polled = AssertUnwindSafe(self.poll_under_claim(page.id, &mut claim))
            .catch_unwind()
            .await;
        let next = match polled {
            Ok(Ok(next)) => {
                self.outage().end();
                next
            }
            Ok(Err(error)) => {
                self.outage().begin(&format!("{error:#}"));
                Some(self.clock.now() + BUSY_RETRY_DELAY)
            }
            Err(_) => {
                add(&self.stats.panics, 1);
                tracing::error!(page = %page.id, "polling a vendor page panicked, retrying in a minute");
                Some(self.clock.now() + INTERVAL)
            }
        };
        if let Some(next) = next {
            self.announcer.complete(claim, next).await;
        }
        drop(permits);
    }

    /// Returns when the page is due next; `None` if it is not due any more.
    async fn poll_under_claim(
        &self,
        id: Uuid,
        claim: &mut Claim,
    ) -> anyhow::Result<Option<DateTime<Utc>>> {
        let row = self
            .recorder
            .pages
            .followed(id)
            .await
            .context("failed to read the page from the database")?;
        let Some(row) = row else {
            self.remove(id).await?;
            return Ok(None);
        };
        let now = self.clock.now();
        if Times::from(&row).allow(now) {
            self.fetch_and_record(row, claim, now).await
        } else {
            self.recheck(&row, now).await
        }
    }

    /// Checks the followers of a page that may not be fetched yet against its stored reading.
    async fn recheck(
        &self,
        row: &vendor_page::Model,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Option<DateTime<Utc>>> {
        if row.fetched_at.is_none() && row.failures == 0 {
            // The first fetch is under way; it will check all followers.
            return Ok(Some(now + BUSY_RETRY_DELAY));
        }
        if let Some(wait) = self.recheck_delay(row.id, Instant::now()) {
            return Ok(Some(now + TimeDelta::from_std(wait)?));
        }
        let recorded = self
            .record(row.id, row.attempted_at, &PollResult::NotFetched)
            .await?;
        self.next_due(row.id, recorded).await
    }

    async fn fetch_and_record(
        &self,
        mut row: vendor_page::Model,
        claim: &mut Claim,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Option<DateTime<Utc>>> {
        let id = row.id;
        let pages = &self.recorder.pages;
        self.extend(claim, fetching::FETCH_TIMEOUT + RECORD_MARGIN)
            .await;
        let has_begun = pages
            .begin_fetch(id, row.attempted_at, now)
            .await
            .context("failed to note the fetch in the database")?;
        if !has_begun {
            return Ok(Some(now + BUSY_RETRY_DELAY));
        }
        if let Some(read_at) = row.fetched_at.filter(|_| row.validators.is_some())
            && pages.maintenance_boundary_passed(id, read_at, now).await?
        {
            row.validators = None;
        }
        let begun = Instant::now();
        let fetched = tokio::select! {
            fetched = self.fetcher.fetch(&row, now) => fetched,
            () = self.stopping.cancelled() => return Ok(Some(now)),
        };
        let slow = self
            .limits
            .note_response(id, begun.elapsed(), fetched.is_ok());
        let result = PollResult::Fetched(fetched, row.failures);
        let recorded = self.record(id, Some(now), &result).await?;
        let asks_to_wait = matches!(&result, PollResult::Fetched(Err(failure), _) if failure.retry_after.is_some());
        if !asks_to_wait && self.may_have_moved(&row, &recorded, now) {
            self.extend(claim, REDISCOVERY_TIMEOUT + RECORD_MARGIN)
                .await;
            if let Some(found) = self.rediscover(&row, now).await? {
                let recorded = self.record(id, Some(now), &found).await?;
                return self.next_due(id, recorded).await;
            }
        }
        let not_before = match recorded {
            // A failing page has a backoff of its own, and is due when its reading becomes stale.
            Recorded::Next { failed: None, .. } => cadence::slow_next(id, now, slow),
            _ => now,
        };
        let next = self.next_due(id, recorded).await?;
        Ok(next.map(|next| next.max(not_before)))
    }

    fn may_have_moved(
        &self,
        row: &vendor_page::Model,
        recorded: &Recorded,
        now: DateTime<Utc>,
    ) -> bool {
        let unreadable = match recorded {
            Recorded::Next {
                failed: Some((failures, FailureKind::Unreadable)),
                ..
            } => *failures,
            _ => 0,
        };
        let is_recent = row
            .detected_at
            .is_some_and(|at| now - at < REDISCOVERY_INTERVAL);
        unreadable >= MOVED_AFTER && !is_recent
    }

    /// Searches for a page that its vendor may have moved.
    async fn rediscover(
        &self,
        row: &vendor_page::Model,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Option<PollResult>> {
        let Ok(_permit) = self.rediscovery.try_acquire() else {
            return Ok(None);
        };
        let pages = &self.recorder.pages;
        if !pages
            .begin_rediscovery(row.id, row.detected_at, now)
            .await?
        {
            return Ok(None);
        }
        add(&self.stats.pages.detections, 1);
        let urls: Vec<String> = fetching::addresses(row)
            .unwrap_or_default()
            .into_iter()
            .map(String::from)
            .collect();
        let fetcher = self.fetcher.client();
        let known = pages.known_components(row.id).await?;
        let search = async {
            if row.user_defined {
                // Addresses that a user entered are kept; they are read anew if all of them respond.
                let (found, rejected) = validate_urls(fetcher, &urls).await;
                let found =
                    found.filter(|found| rejected.is_empty() && !found.page.components.is_empty());
                return found.map(|found| classify(found, &known));
            }
            let mut replaced = None;
            for address in row.url.iter().chain(urls.first()) {
                match rediscover(fetcher, address)
                    .await
                    .map(|found| classify(found, &known))
                {
                    Ok(found @ PollResult::Rediscovered(_)) => return Some(found),
                    Ok(other) => replaced = replaced.or(Some(other)),
                    Err(_) => {}
                }
            }
            replaced
        };
        let found = tokio::select! {
            found = timeout(REDISCOVERY_TIMEOUT, search) => found.ok().flatten(),
            () = self.stopping.cancelled() => None,
        };
        if let Some(PollResult::Replaced(address)) = &found {
            tracing::info!(page = %row.id, %address, "a vendor page was replaced by another one, not reading it");
        }
        Ok(found)
    }

    async fn next_due(
        &self,
        id: Uuid,
        recorded: Recorded,
    ) -> anyhow::Result<Option<DateTime<Utc>>> {
        match recorded {
            Recorded::Next { next, .. } => Ok(Some(next)),
            Recorded::Superseded => Ok(Some(self.clock.now() + BUSY_RETRY_DELAY)),
            Recorded::Gone => {
                self.remove(id).await?;
                Ok(None)
            }
            Recorded::Moved(other) => {
                self.live.schedule(&[(other, self.clock.now())]).await?;
                self.remove(id).await?;
                Ok(None)
            }
        }
    }

    /// Records a result, with retries while the database is away.
    async fn record(
        &self,
        id: Uuid,
        attempted_at: Option<DateTime<Utc>>,
        result: &PollResult,
    ) -> anyhow::Result<Recorded> {
        let begun = Instant::now();
        let polled_at = self.clock.now();
        loop {
            let recording = self.recorder.record(id, attempted_at, result, polled_at);
            let error = match timeout(TRANSACTION_TIMEOUT, recording).await {
                Ok(Ok(recorded)) => return Ok(recorded),
                Ok(Err(error)) if is_refusal(&error) => {
                    tracing::error!(page = %id, %error, "the database refuses a reading of a vendor page, dropping it");
                    add(&self.stats.lost, 1);
                    return Ok(Recorded::Superseded);
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the database does not answer".to_owned(),
            };
            let wait = self.outage().begin(&error);
            if begun.elapsed() > MAX_RESULT_AGE || self.stopping.is_cancelled() {
                add(&self.stats.lost, 1);
                anyhow::bail!("failed to record the result of a poll: {error}");
            }
            let _ = timeout(wait, self.stopping.cancelled()).await;
        }
    }

    /// Returns how long to wait before the followers of a page are checked again without a fetch; `None`
    /// to check them now.
    fn recheck_delay(&self, id: Uuid, now: Instant) -> Option<Duration> {
        let mut rechecked = self
            .rechecked
            .lock()
            .expect("nothing panics while it holds the lock");
        rechecked.retain(|_, at| now.duration_since(*at) < RECHECK_INTERVAL);
        if let Some(at) = rechecked.get(&id) {
            return Some(
                (*at + RECHECK_INTERVAL)
                    .duration_since(now)
                    .max(Duration::from_millis(1)),
            );
        }
        rechecked.insert(id, now);
        None
    }

    fn outage(&self) -> MutexGuard<'_, RetryBackoff> {
        self.outage
            .lock()
            .expect("nothing panics while it holds the lock")
    }

    /// Extends the claim if it would end before `needed`. The result counts even if that fails.
    async fn extend(&self, claim: &mut Claim, needed: Duration) {
        let left = (claim.lease_until - self.clock.now())
            .to_std()
            .unwrap_or_default();
        if left < needed {
            let _ = self.live.extend(claim, needed).await;
        }
    }

    /// Removes the page from the queue. Puts it back if a service began to follow it at that very moment.
    async fn remove(&self, id: Uuid) -> anyhow::Result<()> {
        self.services.invalidate(id);
        self.fetcher.forget(id);
        self.limits.forget(id);
        self.live.remove(&[id]).await?;
        if self.recorder.pages.followed(id).await?.is_some() {
            self.live.ensure(&[(id, self.clock.now())]).await?;
        }
        Ok(())
    }
}

/// Tells whether a found page is the searched one, by its components: a link on a website may lead to any
/// vendor's page.
fn classify(found: Discovery, known: &[(String, String)]) -> PollResult {
    if is_same_vendor(&found.page, known) {
        return PollResult::Rediscovered(Box::new(found));
    }
    PollResult::Replaced(found.page.url.unwrap_or_else(|| found.api_urls.concat()))
}
