//! Carries out one claim of a page: asks it if that is allowed, has recorded what came of it, and looks for its answers
//! anew when the vendor seems to have moved. Decides nothing about statuses and writes nothing itself.

use super::cadence::{self, Times};
use super::content::is_same_vendors;
use super::fetching::{self, Fetching, Kind};
use super::recording::{Recorded, Recording, Seen};
use super::store::Pages;
use crate::announcer::Announcer;
use crate::clock::Clock;
use crate::host_limit::{HostLimit, HostPlace};
use crate::outage::Outage;
use crate::recorder::is_refusal;
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
use vendor_pages::{Discovery, discover, validate_urls};

/// The most pages of one host that are polled at once.
const PER_HOST: usize = 4;
/// The same of all hosts below one registered domain: whoever owns it can name as many hosts as they like.
const PER_OWNER: usize = 8;
/// One of so many places is kept for pages that answered quickly the last time: others may take all the rest of the time.
const RESERVED: usize = 4;
/// An answer that took no longer is quick, and one that took longer than this is slow.
const QUICK: Duration = Duration::from_secs(2);
const SLOW: Duration = Duration::from_secs(5);
/// How much longer than the answer a claim must last: the time to record it.
const MARGIN: Duration = Duration::from_secs(15);
/// The longest that looking for a page anew takes: from two addresses, three rounds of five seconds each, and some.
const DETECTION: Duration = Duration::from_secs(35);
/// After so many failures in a row, by answers that are not what they were, the vendor may have moved.
const MOVED_AFTER: i32 = 3;
/// How often that is looked into.
const DETECT_EVERY: TimeDelta = TimeDelta::hours(24);
/// How soon a page is looked at again that is just being asked.
const SOON: TimeDelta = TimeDelta::seconds(2);
/// How often followers are judged anew without another fetch: each of them gets a check by it, whoever asked for one.
const JUDGE_EVERY: Duration = Duration::from_secs(2);
/// A transaction that takes longer has been forgotten by somebody.
const PATIENCE: Duration = Duration::from_secs(20);
/// What could not be recorded for so long is given up: the page is asked again.
const TOO_OLD: Duration = Duration::from_secs(45);

/// What every poll of this worker uses.
#[derive(Debug)]
pub(crate) struct Poller {
    live: Coordination,
    services: Services,
    clock: Clock,
    announcer: Announcer,
    stats: Arc<Stats>,
    fetching: Fetching,
    recording: Recording,
    /// How many pages are polled at once: in all, of those that have not just answered quickly, of one host, and of all
    /// hosts that one owner can name.
    all: HostLimit,
    unproven: HostLimit,
    hosts: HostLimit,
    owners: HostLimit,
    /// How the pages answered that this worker asked.
    paces: Mutex<HashMap<Uuid, Pace>>,
    everything: Arc<str>,
    /// Looking for a page sends some sixty requests: one at a time.
    detecting: Semaphore,
    /// The pages whose followers were judged lately without another fetch, and when.
    judged: Mutex<HashMap<Uuid, Instant>>,
    /// Whether the database or the live state is away.
    outage: Mutex<Outage>,
    /// Nothing new is asked.
    stopping: CancellationToken,
}

/// What one running poll occupies until it is over.
#[derive(Debug)]
pub(crate) struct PollPlaces {
    _taken: Vec<HostPlace>,
}

/// How a page answered lately.
#[derive(Debug, Default)]
struct Pace {
    /// The last time at once.
    is_quick: bool,
    /// How often in a row it took long.
    slow: i32,
}

/// What is the poller's to share.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) db: DatabaseConnection,
    pub(crate) live: Coordination,
    pub(crate) services: Services,
    pub(crate) clock: Clock,
    pub(crate) announcer: Announcer,
    pub(crate) stats: Arc<Stats>,
    pub(crate) fetcher: Fetcher,
    pub(crate) concurrency: usize,
    pub(crate) stopping: CancellationToken,
}

