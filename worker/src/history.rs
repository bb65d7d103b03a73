//! What becomes of checks after they are recorded: partitions made ahead, rollups, and the end of what is old enough.
//! One worker at a time does it; recording comes first, so it works in small portions and rests between them.

pub use crate::retention::Deleted;
pub use crate::rollup::Portion;

use crate::{partitions, retention, rollup};
use chrono::{DateTime, Utc};
use entity::sql::Sql;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, TransactionTrait,
};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// "PulseHis" in ASCII: held by the worker of a PostgreSQL database that is at it.
const LOCK: i64 = 0x5075_6c73_6548_6973;

const DAY: Duration = Duration::from_secs(86_400);

/// How long what is kept, and how often it is seen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long each check is kept; in PostgreSQL to the end of a day.
    pub keep_checks: Duration,
    /// How long rollups by hour are kept; those by day stay for ever.
    pub keep_hours: Duration,
    /// From one pass to the next. Shorter means fewer checks to read for whoever asks for uptime.
    pub every: Duration,
    /// How much is summed up at once.
    pub portion: Portion,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keep_checks: 30 * DAY,
            keep_hours: 396 * DAY,
            every: Duration::from_secs(60),
            portion: Portion::default(),
        }
    }
}

/// What a pass did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pass {
    /// Checks that came into the rollups.
    pub checks: u64,
    /// Checks, rollups and whole partitions that were deleted.
    pub deleted: Deleted,
    /// Whether the index of a day that is over was built anew.
    pub compacted: bool,
}

/// Sees to the history until `shutdown`, by the time that `clock` tells. A pass that fails is said and made good by the next
/// one.
pub async fn run(
    db: DatabaseConnection,
    settings: Settings,
    clock: impl Fn() -> DateTime<Utc>,
    shutdown: CancellationToken,
) {
    loop {
        let (begun, now) = (Instant::now(), clock());
        // A pass may be cut off anywhere: its transactions are whole or not at all.
        let passed = tokio::select! {
            passed = pass(&db, &settings, now).instrument(tracing::debug_span!(target: "traces", "upkeep")) => passed,
            () = shutdown.cancelled() => return,
        };
        match passed {
            Ok(Some(pass)) => {
                tracing::debug!(?pass, took = ?begun.elapsed(), "history is up to date")
            }
            Ok(None) => tracing::debug!("another worker sees to the history"),
            Err(error) => {
                tracing::warn!(%error, "history could not be brought up to date: it will be tried again")
            }
        }
        // At most a tenth of the time goes into it, however slow the database is.
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

/// Brings history up to date once; `None` when another worker is at it.
///
/// # Errors
/// What the database said. Nothing is deleted unless everything is in the rollups.
pub async fn pass(
    db: &DatabaseConnection,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Option<Pass>, DbErr> {
    let Some(alone) = alone(db).await? else {
        return Ok(None);
    };
    // Somebody who reads a partition for an hour keeps new ones from being made, but the sums from nothing.
    let made = partitions::make_ahead(db, now).await;
    let checks = rollup::fold_new_checks(db, settings.portion).await?;
    let deleted = retention::delete_old(db, settings, now).await?;
    // One day a pass, so that sums wait for no more than that.
    let compacted = partitions::compact_one(db, now).await;
    alone.end().await?;
    made?;
    Ok(Some(Pass {
        checks,
        deleted,
        compacted: compacted?,
    }))
}

/// The right to see to the history. It ends with this value, or with the connection.
#[derive(Debug)]
struct Alone(Option<DatabaseTransaction>);

impl Alone {
    async fn end(self) -> Result<(), DbErr> {
        match self.0 {
            Some(lock) => lock.rollback().await,
            None => Ok(()),
        }
    }
}

/// A SQLite file belongs to one process, which runs one worker.
async fn alone(db: &DatabaseConnection) -> Result<Option<Alone>, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(Some(Alone(None)));
    }
    let lock = db.begin().await?;
    let sql = Sql::new(DbBackend::Postgres)
        .text("SELECT pg_try_advisory_xact_lock(")
        .value(LOCK)
        .text(")")
        .finish();
    let row = lock.query_one_raw(sql).await?;
    if row
        .map(|row| row.try_get_by_index::<bool>(0))
        .transpose()?
        .unwrap_or(false)
    {
        Ok(Some(Alone(Some(lock))))
    } else {
        lock.rollback().await?;
        Ok(None)
    }
}
