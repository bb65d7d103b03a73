//! Writing what was folded: rollups and progress in one short transaction.

use super::Folded;
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

/// "PulseFol" in ASCII: whoever writes rollups of a PostgreSQL database.
const LOCK: i64 = 0x5075_6c73_6546_6f6c;

/// Adds what was folded to the rollups, but for services that somebody else has folded or deleted meanwhile. Returns how
/// many checks were added.
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
                .value(LOCK)
                .text(")")
                .finish(),
        )
        .await?;
    }
    let valid = unchanged(&tx, folded).await?;
    let rows = added_to_what_is_there(&tx, &valid).await?;
    upsert(&tx, rows).await?;
    note(&tx, &valid).await?;
    tx.commit().await?;
    Ok(valid.iter().map(|service| service.checks).sum())
}

/// Those that exist and whose progress is as it was read; they cannot be deleted before the transaction ends.
async fn unchanged<'a>(
    tx: &DatabaseTransaction,
    folded: &'a [Folded],
) -> Result<Vec<&'a Folded>, DbErr> {
    let numbers: Vec<[i64; 1]> = folded
        .iter()
        .map(|service| [service.service_seq.into()])
        .collect();
    // A service that is being deleted is skipped, because waiting for it could be waiting for each other.
    let sql = Sql::new(tx.get_database_backend())
        .text("SELECT s.seq, p.slot FROM ")
        .values_table("given", ["seq"], &numbers)
        .text(" JOIN services s ON s.seq = given.seq")
        .text(" LEFT JOIN rollup_progress p ON p.service_seq = s.seq")
        .by_backend(" FOR KEY SHARE OF s SKIP LOCKED", "");
    let mut current: HashMap<i32, Option<i64>> = HashMap::new();
    for row in tx.query_all_raw(sql.finish()).await? {
        current.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    }
    let same = |service: &&Folded| {
        current.get(&service.service_seq)
            == Some(&service.before.as_ref().map(|before| before.slot))
    };
    Ok(folded.iter().filter(same).collect())
}

/// The rows to be: of all that a fold touches, only the hour and the day of the check that it went on from can be there.
async fn added_to_what_is_there(
    tx: &DatabaseTransaction,
    folded: &[&Folded],
) -> Result<Vec<check_rollup::Model>, DbErr> {
    let begun: Vec<[i64; 3]> = folded
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
        .values_table("given", ["seq", "period", "start"], &begun)
        .by_backend(" JOIN ", " CROSS JOIN ")
        .text("check_rollups r ON r.service_seq = given.seq")
        .text(" AND r.period = given.period AND r.start = given.start");
    let mut there: HashMap<(i32, i16, i64), Sum> = HashMap::new();
    for row in tx.query_all_raw(sql.finish()).await? {
        let row = check_rollup::Model::from_query_result(&row, "")?;
        let sum = row
            .sum()
            .map_err(|error| DbErr::Type(format!("{error} in the rollup {row:?}")))?;
        there.insert((row.service_seq, row.period.into_value(), row.start), sum);
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
            let mut whole = there.remove(&key).unwrap_or_default();
            whole.merge(sum);
            rows.push(check_rollup::Model::of(
                service.service_seq,
                period,
                *start,
                &whole,
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
        let some = rows.split_off(rows.len().saturating_sub(500));
        let insert = check_rollup::Entity::insert_many(
            some.into_iter().map(IntoActiveModel::into_active_model),
        );
        insert
            .on_conflict(conflict.clone())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

async fn note(tx: &DatabaseTransaction, folded: &[&Folded]) -> Result<(), DbErr> {
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
