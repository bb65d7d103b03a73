//! Writes folded checks: rollups and progress in one short transaction.

use super::folded::Folded;
use domain::rollup::{DAY, HOUR, Sum, floor};
use entity::check_rollup::{self, Column};
use entity::column::RollupPeriod;
use entity::rollup_progress;
use entity::sql::Sql;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveEnum, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    EntityTrait, FromQueryResult, IntoActiveModel, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use std::collections::HashMap;

/// Advisory lock of the worker that writes rollups to a PostgreSQL database: "PulseFol" in ASCII.
const ROLLUP_LOCK: i64 = 0x5075_6c73_6546_6f6c;

/// Adds folded checks to the rollups, except for services that another worker folded or that were
/// deleted meanwhile. Returns how many checks were added.
pub(super) async fn write(db: &DatabaseConnection, folded: &[Folded]) -> Result<u64, DbErr> {
    if folded.is_empty() {
        return Ok(0);
    }
    let backend = db.get_database_backend();
    let sqlite_transaction_mode =
        (backend == DbBackend::Sqlite).then_some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions {
        sqlite_transaction_mode,
        ..TransactionOptions::default()
    };
    let tx = db.begin_with_options(options).await?;
    if backend == DbBackend::Postgres {
        tx.execute_raw(
            Sql::new(backend)
                .text("SELECT pg_advisory_xact_lock(")
                .value(ROLLUP_LOCK)
                .text(")")
                .finish(),
        )
        .await?;
    }
    let valid = unchanged(&tx, folded).await?;
    let rows = merge_with_stored(&tx, &valid).await?;
    upsert(&tx, rows).await?;
    write_progress(&tx, &valid).await?;
    tx.commit().await?;
    Ok(valid.iter().map(|service| service.checks).sum())
}

/// Returns the services that exist and whose progress is as it was read, and locks them, so that they
/// are not deleted before the transaction ends.
async fn unchanged<'a>(
    tx: &DatabaseTransaction,
    folded: &'a [Folded],
) -> Result<Vec<&'a Folded>, DbErr> {
    let seqs: Vec<[i64; 1]> = folded
        .iter()
        .map(|service| [service.service_seq.into()])
        .collect();
    // Skips services that are being deleted: waiting for them could be a deadlock.
    let sql = Sql::new(tx.get_database_backend())
        .text("SELECT s.seq, p.slot FROM ")
        .rows("given", ["seq"], &seqs)
        .text(" JOIN services s ON s.seq = given.seq")
        .text(" LEFT JOIN rollup_progress p ON p.service_seq = s.seq")
        .by_backend(" FOR KEY SHARE OF s SKIP LOCKED", "");
    let mut current: HashMap<i32, Option<i64>> = HashMap::new();
    for row in tx.query_all_raw(sql.finish()).await? {
        current.insert(row.try_get("", "seq")?, row.try_get("", "slot")?);
    }
    let same = |service: &&Folded| {
        current.get(&service.service_seq)
            == Some(&service.before.as_ref().map(|before| before.slot))
    };
    Ok(folded.iter().filter(same).collect())
}

/// Returns the rows to write. Of all rows that a fold touches, only the hour and the day of the check
/// that it continues can exist.
async fn merge_with_stored(
    tx: &DatabaseTransaction,
    folded: &[&Folded],
) -> Result<Vec<check_rollup::Model>, DbErr> {
    let touched: Vec<[i64; 3]> = folded
        .iter()
        .filter_map(|service| service.before.as_ref())
        .flat_map(|before| {
            [(RollupPeriod::Hour, HOUR), (RollupPeriod::Day, DAY)].map(|(period, width)| {
                let start = floor(before.sample().slot, width).timestamp_millis();
                [before.service_seq.into(), period.into_value().into(), start]
            })
        })
        .collect();
    let sql = Sql::new(tx.get_database_backend())
        .text("SELECT r.* FROM ")
        .rows("given", ["seq", "period", "start"], &touched)
        .by_backend(" JOIN ", " CROSS JOIN ")
        .text("check_rollups r ON r.service_seq = given.seq")
        .text(" AND r.period = given.period AND r.start = given.start");
    let mut stored: HashMap<(i32, i16, i64), Sum> = HashMap::new();
    for row in tx.query_all_raw(sql.finish()).await? {
        let row = check_rollup::Model::from_query_result(&row, "")?;
        let sum = row
            .sum()
            .map_err(|error| DbErr::Type(format!("{error} in the rollup {row:?}")))?;
        stored.insert((row.service_seq, row.period.into_value(), row.start), sum);
    }

    let mut rows = Vec::new();
    for service in folded {
        let days = service.fold.days();
        let hours = service
            .fold
            .hours()
            .iter()
            .map(|(start, sum)| (RollupPeriod::Hour, start, sum));
        for (period, start, sum) in hours.chain(
            days.iter()
                .map(|(start, sum)| (RollupPeriod::Day, start, sum)),
        ) {
            let key = (
                service.service_seq,
                period.into_value(),
                start.timestamp_millis(),
            );
            let mut total = stored.remove(&key).unwrap_or_default();
            total.merge(sum);
            rows.push(check_rollup::Model::of(
                service.service_seq,
                period,
                *start,
                &total,
            ));
        }
    }
    Ok(rows)
}

async fn upsert(tx: &DatabaseTransaction, mut rows: Vec<check_rollup::Model>) -> Result<(), DbErr> {
    let conflict = OnConflict::columns([Column::ServiceSeq, Column::Period, Column::Start])
        .update_columns([
            Column::UpMs,
            Column::DegradedMs,
            Column::DownMs,
            Column::MaintenanceMs,
            Column::Checks,
            Column::Failed,
            Column::MaxResponseTimeMs,
            Column::Latency,
        ])
        .to_owned();
    while !rows.is_empty() {
        let chunk = rows.split_off(rows.len().saturating_sub(500));
        let insert = check_rollup::Entity::insert_many(
            chunk.into_iter().map(IntoActiveModel::into_active_model),
        );
        insert
            .on_conflict(conflict.clone())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

async fn write_progress(tx: &DatabaseTransaction, folded: &[&Folded]) -> Result<(), DbErr> {
    use rollup_progress::Column;
    let rows = folded.iter().filter_map(|service| {
        let last = service.fold.last()?;
        let row = rollup_progress::Model {
            service_seq: service.service_seq,
            slot: last.slot.timestamp_millis(),
            interval_seconds: last.interval.num_seconds().try_into().unwrap_or(i32::MAX),
            status: last.status.into(),
        };
        Some(row.into_active_model())
    });
    let conflict = OnConflict::column(Column::ServiceSeq)
        .update_columns([Column::Slot, Column::IntervalSeconds, Column::Status])
        .to_owned();
    rollup_progress::Entity::insert_many(rows)
        .on_conflict(conflict)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
