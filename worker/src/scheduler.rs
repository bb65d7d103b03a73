//! Claims what is due as places become free, and starts a check or the poll of a vendor page for each claim. Survives
//! whatever the live state and the database do, and claims nothing while results cannot be recorded.

use crate::clock::Clock;
use crate::host_limit::{HostLimit, HostPlace};
use crate::outage::Outage;
use crate::runner::{Places, Probe, Runner};
use crate::services::{Due, Service, Services};
use crate::spread::AfterPause;
use crate::stats::{Stats, add};
use crate::turns::Turns;
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

/// Other workers and processes may make a service due that this one does not know of: look so often at least.
const LOOK: Duration = Duration::from_millis(100);
/// Look no more often than that, so that many services share one claim.
const COALESCE: Duration = Duration::from_millis(3);
/// The most services in one claim.
const MOST: usize = 512;
/// How long a claim under way may go on when the worker ends.
const LAST_CLAIM: Duration = Duration::from_millis(1500);
/// How long aborted checks have to give their claims back.
const LAST_CALL: Duration = Duration::from_millis(500);

/// Sees to it that what is due is checked.
#[derive(Debug)]
pub(crate) struct Scheduler<P> {
    pub(crate) live: Coordination,
    pub(crate) services: Services,
    pub(crate) runner: Arc<Runner<P>>,
    pub(crate) poller: Arc<Poller>,
    pub(crate) clock: Clock,
    pub(crate) stats: Arc<Stats>,
    /// How many checks may run.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) hosts: HostLimit,
    /// Until when this worker has put a service off that its host had no place for, and when it was due at first.
    pub(crate) put_off: HashMap<Uuid, PutOff>,
    pub(crate) after_pause: AfterPause,
    pub(crate) turns: Turns,
    pub(crate) lease: Duration,
    /// Whether results can be recorded.
    pub(crate) able: watch::Receiver<bool>,
    /// Something changed: look at once.
    pub(crate) wake: Arc<Notify>,
    /// The queue is not complete: it is to be rebuilt.
    pub(crate) rebuild: Arc<Notify>,
}

/// A check that waits for a place at its host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PutOff {
    until: DateTime<Utc>,
    first_due: DateTime<Utc>,
}

impl<P: Probe> Scheduler<P> {
    /// Runs until `stopping`; then waits for the running checks, at last for `grace`, and aborts what is left.
    pub(crate) async fn run(mut self, stopping: CancellationToken, grace: Duration) {
        let mut checks = JoinSet::new();
        let mut outage = Outage::new("Claiming due checks");
        while !stopping.is_cancelled() {
            self.stats
                .turns
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            while checks.try_join_next().is_some() {}
            let turned = tokio::select! {
                turned = self.turn(&mut checks) => turned,
                // What is being claimed is better held than lost, but not for ever.
                () = late(&stopping) => break,
            };
            let wait = match turned {
                Ok(wait) => {
                    outage.worked();
                    wait
                }
                Err(error) => outage.failed(&format!("{error:#}")),
            };
            tokio::select! {
                () = stopping.cancelled() => {}
                () = sleep(wait) => {}
                () = self.live.due_changed() => {}
                () = self.wake.notified() => {}
                _ = self.able.changed() => {}
            }
        }
        if timeout(grace, join_all(&mut checks)).await.is_err() {
            tracing::warn!(
                running = checks.len(),
                "checks are still running; they are given back unfinished"
            );
            self.runner.aborting.cancel();
            let _ = timeout(LAST_CALL, join_all(&mut checks)).await;
            // Those left wait for the recorder, which sees to their claims.
            checks.shutdown().await;
        }
    }

    /// Claims and starts what is due, as far as there are places, and says how long nothing else will be.
    async fn turn(&mut self, checks: &mut JoinSet<()>) -> anyhow::Result<Duration> {
        if !*self.able.borrow_and_update() {
            return Ok(LOOK);
        }
        let limit = self.places.available_permits().min(MOST);
        if limit == 0 {
            // A place becomes free within the longest timeout; the loop turns meanwhile.
            let _ = timeout(LOOK, self.places.acquire()).await;
            return Ok(COALESCE);
        }
        let claimed = self.live.claim(limit, self.lease).await?;
        self.clock.set(claimed.now);
        self.after_pause.claimed(claimed.now);
        if !claimed.built {
            self.rebuild.notify_one();
        }
        let full = claimed.claims.len() == limit;
        self.start(claimed.claims, checks).await?;
        let until_next = claimed.next_due.map_or(LOOK, |next| {
            (next - claimed.now).to_std().unwrap_or_default()
        });
        Ok(if full {
            COALESCE
        } else {
            self.turns
                .after(until_next.clamp(COALESCE, LOOK), self.clock.now())
        })
    }

    async fn start(&mut self, claims: Vec<Claim>, checks: &mut JoinSet<()>) -> anyhow::Result<()> {
        if claims.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = claims.iter().map(|claim| claim.service_id).collect();
        let services = match self.services.get(&ids).await {
            Ok(services) => services,
            Err(error) => {
                self.live.release(&claims).await?;
                return Err(error).context("the services' definitions cannot be read");
            }
        };
        let (mut put_off, mut missed, mut unwanted) = (Vec::new(), Vec::new(), Vec::new());
        let now = Instant::now().into_std();
        for (claim, due) in claims.into_iter().zip(services) {
            // Another due time than the one it was put off to says that something else has happened meanwhile.
            let before = self
                .put_off
                .remove(&claim.service_id)
                .filter(|before| before.until == claim.due);
            let first_due = before.map(|before| before.first_due);
            let started = match due {
                None => {
                    unwanted.push(claim.service_id);
                    continue;
                }
                Some(Due::Service(service)) => {
                    let (id, interval) = (service.subject.id, service.subject.interval);
                    if let Some(until) = self.after_pause.put_off(id, interval, claim.due) {
                        missed.push((claim, until));
                        continue;
                    }
                    let host = self.hosts.take(&service.host, now);
                    host.map(|host| self.spawn(service, claim, first_due, host, checks))
                }
                Some(Due::Page(page)) => self.poller.places(&page, now).map(|places| {
                    checks.spawn(Arc::clone(&self.poller).poll(page, claim, places));
                }),
            };
            if let Err(wait) = started {
                let until = (self.clock.now() + TimeDelta::from_std(wait)?).trunc_subsecs(3);
                let first_due = first_due.unwrap_or(claim.due);
                self.put_off
                    .insert(claim.service_id, PutOff { until, first_due });
                put_off.push((claim, until));
            }
        }
        if !put_off.is_empty() {
            add(&self.stats.deferred, put_off.len());
            self.live.complete(&put_off).await?;
        }
        if !missed.is_empty() {
            self.live.complete(&missed).await?;
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
        first_due: Option<DateTime<Utc>>,
        host: HostPlace,
        checks: &mut JoinSet<()>,
    ) {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place =
            place.expect("no more is claimed than there are places, and nobody else takes them");
        let places = Places {
            _worker: place,
            _host: host,
        };
        // Boxed, because the runtime moves a task several times, all of it.
        checks.spawn(Box::pin(
            Arc::clone(&self.runner).check(service, claim, first_due, places),
        ));
    }

    /// Takes out of the queue what is gone, paused or not ours to request. Should one have come back at that
    /// very moment, it is put in again.
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

async fn late(stopping: &CancellationToken) {
    stopping.cancelled().await;
    sleep(LAST_CLAIM).await;
}

async fn join_all(checks: &mut JoinSet<()>) {
    while checks.join_next().await.is_some() {}
}
