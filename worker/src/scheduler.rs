//! Schedules due checks. Claims services and vendor pages from the due queue, starts one task for
//! each claim, and applies the worker-wide and per-host concurrency limits. Claims nothing while
//! results cannot be recorded.
//! Does not know how a check is performed or how its result is stored.

use crate::catch_up::CatchUpSpreader;
use crate::check_threads::CheckThreads;
use crate::clock::Clock;
use crate::host_limit::{HostLimit, HostPermit};
use crate::poll_stagger::PollStagger;
use crate::retry_backoff::RetryBackoff;
use crate::runner::{CheckPermits, Runner};
use crate::services::{Due, Service, Services};
use crate::stats::{Stats, add};
use crate::vendor_pages::Poller;
use anyhow::Context as _;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use coordination::{Claim, Coordination};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Maximum time between two looks at the queue: other processes add services without a notice.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Minimum time between two looks while there is room for every due check. Services that become due
/// meanwhile share one claim, and a thread that is awake starts their checks.
const COALESCE_INTERVAL: Duration = Duration::from_millis(40);
/// The same while more is due than can be started: places become free at any moment.
const BUSY_INTERVAL: Duration = Duration::from_millis(3);
/// Maximum number of services claimed in one round trip to the queue.
const MAX_CLAIM_BATCH: usize = 512;
/// How long a claim under way may take when the worker ends.
const LAST_CLAIM_TIMEOUT: Duration = Duration::from_millis(1500);
/// How long aborted checks may take to give their claims back.
const ABORT_GRACE: Duration = Duration::from_millis(500);

/// Starts due checks as places become free.
#[derive(Debug)]
pub(crate) struct Scheduler {
    pub(crate) live: Coordination,
    pub(crate) services: Services,
    pub(crate) runner: Arc<Runner>,
    pub(crate) poller: Arc<Poller>,
    pub(crate) clock: Clock,
    pub(crate) stats: Arc<Stats>,
    /// Permits of all checks that may run at once.
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) hosts: HostLimit,
    pub(crate) threads: &'static CheckThreads,
    pub(crate) deferred: HashMap<Uuid, DeferredClaim>,
    pub(crate) catch_up: CatchUpSpreader,
    pub(crate) stagger: PollStagger,
    pub(crate) lease: Duration,
    /// Whether the recorder accepts results.
    pub(crate) accepting: watch::Receiver<bool>,
    /// Something changed: look at the queue now.
    pub(crate) wake: Arc<Notify>,
    /// The queue is not complete: rebuild it.
    pub(crate) rebuild: Arc<Notify>,
}

/// A claim that was put back because its host had no free slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeferredClaim {
    retry_at: DateTime<Utc>,
    /// When the service first became due; used to report lateness.
    first_due_at: DateTime<Utc>,
}

/// What became of a batch of claims that was not started.
#[derive(Debug, Default)]
struct NotStarted {
    /// Their hosts had no free slot.
    deferred: Vec<(Claim, DateTime<Utc>)>,
    /// Missed during a stall and spread over the next interval.
    spread: Vec<(Claim, DateTime<Utc>)>,
    /// Gone, paused, or not to be checked by this worker.
    unwanted: Vec<Uuid>,
}

impl Scheduler {
    /// Runs until `stopping`. Then waits up to `grace` for running checks and aborts what is left.
    pub(crate) async fn run(mut self, stopping: CancellationToken, grace: Duration) {
        let mut checks = JoinSet::new();
        let mut outage = RetryBackoff::new("Claiming due checks");
        while !stopping.is_cancelled() {
            add(&self.stats.turns, 1);
            while checks.try_join_next().is_some() {}
            let polled = tokio::select! {
                polled = self.poll(&mut checks) => polled,
                // Losing a claim under way is worse than waiting for it, but not for ever.
                () = last_claim_timeout(&stopping) => break,
            };
            let wait = match polled {
                Ok(wait) => {
                    outage.end();
                    wait
                }
                Err(error) => outage.begin(&format!("{error:#}")),
            };
            tokio::select! {
                () = stopping.cancelled() => {}
                () = sleep(wait) => {}
                () = self.live.due_changed() => {}
                () = self.wake.notified() => {}
                _ = self.accepting.changed() => {}
            }
        }
        self.finish(checks, grace).await;
    }

    async fn finish(self, mut checks: JoinSet<()>, grace: Duration) {
        if timeout(grace, join_all(&mut checks)).await.is_ok() {
            return;
        }
        tracing::warn!(
            running = checks.len(),
            "checks are still running, giving them back unfinished"
        );
        self.runner.aborting.cancel();
        let _ = timeout(ABORT_GRACE, join_all(&mut checks)).await;
        // Those left wait for the recorder, which completes their claims.
        checks.shutdown().await;
    }

