//! Uptime over a window that ends now.

use super::past::Past;
use super::rest::{
    self, Begin, CHECK, Rest, about, parts, select_all, select_folded, select_one, select_rest,
    tally_of,
};
use crate::use_cases::Result;
use chrono::{DateTime, Duration, Utc};
use domain::Window;
use domain::rollup::{DAY, HOUR, ceil, floor};
use domain::service::MAX_INTERVAL_SECONDS;
use domain::slot::coverage_window;
use domain::uptime::{Sample, Tally, tally};
use entity::sql::Sql;
use sea_orm::{DatabaseConnection, DbErr};
use std::collections::HashMap;

const SUMS: i64 = 0;
const REST: i64 = 1;
const FIRST_HOUR: i64 = 2;
const FIRST_CHECKS: i64 = 3;

/// Time by status, and out of how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uptime {
    /// The time that checks speak for.
    pub tally: Tally,
    /// All time of the window.
    pub length: Duration,
}

impl Uptime {
    /// Uptime in percent of the covered time; `None` when nothing is covered.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        self.tally.percent()
    }

    /// Degraded time in percent of the covered time; `None` when nothing is covered.
    #[must_use]
    pub fn degraded_percent(&self) -> Option<f64> {
        self.tally.degraded_percent()
    }

    /// Covered time in percent of all time.
    #[must_use]
    pub fn coverage_percent(&self) -> f64 {
        self.tally.coverage_percent(self.length)
    }
}

/// When a window begins. A day and a week begin to the millisecond. A month and a quarter begin at the full hour before:
/// there an hour is less than two thousandths, and checks that old need not be there any more.
#[must_use]
pub fn begins(window: Window, now: DateTime<Utc>) -> DateTime<Utc> {
    match window {
        Window::Day | Window::Week => window.start(now),
        Window::Month | Window::Quarter => floor(window.start(now), HOUR),
    }
}

/// The uptime of each service (by its number) over a window that ends at `now`, in one statement. Services that do not
/// exist have nothing covered, like those without checks.
///
/// # Errors
/// What the database said.
pub(super) async fn uptime(
    db: &DatabaseConnection,
    past: &Past,
    services: &[i32],
    window: Window,
    now: DateTime<Utc>,
) -> Result<HashMap<i32, Uptime>> {
    let from = begins(window, now);
    let (hours, days) = (ceil(from, HOUR), ceil(ceil(from, HOUR), DAY));
    let mut sql = parts(about(db.get_database_backend(), services));
    sql = select_sums(sql, 1, (days, now)).text(" UNION ALL ");
    if hours < days {
        sql = select_sums(sql, 0, (hours, days)).text(" UNION ALL ");
    }
    if from < hours {
        sql = select_first_hour(sql, from, hours).text(" UNION ALL ");
    }
    sql = select_folded(sql, REST).text(" UNION ALL ");
    sql = select_rest(
        sql,
        REST,
        past.folded(services).map_or(Begin::Unknown, Begin::After),
    );

    let mut parts: HashMap<i32, Parts> = services
        .iter()
        .map(|seq| (*seq, Parts::default()))
        .collect();
    for row in rest::read(db, sql).await? {
        let parts = parts.entry(row.service_seq).or_default();
        match (row.part, row.numbers.as_array()) {
            (REST, _) => parts.rest.add(&row)?,
            (FIRST_CHECKS, _) => {
                parts.first_checks = row.samples().collect::<std::result::Result<_, _>>()?
            }
            (FIRST_HOUR, Some(times)) => parts.first_hour = tally_of(*times),
            (_, Some(times)) => parts.sums.merge(&tally_of(*times)),
            (_, None) => return Err(DbErr::Type(format!("not four times: {row:?}")).into()),
        }
    }
    let length = now - from;
    let uptime = |parts: Parts| Uptime {
        tally: parts.tally(from, hours, now),
        length,
    };
    Ok(parts
        .into_iter()
        .map(|(seq, parts)| (seq, uptime(parts)))
        .collect())
}

/// What is known of one service.
#[derive(Debug, Default)]
struct Parts {
    /// All rollups of whole hours and days.
    sums: Tally,
    /// The rollup of the hour in which the window begins.
    first_hour: Tally,
    /// The checks of that hour, with those next to it.
    first_checks: Vec<Sample>,
    rest: Rest,
}

