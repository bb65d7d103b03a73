//! Reads checks that are not in the rollups yet, a few services at a time.

use super::folded::Folded;
use domain::rollup::Fold;
use entity::column::Status;
use entity::sql::Sql;
use entity::{check, rollup_progress, service};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::collections::HashMap;

/// Returns the `seq` of the next services after `after`.
pub(super) async fn service_seqs(
    db: &DatabaseConnection,
    after: i32,
    limit: u64,
) -> Result<Vec<i32>, DbErr> {
    let next = service::Entity::find()
        .select_only()
        .column(service::Column::Seq);
    let next = next
        .filter(service::Column::Seq.gt(after))
        .order_by_asc(service::Column::Seq)
        .limit(limit);
    next.into_tuple().all(db).await
}

/// Folds up to `limit` new checks of each service; services without any are left out.
pub(super) async fn fold(
    db: &DatabaseConnection,
    seqs: &[i32],
    limit: u64,
) -> Result<Vec<Folded>, DbErr> {
    let progress = rollup_progress::Entity::find()
        .filter(rollup_progress::Column::ServiceSeq.is_in(seqs.to_vec()));
    let progress: HashMap<i32, _> = progress
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.service_seq, row))
        .collect();
    let from: Vec<[i64; 2]> = seqs
        .iter()
        .map(|seq| {
            [
                i64::from(*seq),
                progress.get(seq).map_or(-1, |progress| progress.slot),
            ]
        })
        .collect();

    let limit = i64::try_from(limit).unwrap_or(i64::MAX).max(1);
    let sql = Sql::new(db.get_database_backend());
    let sql = if db.get_database_backend() == sea_orm::DbBackend::Postgres {
        // The limit inside keeps PostgreSQL from reading the whole table to join it.
        sql.text("SELECT c.* FROM ")
            .rows("given", ["seq", "slot"], &from)
            .text(
                " CROSS JOIN LATERAL (
                    SELECT service_seq, slot, interval_seconds, status, response_time_ms FROM checks
                    WHERE service_seq = given.seq AND slot > given.slot ORDER BY slot LIMIT ",
            )
            .value(limit)
            .text(") c ORDER BY c.service_seq, c.slot")
    } else {
        sql.text("SELECT c.service_seq, c.slot, c.interval_seconds, c.status, c.response_time_ms FROM ")
            .rows("given", ["seq", "slot"], &from)
            .text(
                " CROSS JOIN checks c ON c.service_seq = given.seq AND c.slot > given.slot
                    AND c.slot <= coalesce((
                        SELECT slot FROM checks
                        WHERE service_seq = given.seq AND slot > given.slot ORDER BY slot LIMIT 1 OFFSET ",
            )
            .value(limit - 1)
            .text("), 9223372036854775807) ORDER BY c.service_seq, c.slot")
    };

    let mut folded: Vec<Folded> = Vec::new();
    for row in db.query_all_raw(sql.finish()).await? {
        let service_seq: i32 = row.try_get("", "service_seq")?;
        let status: Status = row.try_get("", "status")?;
        let sample = check::sample(
            row.try_get("", "slot")?,
            row.try_get("", "interval_seconds")?,
            status.into(),
        );
        let response_time_ms: Option<i32> = row.try_get("", "response_time_ms")?;
        if folded
            .last()
            .is_none_or(|last| last.service_seq != service_seq)
        {
            let before = progress.get(&service_seq).cloned();
            let fold = Fold::after(before.as_ref().map(rollup_progress::Model::sample));
            folded.push(Folded {
                service_seq,
                before,
                fold,
                checks: 0,
            });
        }
        let last = folded
            .last_mut()
            .expect("one was just pushed if there was none");
        last.fold
            .push(sample, response_time_ms.and_then(|ms| ms.try_into().ok()));
        last.checks += 1;
    }
    Ok(folded)
}
