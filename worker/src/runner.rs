//! Carries one claimed check out: probes, hands the result to the recorder, and probes again while that asks for
//! confirmation. Decides nothing about statuses and writes nothing itself.

use crate::announcer::Announcer;
use crate::check::{Check, VendorWord};
use crate::clock::Clock;
use crate::host_limit::HostPlace;
use crate::recorder::{Answer, Finding};
use crate::services::Service;
use crate::stats::{Stats, add};
use chrono::{DateTime, TimeDelta, Utc};
use coordination::{Claim, Coordination};
use domain::{Outcome, slot};
use futures::FutureExt;
use monitors::HttpTarget;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

/// Of so many checks one is traced.
const TRACED: u64 = 100;

/// Looks at one target once.
pub trait Probe: Send + Sync + 'static {
    /// Requests `target` within its timeout.
    fn http(&self, target: &HttpTarget) -> impl Future<Output = Outcome> + Send;
}

impl Probe for monitors::Prober {
    fn http(&self, target: &HttpTarget) -> impl Future<Output = Outcome> + Send {
        Self::http(self, target)
    }
}

/// What every check of this worker uses.
#[derive(Debug)]
pub(crate) struct Runner<P> {
    pub(crate) probe: P,
    pub(crate) live: Coordination,
    pub(crate) clock: Clock,
    pub(crate) findings: mpsc::Sender<Finding>,
    pub(crate) announcer: Announcer,
    pub(crate) stats: Arc<Stats>,
    /// How much longer than the probe's timeout a claim must last: the time to record the result.
    pub(crate) margin: Duration,
    /// No new probe is begun.
    pub(crate) stopping: CancellationToken,
    /// Not even running probes are waited for.
    pub(crate) aborting: CancellationToken,
}

/// What one running check occupies until it is over.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) _worker: OwnedSemaphorePermit,
    pub(crate) _host: HostPlace,
}

impl<P: Probe> Runner<P> {
    /// Checks `service` under `claim`, whose end is seen to in every case. A check that was put off is late since
    /// `first_due`. One check in [`TRACED`] is part of the traces.
    pub(crate) fn check(
        self: Arc<Self>,
        service: Arc<Service>,
        claim: Claim,
        first_due: Option<DateTime<Utc>>,
        places: Places,
    ) -> impl Future<Output = ()> + Send {
        let span = if self.stats.started.load(Relaxed).is_multiple_of(TRACED) {
            tracing::debug_span!(target: "traces", "check", service = %service.subject.id, host = &*service.host)
        } else {
            Span::none()
        };
        self.checked(service, claim, first_due, places)
            .instrument(span)
    }

    async fn checked(
        self: Arc<Self>,
        service: Arc<Service>,
        mut claim: Claim,
        first_due: Option<DateTime<Utc>>,
        places: Places,
    ) {
        // A claim is given when it is due, whatever this clock says.
        let now = self.clock.now().max(claim.due);
        let mut slot =
            slot::claimed_slot(service.subject.id, service.subject.interval, claim.due, now);
        self.stats.note_lateness(
            (now - first_due.unwrap_or(slot))
                .to_std()
                .unwrap_or_default(),
        );
        let needed = service.target.timeout + self.margin;
        let left = (claim.lease_until - now).to_std().unwrap_or_default();
        let mut extend = left < needed;
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
            let Some((at, outcome)) = self.probe(&service, claim, slot).await else {
                break;
            };
            let failed = outcome.status.is_failure();
            let (answer, answered) = oneshot::channel();
            let (subject, vendor) = (Arc::clone(&service.subject), VendorWord::default());
            let finding = Finding {
                check: Check {
                    subject,
                    slot,
                    at,
                    outcome,
                    vendor,
                },
                claim,
                ready: Instant::now(),
                // Only a failure may want to be confirmed.
                answer: failed.then_some(answer),
            };
            if self.findings.send(finding).await.is_err()
                || !failed
                || answered.await != Ok(Answer::Confirm)
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
        drop(places);
    }

    /// One look, with the time when it began; `None` when it did not end by itself, and the claim is given back.
    async fn probe(
        &self,
        service: &Service,
        claim: Claim,
        slot: DateTime<Utc>,
    ) -> Option<(DateTime<Utc>, Outcome)> {
        let at = self.clock.now().max(slot);
        add(&self.stats.started, 1);
        let look = AssertUnwindSafe(self.probe.http(&service.target)).catch_unwind();
        let looked = tokio::select! {
            biased;
            looked = look => looked,
            () = self.aborting.cancelled() => {
                self.announcer.complete(claim, slot).await;
                return None;
            }
        };
        match looked {
            Ok(outcome) => Some((at, outcome)),
            Err(panic) => {
                add(&self.stats.panics, 1);
                let text = panic
                    .downcast_ref::<&str>()
                    .copied()
                    .or(panic.downcast_ref::<String>().map(String::as_str));
                let panic = text.unwrap_or_default();
                let subject = &service.subject;
                tracing::error!(service = %subject.id, panic, "a probe panicked; the service is checked again at its next slot");
                let next =
                    slot::next_slot(subject.id, subject.interval, self.clock.now().max(slot));
                self.announcer.complete(claim, next).await;
                None
            }
        }
    }
}
