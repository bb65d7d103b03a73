//! Maintains vendor pages besides polling: queues those that the due queue lost, and deletes those that
//! nobody follows any more after a day.

use super::cadence::Times;
use super::store::PageStore;
use crate::clock::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use coordination::Coordination;
use domain::slot;
use entity::vendor_page::Column;
use entity::{followers, service, service_state, vendor_page};
use sea_orm::sea_query::{Expr, ExprTrait, Func, LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, JoinType,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationTrait, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use std::time::Duration;
use tokio::time::sleep;
use uuid::Uuid;

/// How long a page without followers is kept.
const UNFOLLOWED_RETENTION: TimeDelta = TimeDelta::hours(24);
/// How often old pages and incidents are deleted.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(600);
/// Number of pages that one statement reads.
const READ_BATCH: u64 = 5000;
/// Time between two due pages when many are queued at once.
const SPREAD_STEP: TimeDelta = TimeDelta::milliseconds(20);
/// Maximum delay of a page by that.
const MAX_SPREAD: TimeDelta = TimeDelta::seconds(30);
/// If no check followed a change of a follower for so long, its event was missed.
const MISSED_AFTER: TimeDelta = TimeDelta::seconds(45);
/// Older changes were dealt with by previous reconciliations.
const MISSED_BEFORE: TimeDelta = TimeDelta::minutes(15);

/// Deletes old pages and incidents every [`CLEANUP_INTERVAL`], until it is dropped.
pub(crate) async fn run(db: DatabaseConnection, clock: Clock) {
    let pages = PageStore::new(db);
    loop {
        if let Err(error) = cleanup(&pages, clock.now()).await {
            tracing::warn!(%error, "failed to delete old vendor pages, retrying");
        }
        sleep(CLEANUP_INTERVAL).await;
    }
}

async fn cleanup(pages: &PageStore, now: DateTime<Utc>) -> Result<(), DbErr> {
    delete_unfollowed(&pages.db, now).await?;
    pages.delete_old_incidents(now).await
}

/// Deletes pages that had no followers for [`UNFOLLOWED_RETENTION`]: the last fetch tells since when.
/// Paused services are followers too.
async fn delete_unfollowed(db: &DatabaseConnection, now: DateTime<Utc>) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let sqlite_transaction_mode =
        (backend == DbBackend::Sqlite).then_some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions {
        sqlite_transaction_mode,
        ..Default::default()
    };
    let transaction = db.begin_with_options(options).await?;
    // Locked first and compared again by a second statement: a service may just have begun to follow it.
    let last_fetch = Func::coalesce([
        Column::AttemptedAt.into_expr(),
        Column::CreatedAt.into_expr(),
    ]);
    let unfollowed: Vec<Uuid> = vendor_page::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Expr::expr(last_fetch).lt(now - UNFOLLOWED_RETENTION))
        .filter(followers::has_followers().not())
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(&transaction)
        .await?;
    for id in unfollowed {
        vendor_page::Entity::delete_many()
            .filter(Column::Id.eq(id))
            .filter(followers::has_followers().not())
            .exec(&transaction)
            .await?;
    }
    transaction.commit().await
}

/// Queues every followed page that is not queued, and makes those due whose followers changed without an
/// event.
pub(crate) async fn requeue(
    db: &DatabaseConnection,
    live: &Coordination,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut after = Uuid::nil();
    loop {
        let query = vendor_page::Entity::find()
            .select_only()
            .columns([
                Column::Id,
                Column::AttemptedAt,
                Column::FetchedAt,
                Column::NotBefore,
                Column::Failures,
            ])
            .filter(followers::is_followed())
            .filter(Column::Id.gt(after))
            .order_by_asc(Column::Id)
            .limit(READ_BATCH)
            .into_query();
        let rows = db.query_all(&query).await?;
        let (mut dues, mut ahead) = (Vec::with_capacity(rows.len()), Vec::new());
        for (row, position) in rows.iter().zip(0..) {
            let times = Times {
                attempted_at: row.try_get("", "attempted_at")?,
                fetched_at: row.try_get("", "fetched_at")?,
                not_before: row.try_get("", "not_before")?,
                failures: row.try_get("", "failures")?,
            };
            let id: Uuid = row.try_get("", "id")?;
            if times
                .attempted_at
                .is_some_and(|at| slot::is_in_future(at, now))
            {
                ahead.push((id, now));
            }
            let spread = (SPREAD_STEP * position).min(MAX_SPREAD);
            let due = if times.allow(now) {
                now + spread
            } else {
                times.next(id, now)
            };
            dues.push((id, due));
        }
        let Some((last, _)) = dues.last() else { break };
        after = *last;
        live.ensure(&dues).await?;
        // Queued before the clock was set back, for a time that is far away now.
        if !ahead.is_empty() {
            live.schedule(&ahead).await?;
        }
    }
    let changed = pages_with_missed_changes(db, now).await?;
    if !changed.is_empty() {
        live.schedule(&changed).await?;
    }
    Ok(())
}

/// Returns pages with a new, resumed or changed follower that waits for a check.
async fn pages_with_missed_changes(
    db: &DatabaseConnection,
    now: DateTime<Utc>,
) -> Result<Vec<(Uuid, DateTime<Utc>)>, DbErr> {
    use service::Column::{Paused, UpdatedAt, VendorPageId};
    use service_state::Column::LastSlot;
    let unchecked = LastSlot.is_null().or(LastSlot
        .into_expr()
        .lt(Expr::col(UpdatedAt.as_column_ref())));
    let pages: Vec<Uuid> = service::Entity::find()
        .select_only()
        .column(VendorPageId)
        .distinct()
        .join(
            JoinType::LeftJoin,
            service_state::Relation::Service.def().rev(),
        )
        .filter(Paused.into_expr().not())
        .filter(VendorPageId.is_not_null())
        .filter(UpdatedAt.gt(now - MISSED_BEFORE))
        .filter(UpdatedAt.lt(now - MISSED_AFTER))
        .filter(unchecked)
        .into_tuple()
        .all(db)
        .await?;
    Ok(pages.into_iter().map(|page| (page, now)).collect())
}
