//! The end of what is old enough: checks first, much later their hours; days stay for ever; and the ledger of scheduling
//! after a week. Deletes only what is in the
//! rollups, which its caller sees to, and in portions so small that recording does not notice.

use crate::history::Settings;
use crate::partitions;
use chrono::{DateTime, TimeDelta, Utc};
use domain::rollup::{DAY, HOUR, floor};
use entity::column::RollupPeriod;
use entity::sql::Sql;
use sea_orm::{ActiveEnum, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use std::time::Instant;

/// Rows in one transaction.
const PORTION: i64 = 1000;

/// How long it is known what each worker did in each minute.
const KEEP_PERIODS: TimeDelta = TimeDelta::days(7);

/// What was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deleted {
    /// Checks, one by one.
    pub checks: u64,
    /// Whole days of checks.
    pub partitions: u64,
    /// Rollups by hour.
    pub hours: u64,
    /// Minutes of the ledger of scheduling.
    pub periods: u64,
}

/// Deletes what is older than it may become.
///
/// # Errors
/// What the database said; what was deleted before stays deleted.
pub(crate) async fn delete_old(
    db: &DatabaseConnection,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Deleted, DbErr> {
    let backend = db.get_database_backend();
    let checks_end = now - settings.keep_checks;
    // Whole days or hours go, so that what an hour's rollup was made of is there or is not.
    let width = if backend == DbBackend::Postgres {
        DAY
    } else {
        HOUR
    };
    let checks_end = floor(checks_end, width);
    let checks = in_portions(db, &old_checks(backend, checks_end)).await?;
    let hours_end = floor(now - settings.keep_hours, DAY);
    let hours = in_portions(db, &old_hours(backend, hours_end)).await?;
    let partitions = partitions::drop_before(db, checks_end.date_naive()).await?;
    let periods = in_portions(db, &old_periods(backend, now - KEEP_PERIODS)).await?;
    Ok(Deleted {
        checks,
        partitions,
        hours,
        periods,
    })
}

/// In PostgreSQL what no partition of a day has caught, in SQLite all of them: found service by service, as they are kept.
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
        .value(PORTION);
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
        .value(PORTION)
        .text(")")
        .finish()
}

fn old_periods(backend: DbBackend, end: DateTime<Utc>) -> Statement {
    Sql::new(backend)
        .text("DELETE FROM scheduler_minutes WHERE (started_at, worker_id) IN (")
        .text("SELECT started_at, worker_id FROM scheduler_minutes WHERE started_at < ")
        .value(end)
        .text(" ORDER BY started_at LIMIT ")
        .value(PORTION)
        .text(")")
        .finish()
}

/// Repeats a statement that deletes a portion until it finds nothing more, and rests in between.
async fn in_portions(db: &DatabaseConnection, statement: &Statement) -> Result<u64, DbErr> {
    let mut all = 0;
    loop {
        let begun = Instant::now();
        let deleted = db.execute_raw(statement.clone()).await?.rows_affected();
        all += deleted;
        if deleted < PORTION.unsigned_abs() {
            return Ok(all);
        }
        // SQLite has one writer at a time: four fifths of the time are for the others.
        tokio::time::sleep(begun.elapsed() * 4).await;
    }
}
