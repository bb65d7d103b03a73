//! Records checks in a transaction of the caller, and announces them once it is committed.
//! Used for probed services and for followers of vendor pages alike.

use super::batch::{BatchTransition, RecordOutcome};
use super::store::Store;
use crate::announcer::{Announcement, Announcer};
use crate::check::Check;
use crate::clock::Clock;
use crate::metrics;
use crate::stats::{Stats, add};
use chrono::{DateTime, Utc};
use domain::Status;
use incidents::EventKind;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Evaluates, writes and announces checks.
#[derive(Debug)]
pub(crate) struct Recorder {
    store: Store,
    announcer: Announcer,
    clock: Clock,
    stats: Arc<Stats>,
}

/// A batch that is durable, but not announced yet.
#[derive(Debug)]
pub(crate) struct CommittedBatch {
    /// One for each check, in their order.
    pub(crate) outcomes: Vec<RecordOutcome>,
    /// Services whose last slot was in the future.
    pub(crate) rewound: Vec<Uuid>,
    /// What the caller has to announce.
    pub(crate) announcement: Announcement,
}

impl Recorder {
    pub(crate) fn new(
        db: DatabaseConnection,
        announcer: Announcer,
        clock: Clock,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            store: Store::new(db),
            announcer,
            clock,
            stats,
        }
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), DbErr> {
        self.store.ping().await
    }

    /// Begins a transaction that may write from the start.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        self.store.begin().await
    }

    /// Evaluates `checks` in their order against what is stored, and writes what follows from them.
    pub(crate) async fn record<'a>(
        &self,
        transaction: &DatabaseTransaction,
        checks: Vec<&'a Check>,
        now: DateTime<Utc>,
    ) -> Result<BatchTransition<'a>, DbErr> {
        let mut seqs: Vec<_> = checks.iter().map(|check| check.service.seq).collect();
        seqs.dedup();
        let stored = self.store.read(transaction, &seqs).await?;
        let batch = BatchTransition::evaluate(checks, stored, now);
        self.store.write(transaction, &batch).await?;
        Ok(batch)
    }

    /// Counts a batch whose transaction was committed after `took`.
    pub(crate) fn count_committed(
        &self,
        mut batch: BatchTransition<'_>,
        took: Duration,
    ) -> CommittedBatch {
        let recorded = batch.recorded_checks().count();
        add(&self.stats.recorded, recorded);
        add(&self.stats.discarded, batch.outcomes.len() - recorded);
        report_metrics(&batch, took, self.clock.now());
        let outcomes = std::mem::take(&mut batch.outcomes);
        let rewound = std::mem::take(&mut batch.rewound);
        let (latest, events) = batch.into_events();
        CommittedBatch {
            outcomes,
            announcement: Announcement {
                forgotten: rewound.clone(),
                latest,
                events,
                ..Announcement::default()
            },
            rewound,
        }
    }

    /// Publishes what is durable now.
    pub(crate) async fn announce(&self, announcement: Announcement) {
        self.announcer.send(announcement).await;
    }
}

fn report_metrics(batch: &BatchTransition<'_>, took: Duration, at: DateTime<Utc>) {
    let mut by_status: HashMap<(&str, Status), u64> = HashMap::new();
    for check in batch.recorded_checks() {
        let key = (check.service.kind.id(), check.outcome.status);
        *by_status.entry(key).or_default() += 1;
        if let Some(ms) = check.outcome.response_time_ms {
            metrics::record_response_time(Duration::from_millis(ms.into()));
        }
    }
    for ((kind, status), checks) in by_status {
        metrics::count_checks(kind, status.word(), checks);
    }
    metrics::count_incidents("opened", batch.incidents.count(EventKind::Opened));
    metrics::count_incidents("resolved", batch.incidents.count(EventKind::Resolved));
    metrics::record_batch(batch.outcomes.len(), took, at);
}
