//! Collects the results of probes into batches and commits each batch in one transaction. While the
//! database is away, keeps the results and asks the scheduler to claim nothing more.

use super::batch::{BatchTransition, RecordOutcome};
use super::record::Recorder;
use super::refusal::is_refusal;
use crate::announcer::Announcement;
use crate::check::{Check, CheckedService};
use crate::clock::Clock;
use crate::metrics;
use crate::retry_backoff::RetryBackoff;
use crate::services::Services;
use crate::stats::{Stats, add};
use chrono::{DateTime, TimeDelta, Utc};
use coordination::Claim;
use domain::{Status, slot};
use sea_orm::DbErr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

/// Maximum number of results in one transaction.
const MAX_BATCH: usize = 500;
/// How long a result that changes nothing waits for others. Each transaction costs several wake-ups
/// of threads and an fsync, which at a low load is most of what a check costs.
const ROUTINE_WINDOW: Duration = Duration::from_millis(100);
/// How long a result that changes something waits for others.
const URGENT_WINDOW: Duration = Duration::from_millis(6);
/// Number of waiting results from which a batch is committed without waiting for more.
const FULL_BATCH: usize = MAX_BATCH / 2;
/// Maximum number of waiting results; senders wait while there are as many.
const QUEUE: usize = 4 * MAX_BATCH;
/// After this a transaction is given up and tried again, on another connection if there is one.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(20);
/// How soon a service is checked again after a late result, if its failure waits for confirmation.
const LATE_RECHECK_DELAY: TimeDelta = TimeDelta::seconds(1);
/// Minimum time between two warnings that the clock was set back.
const CLOCK_WARNING_INTERVAL: Duration = Duration::from_secs(600);
/// How often the database is pinged while it is away and no result is waiting.
const PING_INTERVAL: Duration = Duration::from_secs(1);

/// The result of one check on its way into the database.
#[derive(Debug)]
pub(crate) struct CheckResult {
    pub(crate) check: Check,
    /// The claim under which the check was made. The recorder completes it.
    pub(crate) claim: Claim,
    /// When the result was ready to be recorded.
    pub(crate) ready_at: Instant,
    /// Gets the reply of a runner that would confirm a failure.
    pub(crate) reply: Option<oneshot::Sender<RecordReply>>,
}

/// What the recorder answers to the runner of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordReply {
    /// The result is dealt with, and so is the claim.
    Done,
    /// The result is recorded and needs confirmation: the claim is the runner's again.
    Confirm,
}

/// The sending side of the queue.
#[derive(Debug, Clone)]
pub(crate) struct RecordSender {
    results: mpsc::Sender<CheckResult>,
    flush: Arc<Notify>,
}

impl RecordSender {
    /// Queues a result. Returns `false` if the recorder has ended.
    pub(crate) async fn send(&self, result: CheckResult) -> bool {
        let is_routine = result.check.is_routine();
        if self.results.send(result).await.is_err() {
            return false;
        }
        let waiting = self.results.max_capacity() - self.results.capacity();
        if !is_routine || waiting >= FULL_BATCH {
            self.flush.notify_one();
        }
        true
    }
}

/// The recording side of the queue.
#[derive(Debug)]
pub(crate) struct RecordQueue {
    recorder: Arc<Recorder>,
    services: Services,
    clock: Clock,
    stats: Arc<Stats>,
    results: mpsc::Receiver<CheckResult>,
    /// Asks for the waiting results to be committed now.
    flush: Arc<Notify>,
    /// Results that could not be recorded for so long are dropped.
    max_age: Duration,
    /// Whether results can be recorded at present: the backpressure of the scheduler.
    accepting: watch::Sender<bool>,
    /// Cancelled when the worker ends and keeps unrecorded results no longer.
    giving_up: CancellationToken,
    outage: RetryBackoff,
    /// When the log last warned that the clock was set back.
    clock_warning_at: Option<Instant>,
}

impl RecordQueue {
    /// Returns the queue, its sending side, and whether it is accepting results.
    pub(crate) fn new(
        recorder: Arc<Recorder>,
        services: Services,
        clock: Clock,
        stats: Arc<Stats>,
        max_age: Duration,
        giving_up: CancellationToken,
    ) -> (Self, RecordSender, watch::Receiver<bool>) {
        let (sender, results) = mpsc::channel(QUEUE);
        let (accepting, is_accepting) = watch::channel(true);
        let flush = Arc::new(Notify::new());
        let queue = Self {
            recorder,
            services,
            clock,
            stats,
            results,
            flush: Arc::clone(&flush),
            max_age,
            accepting,
            giving_up,
            outage: RetryBackoff::new("Recording checks in the database"),
            clock_warning_at: None,
        };
        let sender = RecordSender {
            results: sender,
            flush,
        };
        (queue, sender, is_accepting)
    }