impl Parts {
    fn tally(
        mut self,
        from: DateTime<Utc>,
        first_hour_ends: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Tally {
        self.rest.sort();
        let mut all = self.sums;
        all.merge(&self.rest.tally(from, now, now));
        // What the rollups hold ends where the rest begins, be it within that very hour.
        let to = self
            .rest
            .begins()
            .map_or(from, |begins| begins.min(first_hour_ends));
        if from < to {
            all.merge(&self.begin(from, first_hour_ends, to, now));
        }
        all
    }

    /// The part of the first hour that is in the window.
    fn begin(
        mut self,
        from: DateTime<Utc>,
        ends: DateTime<Utc>,
        to: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Tally {
        if self.first_checks.iter().any(|check| check.slot < ends) {
            self.first_checks.sort_unstable_by_key(|check| check.slot);
            return tally(self.first_checks, from, to, now);
        }
        // Its checks are gone: as if each minute of it had been like the others.
        let share = |ms: i64| ms * (ends - from).num_milliseconds() / HOUR.num_milliseconds();
        Tally {
            up_ms: share(self.first_hour.up_ms),
            degraded_ms: share(self.first_hour.degraded_ms),
            down_ms: share(self.first_hour.down_ms),
            maintenance_ms: share(self.first_hour.maintenance_ms),
        }
    }
}

/// Sums of each service's rollups of one period that begin between two times.
fn select_sums(sql: Sql, period: i16, (from, to): (DateTime<Utc>, DateTime<Utc>)) -> Sql {
    let columns = [
        "sum(r.up_ms)",
        "sum(r.degraded_ms)",
        "sum(r.down_ms)",
        "sum(r.maintenance_ms)",
    ];
    select_one(sql, SUMS, "r", &columns)
        .text(" FROM given CROSS JOIN check_rollups r WHERE r.service_seq = given.seq AND r.period = ")
        .value(period)
        .text(" AND r.start >= ")
        .value(from.timestamp_millis())
        .text(" AND r.start < ")
        .value(to.timestamp_millis())
        .text(" GROUP BY r.service_seq")
}

/// The rollup of the hour that `from` is in and that ends at `to`, and its checks from the last one before `from`, which
/// reaches in, to the first one after it, which ends what the one before it stands for.
fn select_first_hour(sql: Sql, from: DateTime<Utc>, to: DateTime<Utc>) -> Sql {
    let longest = coverage_window(Duration::seconds(MAX_INTERVAL_SECONDS.into()));
    let [before, from, to, after] =
        [from - longest, from, to, to + longest].map(|at| at.timestamp_millis());
    let sql = select_one(
        sql,
        FIRST_HOUR,
        "r",
        &["r.up_ms", "r.degraded_ms", "r.down_ms", "r.maintenance_ms"],
    )
    .text(" FROM given CROSS JOIN check_rollups r WHERE r.service_seq = given.seq AND r.period = 0")
    .text(" AND r.start = ")
    .value(to - HOUR.num_milliseconds())
    .text(" UNION ALL ");
    let sql = select_all(sql, FIRST_CHECKS, "c", &CHECK).text(" FROM given CROSS JOIN ");
    const OF_IT: &str = "FROM checks k WHERE k.service_seq = given.seq";
    sql.by_backend("LATERAL (SELECT * FROM ", "")
        .text(
            "checks c WHERE c.service_seq = given.seq AND c.slot >= coalesce((SELECT max(k.slot) ",
        )
        .text(OF_IT)
        .text(" AND k.slot >= ")
        .value(before)
        .text(" AND k.slot < ")
        .value(from)
        .text("), ")
        .value(from)
        .text(") AND c.slot <= coalesce((SELECT min(k.slot) ")
        .text(OF_IT)
        .text(" AND k.slot >= ")
        .value(to)
        .text(" AND k.slot < ")
        .value(after)
        .text("), ")
        .value(to)
        .text(") AND c.slot >= ")
        .value(before)
        .text(" AND c.slot < ")
        .value(after)
        .by_backend(
            " OFFSET 0) c GROUP BY c.service_seq",
            " GROUP BY c.service_seq",
        )
}
