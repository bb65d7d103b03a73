//! Makes results durable: gathers them for some milliseconds, commits a batch in one transaction, and only then lets
//! anybody know. While the database is away it keeps what it has and asks the scheduler to claim nothing more.

mod judgement;
mod store;
mod timeline;

pub(crate) use judgement::{Fate, Judgement};
pub(crate) use store::Store;

use crate::announcer::{Announcement, Announcer};
use crate::check::{Check, Subject};
use crate::clock::Clock;
use crate::metrics;
use crate::outage::Outage;
use crate::services::Services;
use crate::stats::{Stats, add};
use chrono::{DateTime, TimeDelta, Utc};
use coordination::Claim;
use domain::slot;
use sea_orm::{DatabaseConnection, DbErr, RuntimeErr, sqlx};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

/// The most results in one transaction.
const MOST: usize = 500;
/// How long the first result of a batch waits for others.
const WINDOW: Duration = Duration::from_millis(6);
/// How many results may wait; then whoever has more waits.
const QUEUE: usize = 4 * MOST;
/// A transaction that takes longer has been forgotten by somebody: try again, on another connection if there is one.
const PATIENCE: Duration = Duration::from_secs(20);
/// How soon a service is looked at again whose failure waits for a confirmation, after a result that came too late.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(1);
/// How often it is said at most that the clock was set back.
const WARN_EVERY: Duration = Duration::from_secs(600);
/// While nothing can be recorded and nobody has a result, the database is asked so often whether it is back.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What one look at a service found, on its way into the database.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    /// The claim under which it was made; the recorder ends it.
    pub(crate) claim: Claim,
    /// When it was ready to be recorded.
    pub(crate) ready: Instant,
    /// Who wants to know whether to look again at once.
    pub(crate) answer: Option<oneshot::Sender<Answer>>,
}

/// What the recorder tells whoever made a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is dealt with, and so is the claim.
    Done,
    /// It is recorded, and wants to be confirmed: the claim is the runner's again.
    Confirm,
}

/// The recorder's own side; the others have the queue's.
#[derive(Debug)]
pub(crate) struct Recorder {
    store: Store,
    services: Services,
    announcer: Announcer,
    clock: Clock,
    stats: Arc<Stats>,
    queue: mpsc::Receiver<Finding>,
    /// A result that could not be recorded for so long is given up.
    too_old: Duration,
    /// Whether results can be recorded at present.
    able: watch::Sender<bool>,
    /// The worker ends: what cannot be recorded now is not kept any longer.
    giving_up: CancellationToken,
    outage: Outage,
    /// When it was said last that the clock was set back.
    warned: Option<Instant>,
}

impl Recorder {
    /// A recorder, the queue into it, and whether it is able to record.
    pub(crate) fn new(
        db: DatabaseConnection,
        services: Services,
        announcer: Announcer,
        clock: Clock,
        stats: Arc<Stats>,
        too_old: Duration,
        giving_up: CancellationToken,
    ) -> (Self, mpsc::Sender<Finding>, watch::Receiver<bool>) {
        let (findings, queue) = mpsc::channel(QUEUE);
        let (able, is_able) = watch::channel(true);
        let (store, outage) = (
            Store::new(db),
            Outage::new("Recording checks in the database"),
        );
        let warned = None;
        let recorder = Self {
            store,
            services,
            announcer,
            clock,
            stats,
            queue,
            too_old,
            able,
            giving_up,
            outage,
            warned,
        };
        (recorder, findings, is_able)
    }

    /// Records until everybody who has results is gone and none is left.
    pub(crate) async fn run(mut self) {
        while let Some(batch) = self.gather().await {
            // A batch that holds something which the database refuses is halved until that is alone.
            let mut batches = vec![batch];
            while let Some(batch) = batches.pop() {
                if let Some(halves) = self.record(batch).await {
                    batches.extend(halves);
                }
            }
        }
    }

