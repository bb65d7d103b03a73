//! What happens to pages besides polls: those that the due queue lost are queued again, and those that nobody follows any
//! more are deleted after a day.

use super::cadence::Times;
use super::store::Pages;
use crate::clock::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use coordination::Coordination;
use domain::slot;
use entity::sql::Sql;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use std::time::Duration;
use tokio::time::sleep;
use uuid::Uuid;

/// How long a page is kept that nobody follows.
const UNFOLLOWED: TimeDelta = TimeDelta::hours(24);
/// How often those are looked for.
const EVERY: Duration = Duration::from_secs(600);
/// How many pages one statement reads.
const PAGE: i64 = 5000;
/// Pages that are due are spread by this much each, up to a minute.
const SPREAD: TimeDelta = TimeDelta::milliseconds(20);
const LONGEST_SPREAD: TimeDelta = TimeDelta::seconds(30);
/// A change of a follower that no check followed for so long was not heard of.
const UNHEARD_AFTER: TimeDelta = TimeDelta::seconds(45);
/// Changes older than this were seen to.
const UNHEARD_BEFORE: TimeDelta = TimeDelta::minutes(15);

/// Deletes what is of no use to anybody, now and then, until it is dropped.
pub(crate) async fn run(db: DatabaseConnection, clock: Clock) {
    let pages = Pages::new(db);
    loop {
        if let Err(error) = tidy(&pages, clock.now()).await {
            tracing::warn!(%error, "old vendor pages could not be deleted: it will be tried again");
        }
        sleep(EVERY).await;
    }
}

async fn tidy(pages: &Pages, now: DateTime<Utc>) -> Result<(), DbErr> {
    delete_unfollowed(&pages.db, now).await?;
    pages.forget_old_incidents(now).await
}

/// A page without followers is not asked any more: the last attempt tells since when. One whose followers are paused is
/// followed.
async fn delete_unfollowed(db: &DatabaseConnection, now: DateTime<Utc>) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let sqlite_transaction_mode =
        (backend == DbBackend::Sqlite).then_some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions {
        sqlite_transaction_mode,
        ..Default::default()
    };
    let transaction = db.begin_with_options(options).await?;
    // Locked first, and looked at again by a second statement: somebody may just have begun to follow it.
    let sql = Sql::new(backend)
        .text("SELECT id FROM vendor_pages WHERE COALESCE(attempted_at, created_at) < ")
        .value(now - UNFOLLOWED)
        .text(" AND NOT EXISTS (SELECT 1 FROM services WHERE vendor_page_id = vendor_pages.id)")
        .by_backend(" FOR UPDATE SKIP LOCKED", "");
    for row in transaction.query_all_raw(sql.finish()).await? {
        let id: Uuid = row.try_get_by_index(0)?;
        let sql = Sql::new(backend)
            .text("DELETE FROM vendor_pages WHERE id = ")
            .value(id);
        let sql = sql.text(
            " AND NOT EXISTS (SELECT 1 FROM services WHERE vendor_page_id = vendor_pages.id)",
        );
        transaction.execute_raw(sql.finish()).await?;
    }
    transaction.commit().await
}

/// Queues every page that is followed and not queued, and has those looked at again at once of whose followers a change
/// was not heard.
pub(crate) async fn requeue(
    db: &DatabaseConnection,
    live: &Coordination,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let backend = db.get_database_backend();
    let mut after = Uuid::nil();
    loop {
        let sql = Sql::new(backend)
            .text(
                "SELECT p.id, p.attempted_at, p.fetched_at, p.not_before, p.failures FROM vendor_pages p \
                 WHERE EXISTS (SELECT 1 FROM services s WHERE s.vendor_page_id = p.id AND NOT s.paused \
                 AND s.kind = 'vendor_page') AND p.id > ",
            )
            .value(after)
            .text(" ORDER BY p.id LIMIT ")
            .value(PAGE);
        let rows = db.query_all_raw(sql.finish()).await?;
        let (mut dues, mut ahead) = (Vec::with_capacity(rows.len()), Vec::new());
        for (row, place) in rows.iter().zip(0..) {
            let times = Times {
                attempted_at: row.try_get_by_index(1)?,
                fetched_at: row.try_get_by_index(2)?,
                not_before: row.try_get_by_index(3)?,
                failures: row.try_get_by_index(4)?,
            };
            let id: Uuid = row.try_get_by_index(0)?;
            if times
                .attempted_at
                .is_some_and(|at| slot::lies_ahead(at, now))
            {
                ahead.push((id, now));
            }
            let spread = (SPREAD * place).min(LONGEST_SPREAD);
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
        // Before the clock was set back they were queued for a time that is far away now.
        if !ahead.is_empty() {
            live.schedule(&ahead).await?;
        }
    }
    let unheard = unheard(db, now).await?;
    if !unheard.is_empty() {
        live.schedule(&unheard).await?;
    }
    Ok(())
}

/// Pages with a new, resumed or changed follower that waits for a check.
async fn unheard(
    db: &DatabaseConnection,
    now: DateTime<Utc>,
) -> Result<Vec<(Uuid, DateTime<Utc>)>, DbErr> {
    let sql = Sql::new(db.get_database_backend())
        .text(
            "SELECT DISTINCT s.vendor_page_id FROM services s LEFT JOIN service_state st ON st.service_id = s.id \
             WHERE s.kind = 'vendor_page' AND NOT s.paused AND s.vendor_page_id IS NOT NULL AND s.updated_at > ",
        )
        .value(now - UNHEARD_BEFORE)
        .text(" AND s.updated_at < ")
        .value(now - UNHEARD_AFTER)
        .text(" AND (st.last_slot IS NULL OR st.last_slot < s.updated_at)");
    let rows = db.query_all_raw(sql.finish()).await?;
    rows.iter()
        .map(|row| Ok((row.try_get_by_index(0)?, now)))
        .collect()
}