impl Poller {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts {
            db,
            live,
            services,
            clock,
            announcer,
            stats,
            fetcher,
            concurrency,
            stopping,
        } = parts;
        let fetching = Fetching::new(&fetcher, Arc::clone(&stats));
        let recording = Recording::new(
            Pages::new(db),
            announcer.clone(),
            clock.clone(),
            Arc::clone(&stats),
        );
        let (all, unproven) = (
            HostLimit::new(concurrency),
            HostLimit::new(concurrency - concurrency / RESERVED),
        );
        let (hosts, owners, everything) = (
            HostLimit::new(PER_HOST),
            HostLimit::new(PER_OWNER),
            "".into(),
        );
        let (detecting, outage) = (
            Semaphore::new(1),
            Mutex::new(Outage::new("Following vendor pages")),
        );
        Self {
            live,
            services,
            clock,
            announcer,
            stats,
            fetching,
            recording,
            all,
            unproven,
            hosts,
            owners,
            paces: Mutex::default(),
            everything,
            detecting,
            judged: Mutex::default(),
            outage,
            stopping,
        }
    }

    /// A place for a poll of `page`.
    ///
    /// # Errors
    /// With the time after which to ask again when there is none.
    pub(crate) fn places(&self, page: &FollowedPage, now: Instant) -> Result<PollPlaces, Duration> {
        let mut taken = vec![self.hosts.take(&page.host, now)?];
        for owner in &page.owners {
            taken.push(self.owners.take(owner, now)?);
        }
        if !self.paces().get(&page.id).is_some_and(|pace| pace.is_quick) {
            taken.push(self.unproven.take(&self.everything, now)?);
        }
        taken.push(self.all.take(&self.everything, now)?);
        Ok(PollPlaces { _taken: taken })
    }

    /// Polls `page` under `claim`, whose end is seen to in every case.
    pub(crate) async fn poll(
        self: Arc<Self>,
        page: Arc<FollowedPage>,
        claim: Claim,
        places: PollPlaces,
    ) {
        let mut claim = claim;
        add(&self.stats.pages.polls, 1);
        let polled = AssertUnwindSafe(self.polled(page.id, &mut claim))
            .catch_unwind()
            .await;
        let next = match polled {
            Ok(Ok(next)) => {
                self.outage().worked();
                next
            }
            Ok(Err(error)) => {
                self.outage().failed(&format!("{error:#}"));
                Some(self.clock.now() + SOON)
            }
            Err(_) => {
                add(&self.stats.panics, 1);
                tracing::error!(page = %page.id, "following a vendor page panicked; it is looked at again in a minute");
                Some(self.clock.now() + INTERVAL)
            }
        };
        if let Some(next) = next {
            self.announcer.complete(claim, next).await;
        }
        drop(places);
    }

    /// When the page is due next; `None` when it is not due any more.
    async fn polled(&self, id: Uuid, claim: &mut Claim) -> anyhow::Result<Option<DateTime<Utc>>> {
        let pages = &self.recording.pages;
        let row = pages
            .followed(id)
            .await
            .context("the page cannot be read from the database")?;
        let Some(mut row) = row else {
            self.leave(id).await?;
            return Ok(None);
        };
        let now = self.clock.now();
        if !Times::from(&row).allow(now) {
            if row.fetched_at.is_none() && row.failures == 0 {
                // Asked for the first time right now: whoever did that will tell everybody.
                return Ok(Some(now + SOON));
            }
            if let Some(wait) = self.judged_lately(id, Instant::now()) {
                return Ok(Some(now + TimeDelta::from_std(wait)?));
            }
            let recorded = self.record(id, row.attempted_at, &Seen::Nothing).await?;
            return self.next(id, recorded).await;
        }
        self.extend(claim, fetching::PATIENCE + MARGIN).await;
        let began = pages.attempt(id, row.attempted_at, now).await;
        if !began.context("the attempt cannot be noted in the database")? {
            return Ok(Some(now + SOON));
        }
        if let Some(read_at) = row.fetched_at.filter(|_| row.validators.is_some())
            && pages.turned(id, read_at, now).await?
        {
            row.validators = None;
        }
        let begun = Instant::now();
        let asked = tokio::select! {
            asked = self.fetching.ask(&row, now) => asked,
            () = self.stopping.cancelled() => return Ok(Some(now)),
        };
        let slow = self.note_pace(id, begun.elapsed(), asked.is_ok());
        let recorded = self
            .record(id, Some(now), &Seen::Asked(asked, row.failures))
            .await?;
        let failed = match recorded {
            Recorded::Next {
                failed: Some((failures, Kind::Unreadable)),
                ..
            } => failures,
            _ => 0,
        };
        let lately = row.detected_at.is_some_and(|at| now - at < DETECT_EVERY);
        if failed >= MOVED_AFTER && !lately {
            self.extend(claim, DETECTION + MARGIN).await;
            if let Some(seen) = self.detect(&row, now).await? {
                let recorded = self.record(id, Some(now), &seen).await?;
                return self.next(id, recorded).await;
            }
        }
        let not_sooner = match recorded {
            // One that fails has waits of its own, and is looked at when what it said becomes stale.
            Recorded::Next { failed: None, .. } => cadence::slowed(id, now, slow),
            _ => now,
        };
        Ok(self
            .next(id, recorded)
            .await?
            .map(|next| next.max(not_sooner)))
    }

    /// Notes how long the page took to answer: how many slow answers in a row that makes.
    fn note_pace(&self, id: Uuid, took: Duration, answered: bool) -> i32 {
        let mut paces = self.paces();
        let pace = paces.entry(id).or_default();
        pace.is_quick = answered && took < QUICK;
        pace.slow = if took > SLOW {
            pace.slow.saturating_add(1)
        } else {
            0
        };
        pace.slow
    }

    fn paces(&self) -> MutexGuard<'_, HashMap<Uuid, Pace>> {
        self.paces
            .lock()
            .expect("nothing panics while it holds the lock")
    }

    /// Looks for the page anew, where its vendor may have moved it.
    async fn detect(
        &self,
        row: &vendor_page::Model,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Option<Seen>> {
        let Ok(_turn) = self.detecting.try_acquire() else {
            return Ok(None);
        };
        if !self
            .recording
            .pages
            .detect(row.id, row.detected_at, now)
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
        let fetcher = self.fetching.fetcher();
        let known = self.recording.pages.known(row.id).await?;
        let looking = async {
            if row.user_defined {
                // These addresses are what somebody wants; what they say now counts if all of them say anything.
                let (found, rejected) = validate_urls(fetcher, &urls).await;
                let found =
                    found.filter(|found| rejected.is_empty() && !found.page.components.is_empty());
                return found.map(|found| seen(found, &known));
            }
            let mut replaced = None;
            for address in row.url.iter().chain(urls.first()) {
                match discover(fetcher, address)
                    .await
                    .map(|found| seen(found, &known))
                {
                    Ok(found @ Seen::Found(_)) => return Some(found),
                    Ok(other) => replaced = replaced.or(Some(other)),
                    Err(_) => {}
                }
            }
            replaced
        };
        let found = tokio::select! {
            found = timeout(DETECTION, looking) => found.ok().flatten(),
            () = self.stopping.cancelled() => None,
        };
        match &found {
            Some(Seen::Found(found)) => {
                let now = &found.api_urls;
                tracing::info!(page = %row.id, before = %row.api_urls, ?now, "a vendor page was found anew");
            }
            Some(Seen::Replaced(address)) => {
                tracing::info!(page = %row.id, %address, "a vendor page has another one in its place; it is not read");
            }
            _ => {}
        }
        Ok(found)
    }

    async fn next(&self, id: Uuid, recorded: Recorded) -> anyhow::Result<Option<DateTime<Utc>>> {
        match recorded {
            Recorded::Next { next, .. } => Ok(Some(next)),
            Recorded::Superseded => Ok(Some(self.clock.now() + SOON)),
            Recorded::Gone => {
                self.leave(id).await?;
                Ok(None)
            }
            Recorded::Moved(other) => {
                self.live.schedule(&[(other, self.clock.now())]).await?;
                self.leave(id).await?;
                Ok(None)
            }
        }
    }

    /// Records, and tries again for a while when the database is away.
    async fn record(
        &self,
        id: Uuid,
        attempted_at: Option<DateTime<Utc>>,
        seen: &Seen,
    ) -> anyhow::Result<Recorded> {
        let (begun, seen_at) = (Instant::now(), self.clock.now());
        loop {
            let error = match timeout(
                PATIENCE,
                self.recording.record(id, attempted_at, seen, seen_at),
            )
            .await
            {
                Ok(Ok(recorded)) => return Ok(recorded),
                Ok(Err(error)) if is_refusal(&error) => {
                    tracing::error!(page = %id, %error, "the database refuses what a vendor page says; it is dropped");
                    add(&self.stats.lost, 1);
                    return Ok(Recorded::Superseded);
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the database does not answer".to_owned(),
            };
            let wait = self.outage().failed(&error);
            if begun.elapsed() > TOO_OLD || self.stopping.is_cancelled() {
                add(&self.stats.lost, 1);
                anyhow::bail!("what it said could not be recorded: {error}");
            }
            let _ = timeout(wait, self.stopping.cancelled()).await;
        }
    }

    /// How long its followers are to wait who were judged a moment ago without another fetch; if they need not, they are
    /// judged now.
    fn judged_lately(&self, id: Uuid, now: Instant) -> Option<Duration> {
        let mut judged = self
            .judged
            .lock()
            .expect("nothing panics while it holds the lock");
        judged.retain(|_, at| now.duration_since(*at) < JUDGE_EVERY);
        if let Some(at) = judged.get(&id) {
            return Some(
                (*at + JUDGE_EVERY)
                    .duration_since(now)
                    .max(Duration::from_millis(1)),
            );
        }
        judged.insert(id, now);
        None
    }

    fn outage(&self) -> MutexGuard<'_, Outage> {
        self.outage
            .lock()
            .expect("nothing panics while it holds the lock")
    }

    /// Makes the claim last. If it is void or the live state is away, what is learned counts even so.
    async fn extend(&self, claim: &mut Claim, needed: Duration) {
        let left = (claim.lease_until - self.clock.now())
            .to_std()
            .unwrap_or_default();
        if left < needed {
            let _ = self.live.extend(claim, needed).await;
        }
    }

    /// Takes the page out of the queue. Should somebody have begun to follow it at that very moment, it is put in again.
    async fn leave(&self, id: Uuid) -> anyhow::Result<()> {
        self.services.drop_one(id);
        self.fetching.forget(id);
        self.paces().remove(&id);
        self.live.remove(&[id]).await?;
        if self.recording.pages.followed(id).await?.is_some() {
            self.live.ensure(&[(id, self.clock.now())]).await?;
        }
        Ok(())
    }
}

/// What it means that this was found where a page with components that are `known` had been: a link on a page for people
/// may lead to anybody's.
fn seen(found: Discovery, known: &[(String, String)]) -> Seen {
    if is_same_vendors(&found.page, known) {
        return Seen::Found(Box::new(found));
    }
    Seen::Replaced(found.page.url.unwrap_or_else(|| found.api_urls.concat()))
}
