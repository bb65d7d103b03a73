//! Response times over a window, downsampled to a bounded number of points.

use super::statement::with_services;
use crate::use_cases::Result;
use chrono::{DateTime, Duration, Utc};
use domain::rollup::{DAY, HOUR, Sum, floor};
use domain::{LatencyHistogram, Window};
use entity::check::instant;
use entity::column::RollupPeriod;
use entity::sql::Sql;
use sea_orm::{ActiveEnum, DatabaseConnection, DbErr, FromQueryResult};
use std::collections::{BTreeMap, HashMap};

/// The response times of one bucket of time; `None` when nothing answered in it. Quantiles are
/// within [`domain::histogram::RELATIVE_ERROR`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatencyBucket {
    /// Start of the bucket.
    pub at: DateTime<Utc>,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub max_ms: Option<f64>,
    /// Number of checks, answered or not.
    pub checks: u32,
}

/// A time range, the width of its buckets, and where their response times come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LatencyWindow {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    width: Duration,
    source: LatencySource,
}

/// What the points of a window are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum LatencySource {
    Checks,
    /// Checks, and rollups of the hours before the oldest one that is kept.
    ChecksOrHours,
    /// Rollups of hours, and unrolled checks.
    Hours,
    /// Rollups of days, and unrolled checks.
    Days,
}

impl LatencyWindow {
    /// Maximum length of a window.
    pub const MAX_LENGTH: Duration = Duration::days(180);

    /// Returns a window that ends at `now`. A day is made of its checks.
    #[must_use]
    pub fn last(window: Window, now: DateTime<Utc>) -> Self {
        let (width, source) = match window {
            Window::Day => (Duration::minutes(10), LatencySource::Checks),
            Window::Week => (Duration::hours(2), LatencySource::Hours),
            Window::Month => (Duration::hours(6), LatencySource::Hours),
            Window::Quarter => (DAY, LatencySource::Days),
        };
        Self {
            from: window.start(now),
            to: now,
            width,
            source,
        }
    }

    /// Returns the window between two times at most [`MAX_LENGTH`](Self::MAX_LENGTH) apart: at most
    /// 181 points, none narrower than `interval`, so that each holds a check.
    #[must_use]
    pub fn between(from: DateTime<Utc>, to: DateTime<Utc>, interval: Duration) -> Self {
        const POINTS: i32 = 180;
        const FINE: [i64; 5] = [1, 2, 5, 10, 30];
        let fits = |width: &Duration| *width * POINTS >= to - from && *width >= interval;
        // A longer window has too many checks to be read one by one.
        let fine = FINE
            .map(Duration::minutes)
            .into_iter()
            .find(fits)
            .filter(|_| to - from <= Duration::hours(30));
        if let Some(width) = fine {
            return Self {
                from,
                to,
                width,
                source: LatencySource::ChecksOrHours,
            };
        }
        let width = [1, 2, 6].map(Duration::hours).into_iter().find(fits);
        let source = if width.is_some() {
            LatencySource::Hours
        } else {
            LatencySource::Days
        };
        Self {
            from,
            to,
            width: width.unwrap_or(DAY),
            source,
        }
    }
}

/// A rollup, or a single check.
#[derive(Debug, FromQueryResult)]
struct LatencyRow {
    service_seq: i32,
    /// Start of the rollup or slot of the check, epoch milliseconds.
    at: i64,
    checks: i32,
    max_response_time_ms: Option<i32>,
    /// The histogram of a rollup; `None` for a check.
    latency: Option<Vec<u8>>,
}

/// Reads the response times of each service (by its number) over a window, oldest first, in one
/// statement. The first point is the first with checks; from there none is left out, so that a gap
/// is visible. Services without checks are missing. Short windows are read check by check: query
/// few services at a time.
///
/// # Errors
/// Returns the database's error, also when a histogram cannot be decoded.
pub async fn latency(
    db: &DatabaseConnection,
    services: &[i32],
    window: LatencyWindow,
) -> Result<HashMap<i32, Vec<LatencyBucket>>> {
    let sql = statement(with_services(db.get_database_backend(), services), &window);
    let rows = LatencyRow::find_by_statement(sql.finish()).all(db).await?;
    // A rollup cannot be split into finer points, and charts expect points of one width.
    let width = if rows.iter().any(|row| row.latency.is_some()) {
        window.width.max(HOUR)
    } else {
        window.width
    };
    let mut sums_by_service: HashMap<i32, BTreeMap<DateTime<Utc>, Sum>> = HashMap::new();
    for row in rows {
        let sum = sums_by_service
            .entry(row.service_seq)
            .or_default()
            .entry(floor(instant(row.at), width))
            .or_default();
        add(sum, &row)?;
    }
    let points = |sums: BTreeMap<DateTime<Utc>, Sum>| {
        let first = sums.keys().next().copied();
        let starts =
            std::iter::successors(first, |at| Some(*at + width)).take_while(|at| *at <= window.to);
        starts.map(|at| point(at, sums.get(&at))).collect()
    };
    Ok(sums_by_service
        .into_iter()
        .map(|(service, sums)| (service, points(sums)))
        .collect())
}

