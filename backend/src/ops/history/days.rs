//! One uptime a calendar day.

use super::rest::{Rest, Row, about, select_all, select_rest, tally_of};
use super::uptime::Uptime;
use crate::ops::Result;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use domain::Status;
use domain::rollup::{DAY, floor};
use domain::uptime::Tally;
use entity::check::instant;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use std::collections::HashMap;

/// The most days that are read at once.
pub const MAX_DAYS: u32 = 366;

const SUMS: i64 = 0;
const REST: i64 = 1;

/// A day of UTC; today up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UptimeDay {
    /// Which.
    pub date: NaiveDate,
    /// What it was like.
    pub uptime: Uptime,
}

impl UptimeDay {
    /// The worst that happened on it; unknown when nothing is covered.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.uptime.tally.worst()
    }
}

/// The last `days` (1 to [`MAX_DAYS`]) calendar days of each service (by its number), oldest first, today last, in one
/// statement. Each service has all of them.
///
/// # Errors
/// What the database said.
pub async fn uptime_days(
    db: &DatabaseConnection,
    services: &[i32],
    days: u32,
    now: DateTime<Utc>,
) -> Result<HashMap<i32, Vec<UptimeDay>>> {
    let days = days.clamp(1, MAX_DAYS);
    let from = floor(now, DAY) - DAY * (i32::try_from(days).unwrap_or(1) - 1);
    let columns = ["r.start", "r.up_ms", "r.degraded_ms", "r.down_ms", "r.maintenance_ms"];
    let sql = select_all(about(db.get_database_backend(), services), SUMS, "r", &columns)
        .text(" FROM given CROSS JOIN check_rollups r WHERE r.service_number = given.number AND r.period = 1")
        .text(" AND r.start >= ")
        .value(from.timestamp_millis())
        .text(" GROUP BY r.service_number UNION ALL ");
    let sql = select_rest(sql, REST);

    let empty = vec![Tally::default(); days as usize];
    let mut parts: HashMap<i32, (Vec<Tally>, Rest)> =
        services.iter().map(|number| (*number, (empty.clone(), Rest::default()))).collect();
    for row in db.query_all_raw(sql.finish()).await? {
        let row = Row::read(&row)?;
        let Some((tallies, rest)) = parts.get_mut(&row.service_number) else { continue };
        if row.part == REST {
            rest.add(&row)?;
            continue;
        }
        for [start, times @ ..] in row.numbers.as_chunks::<5>().0 {
            if let Some(tally) = nth(instant(*start) - from).and_then(|day| tallies.get_mut(day)) {
                *tally = tally_of(*times);
            }
        }
    }
    Ok(parts.into_iter().map(|(number, (tallies, rest))| (number, with_rest(tallies, rest, from, now))).collect())
}

fn with_rest(mut tallies: Vec<Tally>, mut rest: Rest, from: DateTime<Utc>, now: DateTime<Utc>) -> Vec<UptimeDay> {
    rest.sort();
    if let Some(begins) = rest.begins() {
        let touched = nth(begins - from).unwrap_or(0);
        for (tally, start) in tallies.iter_mut().zip(starts(from)).skip(touched) {
            tally.merge(&rest.tally(start, start + DAY, now));
        }
    }
    let day = |(tally, start): (Tally, DateTime<Utc>)| UptimeDay {
        date: start.date_naive(),
        uptime: Uptime { tally, length: DAY.min(now - start) },
    };
    tallies.into_iter().zip(starts(from)).map(day).collect()
}

fn starts(from: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    std::iter::successors(Some(from), |start| start.checked_add_signed(DAY))
}

/// Which day it is; `None` before the first.
fn nth(since: Duration) -> Option<usize> {
    usize::try_from(since.num_milliseconds().div_euclid(DAY.num_milliseconds())).ok()
}