    async fn gather(&mut self) -> Option<Vec<Finding>> {
        let mut batch = Vec::with_capacity(64);
        batch.push(self.first().await?);
        // What came while the last batch was committed has waited already.
        let until = batch[0].ready + WINDOW;
        while batch.len() < MOST {
            let room = MOST - batch.len();
            match timeout_at(until, self.queue.recv_many(&mut batch, room)).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => break,
            }
        }
        batch.sort_unstable_by_key(|finding| (finding.check.subject.seq, finding.check.slot));
        Some(batch)
    }

    /// The next result. While none can be recorded nothing is claimed, so that there may never be one: whether that is over
    /// is then found out by asking.
    async fn first(&mut self) -> Option<Finding> {
        loop {
            if *self.able.borrow() {
                return self.queue.recv().await;
            }
            if let Ok(finding) = timeout(ASK_AGAIN, self.queue.recv()).await {
                return finding;
            }
            if matches!(timeout(PATIENCE, self.store.ping()).await, Ok(Ok(()))) {
                self.outage.worked();
                self.set_able(true);
            }
        }
    }

    /// Commits a batch, however long that takes, or returns it in halves, the second one first.
    async fn record(&mut self, mut batch: Vec<Finding>) -> Option<[Vec<Finding>; 2]> {
        loop {
            let begun = Instant::now();
            let span = tracing::debug_span!(target: "traces", "record", results = batch.len());
            let committed = tokio::select! {
                committed = timeout(PATIENCE, self.commit(&batch).instrument(span)) => committed,
                () = self.giving_up.cancelled() => {
                    self.give_up(batch, |clock, _| clock.now()).await;
                    return None;
                }
            };
            match committed {
                Ok(Ok(mut judgement)) => {
                    let took = begun.elapsed();
                    let micros = usize::try_from(took.as_micros()).unwrap_or(usize::MAX);
                    add(&self.stats.batches, 1);
                    add(&self.stats.batch_micros, micros);
                    add(&self.stats.recorded, judgement.recorded());
                    self.stats.missed.fetch_add(judgement.missed, Relaxed);
                    metrics::recorded(&judgement, took, self.clock.now());
                    let fates = judgement.fates.clone();
                    let forgotten = std::mem::take(&mut judgement.set_back);
                    let (latest, events) = judgement.news();
                    self.warn_of(&forgotten);
                    self.outage.worked();
                    self.set_able(true);
                    let news = Announcement {
                        forgotten,
                        latest,
                        events,
                        ..Announcement::default()
                    };
                    self.announce(batch, &fates, news).await;
                    return None;
                }
                Ok(Err(error)) if is_refusal(&error) && batch.len() > 1 => {
                    let second = batch.split_off(batch.len() / 2);
                    return Some([second, batch]);
                }
                Ok(Err(error)) if is_refusal(&error) => {
                    let service = batch.first().map(|finding| finding.check.subject.id);
                    tracing::error!(?service, %error, "the database refuses a result; it is dropped");
                    self.give_up(batch, next_slot).await;
                    return None;
                }
                failed => {
                    let error = match failed {
                        Ok(Err(error)) => error.to_string(),
                        _ => "it does not answer".to_owned(),
                    };
                    add(&self.stats.failed_batches, 1);
                    self.set_able(false);
                    let wait = self.outage.failed(&error);
                    let (old, kept) = batch
                        .into_iter()
                        .partition(|finding| finding.ready.elapsed() > self.too_old);
                    batch = kept;
                    self.give_up(old, |clock, _| clock.now()).await;
                    if batch.is_empty() {
                        return None;
                    }
                    let _ = timeout(wait, self.giving_up.cancelled()).await;
                }
            }
        }
    }

    fn set_able(&self, now: bool) {
        if self
            .able
            .send_if_modified(|able| std::mem::replace(able, now) != now)
        {
            self.stats.unable.store(!now, Relaxed);
            metrics::able(now);
        }
    }

    async fn commit<'a>(&self, batch: &'a [Finding]) -> Result<Judgement<'a>, DbErr> {
        let mut numbers: Vec<_> = batch
            .iter()
            .map(|finding| finding.check.subject.seq)
            .collect();
        numbers.dedup();
        let transaction = self.store.begin().await?;
        let known = self.store.read(&transaction, &numbers).await?;
        let judgement = Judgement::of(
            batch.iter().map(|finding| &finding.check).collect(),
            known,
            self.clock.now(),
        );
        self.store.write(&transaction, &judgement).await?;
        transaction.commit().await?;
        Ok(judgement)
    }

    /// Tells the runners and the live state what is durable now.
    async fn announce(&self, batch: Vec<Finding>, fates: &[Fate], news: Announcement) {
        let mut completions = Vec::with_capacity(batch.len());
        for (finding, fate) in batch.into_iter().zip(fates) {
            let Finding {
                check,
                claim,
                answer,
                ..
            } = finding;
            if !matches!(fate, Fate::Recorded { .. }) {
                add(&self.stats.discarded, 1);
            }
            let next = match fate {
                Fate::Recorded { confirm: true } => {
                    // Without anybody to look again, whoever claims it next does.
                    let answered =
                        answer.is_some_and(|answer| answer.send(Answer::Confirm).is_ok());
                    if !answered {
                        completions.push((claim, self.clock.now()));
                    }
                    continue;
                }
                Fate::Recorded { confirm: false } | Fate::Late { suspect: false } => {
                    next_slot_after(&self.clock, &check.subject, check.slot)
                }
                // Never at once: whatever has made it late may do so again.
                Fate::Late { suspect: true } => self.clock.now() + LOOK_AGAIN,
                Fate::Outdated => {
                    self.services.drop_one(check.subject.id);
                    self.clock.now()
                }
            };
            completions.push((claim, next));
            if let Some(answer) = answer {
                let _ = answer.send(Answer::Done);
            }
        }
        self.announcer
            .tell(Announcement {
                completions,
                ..news
            })
            .await;
    }

    fn warn_of(&mut self, set_back: &[Uuid]) {
        if set_back.is_empty()
            || self
                .warned
                .is_some_and(|warned| warned.elapsed() < WARN_EVERY)
        {
            return;
        }
        self.warned = Some(Instant::now());
        let service = set_back.first();
        tracing::warn!(
            ?service,
            services = set_back.len(),
            "checks are on record for a time to come: the clock was set back, and recording goes on from now"
        );
    }

    /// Drops results and gives their claims back.
    async fn give_up(&self, batch: Vec<Finding>, next: impl Fn(&Clock, &Finding) -> DateTime<Utc>) {
        self.stats.lost.fetch_add(batch.len() as u64, Relaxed);
        let completions = batch
            .iter()
            .map(|finding| (finding.claim, next(&self.clock, finding)))
            .collect();
        self.announcer
            .tell(Announcement {
                completions,
                ..Announcement::default()
            })
            .await;
    }
}

fn next_slot(clock: &Clock, finding: &Finding) -> DateTime<Utc> {
    next_slot_after(clock, &finding.check.subject, finding.check.slot)
}

/// The first slot of the service that is to come, and after the one recorded.
fn next_slot_after(clock: &Clock, service: &Subject, recorded: DateTime<Utc>) -> DateTime<Utc> {
    slot::next_slot(service.id, service.interval, clock.now().max(recorded))
}

/// Whether the database refuses what it was given, so that trying again is useless.
pub(crate) fn is_refusal(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return matches!(error, DbErr::Type(_));
    };
    match error.as_ref() {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            if error
                .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
                .is_some()
            {
                // A row that was on its way into the default partition while its day's own was made: it gets there the
                // next time.
                let moved = code == "23514" && error.constraint().is_none();
                // Data exceptions and violated constraints.
                return !moved && (code.starts_with("22") || code.starts_with("23"));
            }
            // SQLITE_TOOBIG, SQLITE_CONSTRAINT and SQLITE_MISMATCH, in the lowest byte of the extended codes.
            code.parse::<i32>()
                .is_ok_and(|code| matches!(code & 0xff, 18..=20))
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => true,
        _ => false,
    }
}