fn add(sum: &mut Sum, row: &LatencyRow) -> std::result::Result<(), DbErr> {
    let max = row.max_response_time_ms.and_then(|ms| ms.try_into().ok());
    sum.checks = sum
        .checks
        .saturating_add(row.checks.try_into().unwrap_or(0));
    sum.max_response_time_ms = sum.max_response_time_ms.max(max);
    match (&row.latency, max) {
        (Some(histogram), _) => {
            let histogram = LatencyHistogram::decode(histogram).map_err(|error| {
                let LatencyRow {
                    service_seq, at, ..
                } = row;
                DbErr::Type(format!(
                    "{error} in the rollup of service {service_seq} at {at}"
                ))
            })?;
            sum.latency.merge(&histogram);
        }
        (None, Some(ms)) => sum.latency.record(ms),
        (None, None) => {}
    }
    Ok(())
}

/// Builds the statement: rollups, and checks as far as they are not in rollups.
fn statement(sql: Sql, window: &LatencyWindow) -> Sql {
    let LatencyWindow {
        from,
        to,
        width,
        source,
    } = *window;
    let (first, last) = (floor(from, width).timestamp_millis(), to.timestamp_millis());
    let sql = match source {
        LatencySource::Checks => sql,
        LatencySource::Days => {
            select_rollups(sql, RollupPeriod::Day, first, last).text(" UNION ALL")
        }
        LatencySource::Hours => {
            select_rollups(sql, RollupPeriod::Hour, first, last).text(" UNION ALL")
        }
        LatencySource::ChecksOrHours => {
            let first_hour = floor(from, width.max(HOUR)).timestamp_millis();
            select_rollups(sql, RollupPeriod::Hour, first_hour, last)
                .text(" WHERE r.start + ")
                .value(HOUR.num_milliseconds())
                .text(" <= coalesce((SELECT min(o.slot) FROM checks o")
                .text(" WHERE o.service_seq = given.seq AND o.slot >= ")
                .value(first_hour)
                .text("), ")
                .value(i64::MAX)
                .text(") UNION ALL")
        }
    };
    let is_rolled_up = matches!(source, LatencySource::Hours | LatencySource::Days);
    sql.text(" SELECT c.service_seq, c.slot AS at, 1 AS checks,")
        .text(" c.response_time_ms AS max_response_time_ms, ")
        .by_backend("CAST(NULL AS bytea)", "NULL")
        .text(" AS latency FROM given LEFT JOIN rollup_progress p ON p.service_seq = given.seq")
        .join_each("checks", "c", |sql| {
            let sql = sql
                .text("c.service_seq = given.seq AND c.slot >= ")
                .value(first)
                .text(" AND c.slot <= ")
                .value(last);
            if is_rolled_up {
                sql.text(" AND c.slot > coalesce(p.slot, -1)")
            } else {
                sql
            }
        })
}

/// Selects the rollups of each service that begin from `first` to `last`.
fn select_rollups(sql: Sql, period: RollupPeriod, first: i64, last: i64) -> Sql {
    sql.text(" SELECT r.service_seq, r.start AS at, r.checks, r.max_response_time_ms, r.latency")
        .text(" FROM given")
        .join_each("check_rollups", "r", |sql| {
            sql.text("r.service_seq = given.seq AND r.period = ")
                .value(period.into_value())
                .text(" AND r.checks > 0 AND r.start >= ")
                .value(first)
                .text(" AND r.start <= ")
                .value(last)
        })
}

/// Number of hours that [`hourly_medians`] returns.
pub const HOURS: usize = 24;

/// Reads the median response time of each of the last [`HOURS`] hours of each service (by its
/// number), in one statement: oldest first, the current hour last, `None` where nothing answered.
/// Services without checks are missing.
///
/// # Errors
/// Returns the database's error.
pub async fn hourly_medians(
    db: &DatabaseConnection,
    services: &[i32],
    now: DateTime<Utc>,
) -> Result<HashMap<i32, Vec<Option<f64>>>> {
    let from = floor(now, HOUR) - (DAY - HOUR);
    let window = LatencyWindow {
        from,
        to: now,
        width: HOUR,
        source: LatencySource::Hours,
    };
    let medians = |points: Vec<LatencyBucket>| {
        let missing = std::iter::repeat_n(None, HOURS.saturating_sub(points.len()));
        missing
            .chain(points.into_iter().map(|point| point.p50_ms))
            .collect()
    };
    let points = latency(db, services, window).await?;
    Ok(points
        .into_iter()
        .map(|(service, points)| (service, medians(points)))
        .collect())
}

fn point(at: DateTime<Utc>, sum: Option<&Sum>) -> LatencyBucket {
    let max_ms = sum.and_then(|sum| sum.max_response_time_ms).map(f64::from);
    // A bucket's upper bound may exceed the greatest value in it.
    let quantile = |q| Some(sum?.latency.quantile(q)?.min(max_ms?));
    LatencyBucket {
        at,
        p50_ms: quantile(0.5),
        p95_ms: quantile(0.95),
        max_ms,
        checks: sum.map_or(0, |sum| sum.checks),
    }
}