    /// Claims and starts what is due, as far as there are permits. Returns how long to wait before
    /// the next poll.
    async fn poll(&mut self, checks: &mut JoinSet<()>) -> anyhow::Result<Duration> {
        if !*self.accepting.borrow_and_update() {
            return Ok(POLL_INTERVAL);
        }
        let limit = self.permits.available_permits().min(MAX_CLAIM_BATCH);
        if limit == 0 {
            // With a limit, so that the loop is seen to be alive.
            let _ = timeout(POLL_INTERVAL, self.permits.acquire()).await;
            return Ok(BUSY_INTERVAL);
        }
        let claimed = self.live.claim(limit, self.lease).await?;
        self.clock.set(claimed.now);
        self.catch_up.note_claim(claimed.now);
        if !claimed.built {
            self.rebuild.notify_one();
        }
        let is_full = claimed.claims.len() == limit;
        let all_started = self.start(claimed.claims, checks).await?;
        if is_full {
            return Ok(BUSY_INTERVAL);
        }
        let shortest = if all_started {
            COALESCE_INTERVAL
        } else {
            BUSY_INTERVAL
        };
        let until_next = claimed.next_due.map_or(POLL_INTERVAL, |next| {
            (next - claimed.now).to_std().unwrap_or_default()
        });
        let wait = until_next.clamp(shortest, POLL_INTERVAL);
        Ok(self.stagger.delay(wait, self.clock.now()))
    }

    /// Starts a task for each claim. Returns `false` if hosts had no room for some.
    async fn start(
        &mut self,
        claims: Vec<Claim>,
        checks: &mut JoinSet<()>,
    ) -> anyhow::Result<bool> {
        if claims.is_empty() {
            return Ok(true);
        }
        let ids: Vec<_> = claims.iter().map(|claim| claim.service_id).collect();
        let services = match self.services.get(&ids).await {
            Ok(services) => services,
            Err(error) => {
                self.live.release(&claims).await?;
                return Err(error).context("failed to read service definitions");
            }
        };
        let mut not_started = NotStarted::default();
        let now = Instant::now().into_std();
        for (claim, due) in claims.into_iter().zip(services) {
            match due {
                None => not_started.unwanted.push(claim.service_id),
                Some(due) => self.start_one(claim, due, now, checks, &mut not_started)?,
            }
        }
        let all_started = not_started.deferred.is_empty();
        self.put_back(not_started).await?;
        Ok(all_started)
    }

    fn start_one(
        &mut self,
        claim: Claim,
        due: Due,
        now: std::time::Instant,
        checks: &mut JoinSet<()>,
        not_started: &mut NotStarted,
    ) -> anyhow::Result<()> {
        // Another due time than that of the retry means that the service was rescheduled meanwhile.
        let first_due_at = self
            .deferred
            .remove(&claim.service_id)
            .filter(|deferred| deferred.retry_at == claim.due)
            .map(|deferred| deferred.first_due_at);
        let started = match due {
            Due::Service(service) => {
                let (id, interval) = (service.checked.id, service.checked.interval);
                if let Some(until) = self.catch_up.spread(id, interval, claim.due) {
                    not_started.spread.push((claim, until));
                    return Ok(());
                }
                self.hosts
                    .acquire(&service.host, now)
                    .map(|host| self.spawn(service, claim, first_due_at, host, checks))
            }
            Due::Page(page) => self.poller.acquire(&page, now).map(|permits| {
                checks.spawn(Arc::clone(&self.poller).poll(page, claim, permits));
            }),
        };
        if let Err(wait) = started {
            let retry_at = (self.clock.now() + TimeDelta::from_std(wait)?).trunc_subsecs(3);
            let deferred = DeferredClaim {
                retry_at,
                first_due_at: first_due_at.unwrap_or(claim.due),
            };
            self.deferred.insert(claim.service_id, deferred);
            not_started.deferred.push((claim, retry_at));
        }
        Ok(())
    }

    async fn put_back(&self, not_started: NotStarted) -> anyhow::Result<()> {
        let NotStarted {
            deferred,
            spread,
            unwanted,
        } = not_started;
        if !deferred.is_empty() {
            add(&self.stats.deferred, deferred.len());
            self.live.complete(&deferred).await?;
        }
        if !spread.is_empty() {
            self.live.complete(&spread).await?;
        }
        if !unwanted.is_empty() {
            self.remove(&unwanted).await?;
        }
        Ok(())
    }

    fn spawn(
        &self,
        service: Arc<Service>,
        claim: Claim,
        first_due_at: Option<DateTime<Utc>>,
        host: HostPermit,
        checks: &mut JoinSet<()>,
    ) {
        let worker = Arc::clone(&self.permits)
            .try_acquire_owned()
            .expect("no more is claimed than there are permits, and nobody else takes them");
        let thread = self.threads.take();
        let handle = thread.handle();
        let permits = CheckPermits {
            _worker: worker,
            _host: host,
            _thread: thread,
        };
        let check = Arc::clone(&self.runner).check(service, claim, first_due_at, permits);
        // Boxed, because the runtime moves a whole task several times.
        checks.spawn_on(Box::pin(check), &handle);
    }

    /// Removes from the queue what is gone, paused or not to be checked by this worker. Puts back
    /// what came back at that very moment.
    async fn remove(&self, unwanted: &[Uuid]) -> anyhow::Result<()> {
        self.live.remove(unwanted).await?;
        let services = self.services.get(unwanted).await?;
        let now = self.clock.now();
        let back: Vec<(Uuid, DateTime<Utc>)> = unwanted
            .iter()
            .zip(services)
            .filter_map(|(id, due)| Some((*id, due.map(|_| now)?)))
            .collect();
        if !back.is_empty() {
            self.live.ensure(&back).await?;
        }
        Ok(())
    }
}

async fn last_claim_timeout(stopping: &CancellationToken) {
    stopping.cancelled().await;
    sleep(LAST_CLAIM_TIMEOUT).await;
}

async fn join_all(checks: &mut JoinSet<()>) {
    while checks.join_next().await.is_some() {}
}