    /// Records until all senders are gone and nothing is left.
    pub(crate) async fn run(mut self) {
        while let Some(batch) = self.next_batch().await {
            // A batch with something that the database refuses is halved until that is alone.
            let mut batches = vec![batch];
            while let Some(batch) = batches.pop() {
                if let Some(halves) = self.record(batch).await {
                    batches.extend(halves);
                }
            }
        }
    }

    async fn next_batch(&mut self) -> Option<Vec<CheckResult>> {
        let first = self.first_result().await?;
        // Results are left in the channel meanwhile: receiving each would wake this task for each.
        let deadline = first.ready_at + ROUTINE_WINDOW;
        if tokio::time::timeout_at(deadline, self.flush.notified())
            .await
            .is_ok()
        {
            // Results that came while the last batch was committed have waited already.
            let waited = first.ready_at.elapsed();
            sleep(URGENT_WINDOW.saturating_sub(waited)).await;
        }
        let mut batch = Vec::with_capacity(64);
        batch.push(first);
        while batch.len() < MAX_BATCH
            && let Ok(result) = self.results.try_recv()
        {
            batch.push(result);
        }
        if !self.results.is_empty() {
            // Those left over may have asked for their commit already.
            self.flush.notify_one();
        }
        batch.sort_unstable_by_key(|result| (result.check.service.seq, result.check.slot));
        Some(batch)
    }

    /// Waits for the next result. While nothing can be recorded, the scheduler claims nothing, so that
    /// no result may come: then the database is pinged until it is back.
    async fn first_result(&mut self) -> Option<CheckResult> {
        loop {
            if *self.accepting.borrow() {
                return self.results.recv().await;
            }
            if let Ok(result) = timeout(PING_INTERVAL, self.results.recv()).await {
                return result;
            }
            let ping = timeout(TRANSACTION_TIMEOUT, self.recorder.ping()).await;
            if matches!(ping, Ok(Ok(()))) {
                self.outage.end();
                self.set_accepting(true);
            }
        }
    }

