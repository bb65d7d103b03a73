//! Maintains recorded checks: creates partitions ahead, folds checks into rollups, and deletes what is
//! old enough. One worker at a time does it, in small portions with pauses, because recording comes
//! first.

mod partitions;
mod retention;
mod rollup;

pub use retention::Deleted;
pub use rollup::BatchLimits;

use chrono::{DateTime, TimeDelta, Utc};
use entity::sql::Sql;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, TransactionTrait,
};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// Advisory lock of the worker that maintains a PostgreSQL database: "PulseHis" in ASCII.
const MAINTENANCE_LOCK: i64 = 0x5075_6c73_6548_6973;

const DAY: Duration = Duration::from_secs(86_400);

/// Retention times, and how often history is maintained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistorySettings {
    /// How long single checks are kept; in PostgreSQL to the end of a day.
    pub keep_checks: Duration,
    /// How long hourly rollups are kept; daily ones are kept for ever.
    pub keep_hours: Duration,
    /// Time between two passes. A shorter one leaves fewer checks to read for an uptime query.
    pub every: Duration,
    /// How much is folded at once.
    pub portion: BatchLimits,
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self {
            keep_checks: 30 * DAY,
            keep_hours: 396 * DAY,
            every: Duration::from_secs(60),
            portion: BatchLimits::default(),
        }
    }
}

/// The result of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HistoryRun {
    /// Checks that were folded into rollups.
    pub checks: u64,
    /// What was deleted.
    pub deleted: Deleted,
    /// How far the clock is ahead of the time by which retention was decided.
    pub unproven: TimeDelta,
    /// Whether the index of a past day was rebuilt.
    pub compacted: bool,
}

/// Maintains the history until `shutdown`, by the time that `clock` returns. A pass that fails is
/// logged, and the next one makes up for it.
pub async fn run(
    db: DatabaseConnection,
    settings: HistorySettings,
    clock: impl Fn() -> DateTime<Utc>,
    shutdown: CancellationToken,
) {
    let mut is_held_back = false;
    loop {
        let (begun, now) = (Instant::now(), clock());
        // A pass may be cut off anywhere, because its transactions are atomic.
        let passed = tokio::select! {
            passed = pass(&db, &settings, now).instrument(tracing::debug_span!(target: "traces", "upkeep")) => passed,
            () = shutdown.cancelled() => return,
        };
        match passed {
            Ok(Some(pass)) => {
                tracing::debug!(?pass, took = ?begun.elapsed(), "history is up to date");
                log_retention(&pass, &mut is_held_back);
            }
            Ok(None) => tracing::debug!("another worker maintains the history"),
            Err(error) => {
                tracing::warn!(%error, "failed to maintain the history, retrying");
            }
        }
        // Takes at most a tenth of the time, however slow the database is.
        let rest = settings
            .every
            .saturating_sub(begun.elapsed())
            .max(begun.elapsed() * 9);
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Logs what was deleted, and once that a clock is not trusted yet.
fn log_retention(pass: &HistoryRun, is_held_back: &mut bool) {
    let Deleted {
        checks,
        partitions,
        hours,
        scheduler_minutes: _,
    } = pass.deleted;
    if checks + partitions + hours > 0 {
        tracing::info!(
            checks,
            partitions,
            hours,
            "deleted history that is older than it is kept: checks, days of checks, hourly rollups"
        );
    }
    let hours_ahead = pass.unproven.num_hours();
    if hours_ahead > 0 && !*is_held_back {
        tracing::warn!(
            hours_ahead,
            "the clock is ahead of everything that was recorded: what becomes due by it is deleted only after it has gone on for a day"
        );
    }
    *is_held_back = hours_ahead > 0;
}

/// Runs one pass; `None` if another worker is running one.
///
/// # Errors
/// Whatever the database reports. Nothing is deleted unless everything is in the rollups.
pub async fn pass(
    db: &DatabaseConnection,
    settings: &HistorySettings,
    now: DateTime<Utc>,
) -> Result<Option<HistoryRun>, DbErr> {
    let Some(lock) = MaintenanceLock::try_acquire(db).await? else {
        return Ok(None);
    };
    // Its error is returned last: a long read of a partition prevents new partitions, but nothing else.
    let created = partitions::create_ahead(db, now).await;
    let checks = rollup::fold_new_checks(db, settings.portion).await?;
    let proven = retention::proven_time(db, now).await?;
    let deleted =
        retention::delete_old(db, settings.keep_checks, settings.keep_hours, proven).await?;
    // One day in a pass, so that rollups wait for no more than that.
    let compacted = partitions::compact_one(db, now).await;
    lock.release().await?;
    created?;
    Ok(Some(HistoryRun {
        checks,
        deleted,
        unproven: now - proven,
        compacted: compacted?,
    }))
}

/// The exclusive right to maintain the history. Ends with this value or with the connection.
/// Not needed for SQLite, because a file belongs to one process, which runs one worker.
#[derive(Debug)]
struct MaintenanceLock(Option<DatabaseTransaction>);

impl MaintenanceLock {
    async fn try_acquire(db: &DatabaseConnection) -> Result<Option<Self>, DbErr> {
        if db.get_database_backend() != DbBackend::Postgres {
            return Ok(Some(Self(None)));
        }
        let transaction = db.begin().await?;
        let sql = Sql::new(DbBackend::Postgres)
            .text("SELECT pg_try_advisory_xact_lock(")
            .value(MAINTENANCE_LOCK)
            .text(") AS acquired")
            .finish();
        let row = transaction.query_one_raw(sql).await?;
        let acquired = row.map(|row| row.try_get::<bool>("", "acquired"));
        if acquired.transpose()?.unwrap_or(false) {
            return Ok(Some(Self(Some(transaction))));
        }
        transaction.rollback().await?;
        Ok(None)
    }

    async fn release(self) -> Result<(), DbErr> {
        match self.0 {
            Some(transaction) => transaction.rollback().await,
            None => Ok(()),
        }
    }
}
