//! The ledger of scheduling: what this worker did in each minute, how late it was, and what it found missed. Counted in
//! memory, written once a minute. What cannot be written stands in the next minute that can.

use crate::clock::Clock;
use crate::outage::Outage;
use crate::stats::{Lateness, Stats};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use entity::scheduler_minute as period;
use sea_orm::{DatabaseConnection, DbErr, EntityTrait, IntoActiveModel, TryInsertResult};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How much time stands in one row.
const PERIOD: TimeDelta = TimeDelta::minutes(1);
/// What is written at the end of a minute, or a moment later, is of the minute before.
const JUST_NOW: TimeDelta = TimeDelta::seconds(1);
/// How long the database may take for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a worker did since its last row.
pub(crate) struct Ledger {
    db: DatabaseConnection,
    stats: Arc<Stats>,
    clock: Clock,
    worker: Uuid,
    /// What stands in rows already: checks and missed slots.
    written: (u64, u64),
    lateness: Lateness,
}

impl Ledger {
    pub(crate) fn new(
        db: DatabaseConnection,
        stats: Arc<Stats>,
        clock: Clock,
        worker: Uuid,
    ) -> Self {
        Self {
            db,
            stats,
            clock,
            worker,
            written: (0, 0),
            lateness: Lateness::default(),
        }
    }

    /// Writes at the end of each minute, and for the last time when everything has been recorded.
    pub(crate) async fn run(mut self, closing: CancellationToken) {
        let mut outage = Outage::new("Writing the ledger of scheduling");
        loop {
            let now = self.clock.now();
            let left = (minute(now) + PERIOD - now).to_std().unwrap_or_default();
            let ends = tokio::select! {
                () = sleep(left) => false,
                () = closing.cancelled() => true,
            };
            // Looked at now, because the clock may have been set right only meanwhile.
            let now = self.clock.now();
            let started_at = minute(if ends { now } else { now - JUST_NOW });
            match timeout(PATIENCE, self.write(started_at)).await {
                Ok(Ok(())) => outage.worked(),
                Ok(Err(error)) => {
                    outage.failed(&error);
                }
                Err(_) => {
                    outage.failed(&"the database does not answer");
                }
            }
            if ends {
                return;
            }
        }
    }

    async fn write(&mut self, started_at: DateTime<Utc>) -> Result<(), DbErr> {
        self.lateness.merge(&self.stats.take_lateness());
        let now = (
            self.stats.recorded.load(Relaxed),
            self.stats.missed.load(Relaxed),
        );
        if now == self.written && self.lateness == Lateness::default() {
            return Ok(());
        }
        let row = period::Model {
            started_at,
            worker_id: self.worker,
            checks: number(now.0 - self.written.0),
            missed: number(now.1 - self.written.1),
            max_lateness_ms: number(self.lateness.max_ms.into()),
            lateness: self.lateness.histogram.encode(),
        };
        // A minute that comes again, because the clock was set, has its row: then this stands in the next one.
        let inserted = period::Entity::insert(row.into_active_model())
            .on_conflict_do_nothing_on([period::Column::StartedAt, period::Column::WorkerId])
            .exec_without_returning(&self.db)
            .await?;
        if let TryInsertResult::Inserted(1) = inserted {
            (self.written, self.lateness) = (now, Lateness::default());
        }
        Ok(())
    }
}

fn minute(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(PERIOD).unwrap_or(at)
}

fn number(n: u64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