    /// Commits a batch, however long that takes. Returns it in halves, the second one first, if the
    /// database refuses something in it.
    async fn record(&mut self, mut batch: Vec<CheckResult>) -> Option<[Vec<CheckResult>; 2]> {
        loop {
            let begun = Instant::now();
            let span = tracing::debug_span!(target: "traces", "record", results = batch.len());
            let committed = tokio::select! {
                committed = timeout(TRANSACTION_TIMEOUT, self.commit(&batch).instrument(span)) => committed,
                () = self.giving_up.cancelled() => {
                    self.drop_results(batch, |clock, _| clock.now()).await;
                    return None;
                }
            };
            let error = match committed {
                Ok(Ok(transition)) => {
                    let took = begun.elapsed();
                    self.outage.end();
                    self.set_accepting(true);
                    note_settled(&transition);
                    self.count(&transition, took);
                    let committed = self.recorder.count_committed(transition, took);
                    self.warn_of_rewound(&committed.rewound);
                    self.finish(batch, &committed.outcomes, committed.announcement)
                        .await;
                    return None;
                }
                Ok(Err(error)) if is_refusal(&error) && batch.len() > 1 => {
                    let second = batch.split_off(batch.len() / 2);
                    return Some([second, batch]);
                }
                Ok(Err(error)) if is_refusal(&error) => {
                    let service = batch.first().map(|result| result.check.service.id);
                    tracing::error!(?service, %error, "the database refuses a result, dropping it");
                    self.drop_results(batch, next_slot).await;
                    return None;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the database does not answer".to_owned(),
            };
            add(&self.stats.failed_batches, 1);
            self.set_accepting(false);
            let wait = self.outage.begin(&error);
            let (old, kept) = batch
                .into_iter()
                .partition(|result| result.ready_at.elapsed() > self.max_age);
            batch = kept;
            self.drop_results(old, |clock, _| clock.now()).await;
            if batch.is_empty() {
                return None;
            }
            let _ = timeout(wait, self.giving_up.cancelled()).await;
        }
    }

    async fn commit<'a>(&self, batch: &'a [CheckResult]) -> Result<BatchTransition<'a>, DbErr> {
        let checks = batch.iter().map(|result| &result.check).collect();
        let transaction = self.recorder.begin().await?;
        let transition = self
            .recorder
            .record(&transaction, checks, self.clock.now())
            .await?;
        transaction.commit().await?;
        Ok(transition)
    }

    fn count(&self, transition: &BatchTransition<'_>, took: Duration) {
        let micros = usize::try_from(took.as_micros()).unwrap_or(usize::MAX);
        add(&self.stats.batches, 1);
        add(&self.stats.batch_micros, micros);
        self.stats.missed.fetch_add(transition.missed, Relaxed);
    }

    fn set_accepting(&self, accepting: bool) {
        if self
            .accepting
            .send_if_modified(|before| std::mem::replace(before, accepting) != accepting)
        {
            self.stats.unable.store(!accepting, Relaxed);
            metrics::set_accepting(accepting);
        }
    }

    /// Replies to the runners, completes the claims and publishes what is durable now.
    async fn finish(
        &self,
        batch: Vec<CheckResult>,
        outcomes: &[RecordOutcome],
        announcement: Announcement,
    ) {
        let mut completions = Vec::with_capacity(batch.len());
        for (result, outcome) in batch.into_iter().zip(outcomes) {
            let service = &result.check.service;
            let next = match outcome {
                RecordOutcome::Recorded { confirm: true } => {
                    let is_taken = result
                        .reply
                        .is_some_and(|reply| reply.send(RecordReply::Confirm).is_ok());
                    if !is_taken {
                        // The runner is gone: the next claim of the service confirms.
                        completions.push((result.claim, self.clock.now()));
                    }
                    continue;
                }
                RecordOutcome::Recorded { confirm: false }
                | RecordOutcome::Late { suspect: false } => {
                    next_slot_after(&self.clock, service, result.check.slot)
                }
                // Not at once: the reason why this result was late may make the next one late too.
                RecordOutcome::Late { suspect: true } => self.clock.now() + LATE_RECHECK_DELAY,
                RecordOutcome::Outdated => {
                    self.services.invalidate(service.id);
                    self.clock.now()
                }
            };
            completions.push((result.claim, next));
            if let Some(reply) = result.reply {
                let _ = reply.send(RecordReply::Done);
            }
        }
        self.recorder
            .announce(Announcement {
                completions,
                ..announcement
            })
            .await;
    }

    fn warn_of_rewound(&mut self, rewound: &[Uuid]) {
        let is_recent = self
            .clock_warning_at
            .is_some_and(|at| at.elapsed() < CLOCK_WARNING_INTERVAL);
        if rewound.is_empty() || is_recent {
            return;
        }
        self.clock_warning_at = Some(Instant::now());
        let service = rewound.first();
        tracing::warn!(
            ?service,
            services = rewound.len(),
            "checks are recorded for a future time: the clock was set back, recording goes on from now"
        );
    }

    /// Drops results and gives their claims back, due at the time that `next` returns.
    async fn drop_results(
        &self,
        batch: Vec<CheckResult>,
        next: impl Fn(&Clock, &CheckResult) -> DateTime<Utc>,
    ) {
        if batch.is_empty() {
            return;
        }
        self.stats.lost.fetch_add(batch.len() as u64, Relaxed);
        let completions = batch
            .iter()
            .map(|result| (result.claim, next(&self.clock, result)))
            .collect();
        self.recorder
            .announce(Announcement {
                completions,
                ..Announcement::default()
            })
            .await;
    }
}

/// Notes which services are settled, so that their next good checks may wait.
fn note_settled(transition: &BatchTransition<'_>) {
    for (service, state) in transition.new_states() {
        let is_settled =
            state.status == Status::Up && state.failing.is_none() && state.incident.is_none();
        service.settled.set(state.last_slot.filter(|_| is_settled));
    }
}

fn next_slot(clock: &Clock, result: &CheckResult) -> DateTime<Utc> {
    next_slot_after(clock, &result.check.service, result.check.slot)
}

/// Returns the first slot of the service that is still to come and after the recorded one.
fn next_slot_after(
    clock: &Clock,
    service: &CheckedService,
    recorded: DateTime<Utc>,
) -> DateTime<Utc> {
    slot::next_slot(service.id, service.interval, clock.now().max(recorded))
}
