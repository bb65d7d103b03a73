//! Reconciles the due queue with the database: rebuilds it when it is lost, and adds what was missed
//! while Redis was away. Services that are gone or paused leave the queue when they are claimed.

use crate::catch_up::SlotSpreader;
use crate::clock::Clock;
use crate::retry_backoff::RetryBackoff;
use crate::vendor_pages;
use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use coordination::Coordination;
use domain::{slot, transition};
use entity::column::Status;
use futures::FutureExt;
use monitors::{MonitorKind, Schedule};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, JoinType, QueryFilter,
    QueryOrder, QueryResult, QuerySelect, QueryTrait, RelationTrait,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;
use uuid::Uuid;

/// Number of services that one statement reads and one command queues.
const PAGE_SIZE: u64 = 5000;
/// If no check followed a change for so long, its event was missed. Longer than any check takes.
const MISSED_AFTER: TimeDelta = TimeDelta::seconds(45);
/// Older changes were dealt with by previous reconciliations.
const MISSED_BEFORE: TimeDelta = TimeDelta::minutes(15);

/// Reconciles now, whenever `requested`, and every `every`, until it is dropped.
pub(crate) async fn run(
    db: DatabaseConnection,
    live: Coordination,
    clock: Clock,
    requested: Arc<Notify>,
    every: Duration,
) {
    let mut outage = RetryBackoff::new("Reconciling the due queue");
    loop {
        match reconcile(&db, &live, &clock).await {
            Ok(()) => {
                outage.end();
                // What was requested meanwhile is done; if not, the scheduler's next poll requests it again.
                let _ = requested.notified().now_or_never();
                tokio::select! {
                    () = requested.notified() => {}
                    () = sleep(every) => {}
                }
            }
            Err(error) => sleep(outage.begin(&format!("{error:#}"))).await,
        }
    }
}

/// A service that is not paused.
#[derive(Debug)]
struct Active {
    id: Uuid,
    seq: i32,
    interval: TimeDelta,
    updated_at: DateTime<Utc>,
    last_slot: Option<DateTime<Utc>>,
    /// Its last check found something worse than is confirmed, and no runner may be confirming it.
    suspect: bool,
}

async fn reconcile(
    db: &DatabaseConnection,
    live: &Coordination,
    clock: &Clock,
) -> anyhow::Result<()> {
    let now = live.now().await?;
    clock.set(now);
    let mut after = i32::MIN;
    let mut spreader = SlotSpreader::from(now);
    loop {
        let services = page(db, after)
            .await
            .context("failed to read the services")?;
        let Some(last) = services.last() else { break };
        after = last.seq;
        let changed: Vec<_> = services
            .iter()
            .filter(|service| was_change_missed(service, now))
            .map(|service| (service.id, now))
            .collect();
        if !changed.is_empty() {
            live.schedule(&changed).await?;
        }
        live.ensure(&dues(&services, now, &mut spreader)).await?;
        // Queued before the clock was set back, for a time that is far away now.
        let ahead: Vec<_> = services
            .into_iter()
            .filter(|service| is_ahead(service, now))
            .collect();
        if !ahead.is_empty() {
            live.schedule(&soon(&ahead, now, &mut spreader)).await?;
        }
    }
    vendor_pages::requeue(db, live, now)
        .await
        .context("failed to queue the vendor pages")?;
    live.mark_built().await?;
    Ok(())
}

/// Returns when services that are not queued are due: those that missed a slot or wait for a
/// confirmation soon, the others at their next slot.
fn dues(
    services: &[Active],
    now: DateTime<Utc>,
    spreader: &mut SlotSpreader,
) -> Vec<(Uuid, DateTime<Utc>)> {
    let due = |service: &Active| {
        let next = slot::next_slot(service.id, service.interval, now);
        if !service.suspect
            && service
                .last_slot
                .is_some_and(|last| last >= next - service.interval)
        {
            return (service.id, next);
        }
        (
            service.id,
            spreader.next_time(service.id, service.interval, now),
        )
    };
    services.iter().map(due).collect()
}

/// Returns due times that are soon, but not all the same.
fn soon(
    services: &[Active],
    now: DateTime<Utc>,
    spreader: &mut SlotSpreader,
) -> Vec<(Uuid, DateTime<Utc>)> {
    services
        .iter()
        .map(|service| {
            (
                service.id,
                spreader.next_time(service.id, service.interval, now),
            )
        })
        .collect()
}

