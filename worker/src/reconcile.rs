//! Keeps the due queue as the database says: rebuilds it when it is lost, and mends now and then what was missed while
//! the live state was away. Services that are gone or paused leave the queue when they are claimed.

use crate::clock::Clock;
use crate::outage::Outage;
use crate::spread::Spread;
use crate::vendor_pages;
use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use coordination::Coordination;
use domain::{slot, transition};
use entity::column::Status;
use futures::FutureExt;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;
use uuid::Uuid;

/// How many services one statement reads, and one command queues.
const PAGE: i64 = 5000;
/// A change that was not followed by a check for so long was not heard of; longer than any check takes.
const UNHEARD_AFTER: TimeDelta = TimeDelta::seconds(45);
/// Changes older than this were seen to.
const UNHEARD_BEFORE: TimeDelta = TimeDelta::minutes(15);

/// Reconciles at once, whenever `wanted`, and every `every`, until it is dropped.
pub(crate) async fn run(
    db: DatabaseConnection,
    live: Coordination,
    clock: Clock,
    wanted: Arc<Notify>,
    every: Duration,
) {
    let mut outage = Outage::new("Comparing the due queue with the database");
    loop {
        match reconcile(&db, &live, &clock).await {
            Ok(()) => {
                outage.worked();
                // What was wanted meanwhile is done; if not, it is wanted again at the scheduler's next turn.
                let _ = wanted.notified().now_or_never();
                tokio::select! {
                    () = wanted.notified() => {}
                    () = sleep(every) => {}
                }
            }
            Err(error) => sleep(outage.failed(&format!("{error:#}"))).await,
        }
    }
}

/// A service that is to be checked.
#[derive(Debug)]
struct Active {
    id: Uuid,
    seq: i32,
    interval: TimeDelta,
    updated_at: DateTime<Utc>,
    last_slot: Option<DateTime<Utc>>,
    /// Its last check found something worse than is confirmed, and nobody may be about to look again.
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
    let mut spread = Spread::from(now);
    loop {
        let services = page(db, after)
            .await
            .context("the services cannot be read")?;
        let Some(last) = services.last() else { break };
        after = last.seq;
        let unheard: Vec<_> = services
            .iter()
            .filter(|service| is_unheard(service, now))
            .map(|s| (s.id, now))
            .collect();
        if !unheard.is_empty() {
            live.schedule(&unheard).await?;
        }
        live.ensure(&dues(&services, now, &mut spread)).await?;
        // Before the clock was set back they were queued for a time that is far away now. Each is again at its next slot
        // once it is checked.
        let ahead: Vec<_> = services
            .into_iter()
            .filter(|service| is_ahead(service, now))
            .collect();
        if !ahead.is_empty() {
            live.schedule(&soon(&ahead, now, &mut spread)).await?;
        }
    }
    vendor_pages::requeue(db, live, now)
        .await
        .context("the vendor pages cannot be queued")?;
    live.mark_built().await?;
    Ok(())
}

/// When services that the queue does not hold are due: those that missed a slot or wait for a
/// confirmation soon, the others at their next slot.
fn dues(
    services: &[Active],
    now: DateTime<Utc>,
    spread: &mut Spread,
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
        (service.id, spread.place(service.id, service.interval, now))
    };
    services.iter().map(due).collect()
}

/// All of them soon, but not at the same moment.
fn soon(
    services: &[Active],
    now: DateTime<Utc>,
    spread: &mut Spread,
) -> Vec<(Uuid, DateTime<Utc>)> {
    services
        .iter()
        .map(|service| (service.id, spread.place(service.id, service.interval, now)))
        .collect()
}

/// Whether the clock was set back since the last check.
fn is_ahead(service: &Active, now: DateTime<Utc>) -> bool {
    service
        .last_slot
        .is_some_and(|last| slot::lies_ahead(last, now))
}

/// Whether a new, resumed or changed service waits for a check that was not asked for.
fn is_unheard(service: &Active, now: DateTime<Utc>) -> bool {
    let since = now - service.updated_at;
    let checked = service
        .last_slot
        .is_some_and(|last| last > service.updated_at - TimeDelta::seconds(5));
    !checked && since > UNHEARD_AFTER && since < UNHEARD_BEFORE
}

async fn page(db: &DatabaseConnection, after: i32) -> Result<Vec<Active>, DbErr> {
    let backend = db.get_database_backend();
    let (seq, limit) = if backend == DbBackend::Postgres {
        ("$1", "$2")
    } else {
        ("?", "?")
    };
    let sql = format!(
        "SELECT s.id, s.seq, s.check_interval_seconds, s.updated_at, st.last_slot, st.status, \
             COALESCE(st.failing_checks, 0), COALESCE(st.down_checks, 0) FROM services s \
         LEFT JOIN service_state st ON st.service_id = s.id \
         WHERE s.seq > {seq} AND NOT s.paused AND s.kind = 'http' ORDER BY s.seq LIMIT {limit}"
    );
    let rows = db
        .query_all_raw(Statement::from_sql_and_values(
            backend,
            sql,
            [after.into(), PAGE.into()],
        ))
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<Active, DbErr> {
    let interval: i32 = row.try_get_by_index(2)?;
    let status: Option<Status> = row.try_get_by_index(5)?;
    let (checks, down_checks): (i32, i32) = (row.try_get_by_index(6)?, row.try_get_by_index(7)?);
    let count = |n: i32| u32::try_from(n).unwrap_or(0);
    Ok(Active {
        id: row.try_get_by_index(0)?,
        seq: row.try_get_by_index(1)?,
        interval: TimeDelta::seconds(i64::from(interval.max(1))),
        updated_at: row.try_get_by_index(3)?,
        last_slot: row.try_get_by_index(4)?,
        suspect: status.is_some_and(|status| {
            transition::is_suspect(status.into(), count(checks), count(down_checks))
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
    fn what_missed_a_slot_or_is_suspect_is_due_soon_and_the_rest_at_its_next_slot() {
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
        let mut spread = Spread::from(at(0));
        let dues: Vec<_> = dues(&services, at(0), &mut spread)
            .into_iter()
            .map(|(_, due)| due)
            .collect();
        let ms = TimeDelta::milliseconds;
        assert_eq!(dues, [next, at(0), at(0) + ms(1), at(0) + ms(2)]);
    }

    #[test]
    fn a_change_that_no_check_followed_is_made_up_for_once_it_should_have_been_heard_of() {
        let changed = |ago: i64, last_slot| {
            let service = Active {
                updated_at: at(-ago),
                ..active(last_slot)
            };
            is_unheard(&service, at(0))
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
