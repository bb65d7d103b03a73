//! Deletes checks, hourly rollups and scheduler statistics that are older than their retention. Daily
//! rollups are kept for ever. Deletes in batches so small that recording is not delayed. The caller
//! makes sure that everything is in the rollups before.

use super::partitions;
use chrono::{DateTime, TimeDelta, Utc};
use domain::rollup::{DAY, HOUR, floor};
use entity::column::RollupPeriod;
use entity::scheduler_minute;
use entity::sql::Sql;
use sea_orm::{
    ActiveEnum, ColumnTrait as _, ConnectionTrait, DatabaseConnection, DbBackend, DbErr,
    EntityTrait as _, QueryFilter as _, QueryOrder as _, Statement,
};
use std::time::{Duration, Instant};

/// Number of rows that are deleted in one transaction.
const DELETE_BATCH: i64 = 1000;

/// How long scheduler statistics are kept.
const KEEP_SCHEDULER_MINUTES: TimeDelta = TimeDelta::days(7);

/// Numbers of deleted rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deleted {
    /// Single checks.
    pub checks: u64,
    /// Partitions with all checks of a day.
    pub partitions: u64,
    /// Hourly rollups.
    pub hours: u64,
    /// Rows of scheduler statistics.
    pub scheduler_minutes: u64,
}

/// How long the clock must have gone on before it decides what is deleted.
const CLOCK_PROOF: TimeDelta = TimeDelta::days(1);

/// Returns the time by which retention is decided: `now`, unless no worker recorded a minute of the
/// day before it. Then the clock may have jumped ahead, and it is a day after the last minute before.
/// So a wrong clock deletes at most what one day more makes due.
pub(crate) async fn proven_time(
    db: &DatabaseConnection,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, DbErr> {
    let minutes = scheduler_minute::Entity::find();
    let before = minutes
        .clone()
        .filter(scheduler_minute::Column::StartedAt.lte(now - CLOCK_PROOF))
        .order_by_desc(scheduler_minute::Column::StartedAt)
        .one(db)
        .await?;
    if let Some(minute) = before {
        // The next minute is written up to a minute later.
        return Ok(now.min(minute.started_at + CLOCK_PROOF + TimeDelta::minutes(5)));
    }
    let first = minutes
        .order_by_asc(scheduler_minute::Column::StartedAt)
        .one(db)
        .await?;
    Ok(first.map_or(now, |minute| minute.started_at.min(now)))
}

/// Deletes checks older than `keep_checks`, hourly rollups older than `keep_hours`, and old scheduler
/// statistics.
pub(crate) async fn delete_old(
    db: &DatabaseConnection,
    keep_checks: Duration,
    keep_hours: Duration,
    now: DateTime<Utc>,
) -> Result<Deleted, DbErr> {
    let backend = db.get_database_backend();
    let checks_end = now - keep_checks;
    // Whole days or hours, so that the checks of an hourly rollup are all there or all gone.
    let width = if backend == DbBackend::Postgres {
        DAY
    } else {
        HOUR
    };
    let checks_end = floor(checks_end, width);
    let checks = delete_in_batches(db, &old_checks(backend, checks_end)).await?;
    let hours_end = floor(now - keep_hours, DAY);
    let hours = delete_in_batches(db, &old_hours(backend, hours_end)).await?;
    let partitions = partitions::drop_before(db, checks_end.date_naive()).await?;
    let scheduler_minutes = delete_in_batches(
        db,
        &old_scheduler_minutes(backend, now - KEEP_SCHEDULER_MINUTES),
    )
    .await?;
    Ok(Deleted {
        checks,
        partitions,
        hours,
        scheduler_minutes,
    })
}

/// Deletes, in PostgreSQL, old checks outside of the days' partitions; in SQLite, all old checks, found
/// service by service, as they are stored.
fn old_checks(backend: DbBackend, end: DateTime<Utc>) -> Statement {
    let sql = Sql::new(backend).by_backend(
        "DELETE FROM checks_default WHERE ctid = ANY (ARRAY (SELECT ctid FROM checks_default WHERE slot < ",
        "DELETE FROM checks WHERE (service_seq, slot) IN (
            SELECT c.service_seq, c.slot FROM services s CROSS JOIN checks c
            ON c.service_seq = s.seq AND c.slot < ",
    );
    let sql = sql
        .value(end.timestamp_millis())
        .text(" LIMIT ")
        .value(DELETE_BATCH);
    sql.by_backend("))", ")").finish()
}

fn old_hours(backend: DbBackend, end: DateTime<Utc>) -> Statement {
    Sql::new(backend)
        .text("DELETE FROM check_rollups WHERE (service_seq, period, start) IN (")
        .text("SELECT service_seq, period, start FROM check_rollups WHERE period = ")
        .value(RollupPeriod::Hour.into_value())
        .text(" AND start < ")
        .value(end.timestamp_millis())
        .text(" ORDER BY start LIMIT ")
        .value(DELETE_BATCH)
        .text(")")
        .finish()
}

fn old_scheduler_minutes(backend: DbBackend, end: DateTime<Utc>) -> Statement {
    Sql::new(backend)
        .text("DELETE FROM scheduler_minutes WHERE (started_at, worker_id) IN (")
        .text("SELECT started_at, worker_id FROM scheduler_minutes WHERE started_at < ")
        .value(end)
        .text(" ORDER BY started_at LIMIT ")
        .value(DELETE_BATCH)
        .text(")")
        .finish()
}

/// Repeats a statement that deletes a batch until there is nothing left, with pauses in between.
async fn delete_in_batches(db: &DatabaseConnection, statement: &Statement) -> Result<u64, DbErr> {
    let mut total = 0;
    loop {
        let begun = Instant::now();
        let deleted = db.execute_raw(statement.clone()).await?.rows_affected();
        total += deleted;
        if deleted < DELETE_BATCH.unsigned_abs() {
            return Ok(total);
        }
        // SQLite has one writer at a time: leave four fifths of the time to the others.
        tokio::time::sleep(begun.elapsed() * 4).await;
    }
}