/// Whether the clock was set back since the last check.
fn is_ahead(service: &Active, now: DateTime<Utc>) -> bool {
    service
        .last_slot
        .is_some_and(|last| slot::is_in_future(last, now))
}

/// Whether a new, resumed or changed service waits for its first check, because the event was missed.
fn was_change_missed(service: &Active, now: DateTime<Utc>) -> bool {
    let since = now - service.updated_at;
    let checked = service
        .last_slot
        .is_some_and(|last| last > service.updated_at - TimeDelta::seconds(5));
    !checked && since > MISSED_AFTER && since < MISSED_BEFORE
}

async fn page(db: &DatabaseConnection, after: i32) -> Result<Vec<Active>, DbErr> {
    use entity::{service, service_state};
    use sea_orm::sea_query::ExprTrait as _;
    let query = service::Entity::find()
        .select_only()
        .columns([
            service::Column::Id,
            service::Column::Seq,
            service::Column::CheckIntervalSeconds,
            service::Column::UpdatedAt,
        ])
        .columns([
            service_state::Column::LastSlot,
            service_state::Column::Status,
            service_state::Column::FailingChecks,
            service_state::Column::DownChecks,
        ])
        .join(
            JoinType::LeftJoin,
            service_state::Relation::Service.def().rev(),
        )
        .filter(service::Column::Paused.into_expr().not())
        .filter(service::Column::Seq.gt(after))
        .filter(service::Column::Kind.is_in(MonitorKind::ids_with(Schedule::Every)))
        .order_by_asc(service::Column::Seq)
        .limit(PAGE_SIZE)
        .into_query();
    let rows = db.query_all(&query).await?;
    rows.iter().map(active_service).collect()
}

fn active_service(row: &QueryResult) -> Result<Active, DbErr> {
    let interval: i32 = row.try_get("", "check_interval_seconds")?;
    let status: Option<Status> = row.try_get("", "status")?;
    let failing_checks: Option<i32> = row.try_get("", "failing_checks")?;
    let down_checks: Option<i32> = row.try_get("", "down_checks")?;
    let count = |n: Option<i32>| u32::try_from(n.unwrap_or(0)).unwrap_or(0);
    Ok(Active {
        id: row.try_get("", "id")?,
        seq: row.try_get("", "seq")?,
        interval: TimeDelta::seconds(i64::from(interval.max(1))),
        updated_at: row.try_get("", "updated_at")?,
        last_slot: row.try_get("", "last_slot")?,
        suspect: status.is_some_and(|status| {
            transition::is_suspect(status.into(), count(failing_checks), count(down_checks))
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn active(last_slot: Option<DateTime<Utc>>) -> Active {
        let (id, interval) = (Uuid::from_u128(7), TimeDelta::hours(24));
        Active {
            id,
            seq: 1,
            interval,
            updated_at: at(-86_400),
            last_slot,
            suspect: false,
        }
    }

    #[test]
    fn what_missed_a_slot_or_is_suspect_is_due_soon() {
        let next = slot::next_slot(Uuid::from_u128(7), TimeDelta::hours(24), at(0));
        let last = next - TimeDelta::hours(24);
        let suspect = Active {
            suspect: true,
            ..active(Some(last))
        };
        let services = [
            active(Some(last)),
            active(None),
            active(Some(last - TimeDelta::seconds(1))),
            suspect,
        ];
        let mut spreader = SlotSpreader::from(at(0));
        let dues: Vec<_> = dues(&services, at(0), &mut spreader)
            .into_iter()
            .map(|(_, due)| due)
            .collect();
        let ms = TimeDelta::milliseconds;
        assert_eq!(dues, [next, at(0), at(0) + ms(1), at(0) + ms(2)]);
    }

    #[test]
    fn a_missed_change_is_made_up_for_after_a_while() {
        let changed = |ago: i64, last_slot| {
            let service = Active {
                updated_at: at(-ago),
                ..active(last_slot)
            };
            was_change_missed(&service, at(0))
        };
        assert!(changed(60, None) && changed(60, Some(at(-120))));
        assert!(!changed(10, None), "its first check may be under way");
        assert!(
            !changed(60, Some(at(-59))) && !changed(60, Some(at(-61))),
            "it was checked since"
        );
        assert!(!changed(86_400, Some(at(-90_000))), "long ago");
    }
}
