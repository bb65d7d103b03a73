//! Writes per-minute statistics of the scheduler: checks, lateness and missed slots. Counted in
//! memory, written once a minute; what cannot be written goes into the next row.

use crate::clock::Clock;
use crate::retry_backoff::RetryBackoff;
use crate::stats::{Lateness, Stats};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use entity::scheduler_minute;
use sea_orm::{DatabaseConnection, DbErr, EntityTrait, IntoActiveModel, TryInsertResult};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Time that one row covers.
const MINUTE: TimeDelta = TimeDelta::minutes(1);
/// A row written at the end of a minute, or up to this long after it, is of that minute.
const WRITE_DELAY: TimeDelta = TimeDelta::seconds(1);
/// After this a write is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// Writes what this worker did since its last row.
pub(crate) struct SchedulerStatsWriter {
    db: DatabaseConnection,
    stats: Arc<Stats>,
    clock: Clock,
    worker: Uuid,
    /// What previous rows contain.
    written: Written,
    lateness: Lateness,
}

/// Totals since the worker's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Written {
    checks: u64,
    missed: u64,
}

impl SchedulerStatsWriter {
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
            written: Written::default(),
            lateness: Lateness::default(),
        }
    }

    /// Writes at the end of each minute, and once more after `closing`, when everything is recorded.
    pub(crate) async fn run(mut self, closing: CancellationToken) {
        let mut outage = RetryBackoff::new("Writing scheduler statistics");
        loop {
            let now = self.clock.now();
            let left = (start_of_minute(now) + MINUTE - now)
                .to_std()
                .unwrap_or_default();
            let is_closing = tokio::select! {
                () = sleep(left) => false,
                () = closing.cancelled() => true,
            };
            // Read again, because the clock may have been corrected meanwhile.
            let now = self.clock.now();
            let started_at = start_of_minute(if is_closing { now } else { now - WRITE_DELAY });
            match timeout(WRITE_TIMEOUT, self.write(started_at)).await {
                Ok(Ok(())) => outage.end(),
                Ok(Err(error)) => {
                    outage.begin(&error);
                }
                Err(_) => {
                    outage.begin(&"the database does not answer");
                }
            }
            if is_closing {
                return;
            }
        }
    }

    async fn write(&mut self, started_at: DateTime<Utc>) -> Result<(), DbErr> {
        self.lateness.merge(&self.stats.take_lateness());
        let now = Written {
            checks: self.stats.recorded.load(Relaxed),
            missed: self.stats.missed.load(Relaxed),
        };
        if now == self.written && self.lateness == Lateness::default() {
            return Ok(());
        }
        let row = scheduler_minute::Model {
            started_at,
            worker_id: self.worker,
            checks: to_i32(now.checks - self.written.checks),
            missed: to_i32(now.missed - self.written.missed),
            max_lateness_ms: to_i32(self.lateness.max_ms.into()),
            lateness: self.lateness.histogram.encode(),
        };
        // After the clock was set back a minute may have its row already: then this goes into the next.
        let inserted = scheduler_minute::Entity::insert(row.into_active_model())
            .on_conflict_do_nothing_on([
                scheduler_minute::Column::StartedAt,
                scheduler_minute::Column::WorkerId,
            ])
            .exec_without_returning(&self.db)
            .await?;
        if let TryInsertResult::Inserted(1) = inserted {
            self.written = now;
            self.lateness = Lateness::default();
        }
        Ok(())
    }
}

fn start_of_minute(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(MINUTE).unwrap_or(at)
}

fn to_i32(n: u64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
