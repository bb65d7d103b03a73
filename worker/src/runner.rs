//! Runs one claimed check: probes, hands the result to the recorder, and probes again while the
//! recorder asks for confirmation. Decides nothing about statuses and writes nothing itself.

use crate::announcer::Announcer;
use crate::check::{Check, VendorReport};
use crate::check_threads::ThreadSlot;
use crate::clock::Clock;
use crate::host_limit::HostPermit;
use crate::process_pause::PauseDetector;
use crate::recorder::{CheckResult, RecordReply, RecordSender};
use crate::services::Service;
use crate::stats::{Stats, add};
use chrono::{DateTime, TimeDelta, Utc};
use coordination::{Claim, Coordination};
use domain::{Outcome, Phases, slot};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use monitors::Target;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

/// One check in so many is traced.
const TRACE_SAMPLING: u64 = 100;

/// Maximum number of times a check is made again because this process was paused during it. Then it
/// waits for its next slot.
const MAX_INTERRUPTIONS: u32 = 3;

/// Probes a target.
pub trait Probe: fmt::Debug + Send + Sync + 'static {
    /// Requests `target` within its timeout.
    fn check<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Outcome>;
}

impl Probe for monitors::Prober {
    fn check<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Outcome> {
        Self::check(self, target)
    }
}

/// Runs the checks of this worker.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) probe: Arc<dyn Probe>,
    pub(crate) live: Coordination,
    pub(crate) clock: Clock,
    pub(crate) results: RecordSender,
    pub(crate) announcer: Announcer,
    pub(crate) stats: Arc<Stats>,
    pub(crate) pauses: &'static PauseDetector,
    /// How much longer than the probe's timeout a claim must last: the time to record the result.
    pub(crate) margin: Duration,
    /// Cancelled when no new probe may begin.
    pub(crate) stopping: CancellationToken,
    /// Cancelled when not even running probes may finish.
    pub(crate) aborting: CancellationToken,
}

/// Permits that a running check holds until it is over.
#[derive(Debug)]
pub(crate) struct CheckPermits {
    pub(crate) _worker: OwnedSemaphorePermit,
    pub(crate) _host: HostPermit,
    pub(crate) _thread: ThreadSlot,
}

impl Runner {
    /// Checks `service` under `claim`, which is completed in every case. The lateness of a deferred
    /// check counts from `first_due_at`. One check in [`TRACE_SAMPLING`] is part of the traces.
    pub(crate) fn check(
        self: Arc<Self>,
        service: Arc<Service>,
        claim: Claim,
        first_due_at: Option<DateTime<Utc>>,
        permits: CheckPermits,
    ) -> impl Future<Output = ()> + Send {
        let span = if self
            .stats
            .started
            .load(Relaxed)
            .is_multiple_of(TRACE_SAMPLING)
        {
            tracing::debug_span!(target: "traces", "check", service = %service.checked.id, host = &*service.host)
        } else {
            Span::none()
        };
        self.check_under_claim(service, claim, first_due_at, permits)
            .instrument(span)
    }

    async fn check_under_claim(
        self: Arc<Self>,
        service: Arc<Service>,
        mut claim: Claim,
        first_due_at: Option<DateTime<Utc>>,
        permits: CheckPermits,
    ) {
        // A claim is never given before it is due, so an earlier time means that this clock is slow.
        let now = self.clock.now().max(claim.due);
        let mut slot =
            slot::claimed_slot(service.checked.id, service.checked.interval, claim.due, now);
        self.stats.note_lateness(
            (now - first_due_at.unwrap_or(slot))
                .to_std()
                .unwrap_or_default(),
        );
        let timeout = service
            .target
            .as_ref()
            .map_or(Duration::ZERO, |target| target.timeout);
        let needed = timeout + self.margin;
        let left = (claim.lease_until - now).to_std().unwrap_or_default();
        let mut extend = left < needed;
        let mut interruptions = 0;
        loop {
            if extend
                && self
                    .live
                    .extend(&mut claim, needed)
                    .await
                    .is_ok_and(|valid| !valid)
            {
                // The service was rescheduled, paused or removed, or another worker has it.
                break;
            }
            let began = self.pauses.now();
            let Some((at, outcome)) = self.probe(&service, claim, slot).await else {
                break;
            };
            if self.pauses.paused_since(began) {
                // The time that was measured is ours, and so may be the failure.
                add(&self.stats.interrupted, 1);
                interruptions += 1;
                if interruptions > MAX_INTERRUPTIONS || self.stopping.is_cancelled() {
                    self.announcer
                        .complete(claim, self.next_slot(&service, slot))
                        .await;
                    break;
                }
                extend = true;
                continue;
            }
            let is_failure = outcome.status.is_failure();
            let (reply, replied) = oneshot::channel();
            let result = CheckResult {
                check: Check {
                    service: Arc::clone(&service.checked),
                    slot,
                    at,
                    outcome,
                    vendor: VendorReport::default(),
                },
                claim,
                ready_at: Instant::now(),
                // Only a failure may need confirmation.
                reply: is_failure.then_some(reply),
            };
            if !self.results.send(result).await
                || !is_failure
                || replied.await != Ok(RecordReply::Confirm)
            {
                break;
            }
            slot = self.clock.now().max(slot + TimeDelta::milliseconds(1));
            extend = true;
            if self.stopping.is_cancelled() {
                self.announcer.complete(claim, slot).await;
                break;
            }
        }
        drop(permits);
    }

    /// Probes once and returns when the probe began and its outcome; `None` if it was aborted or
    /// panicked, and the claim is completed.
    async fn probe(
        &self,
        service: &Service,
        claim: Claim,
        slot: DateTime<Utc>,
    ) -> Option<(DateTime<Utc>, Outcome)> {
        let at = self.clock.now().max(slot);
        add(&self.stats.started, 1);
        let probe = async {
            match &service.target {
                Ok(target) => self.probe.check(target).await,
                Err(cause) => Outcome::without_answer(cause.clone(), Phases::default()),
            }
        };
        let probe = AssertUnwindSafe(probe).catch_unwind();
        let probed = tokio::select! {
            biased;
            probed = probe => probed,
            () = self.aborting.cancelled() => {
                self.announcer.complete(claim, slot).await;
                return None;
            }
        };
        match probed {
            Ok(outcome) => Some((at, outcome)),
            Err(panic) => {
                add(&self.stats.panics, 1);
                let text = panic
                    .downcast_ref::<&str>()
                    .copied()
                    .or(panic.downcast_ref::<String>().map(String::as_str));
                let panic = text.unwrap_or_default();
                let next = self.next_slot(service, slot);
                let service = &service.checked;
                tracing::error!(service = %service.id, panic, "a probe panicked, checking again at the next slot");
                self.announcer.complete(claim, next).await;
                None
            }
        }
    }

    fn next_slot(&self, service: &Service, slot: DateTime<Utc>) -> DateTime<Utc> {
        let checked = &service.checked;
        slot::next_slot(checked.id, checked.interval, self.clock.now().max(slot))
    }
}
