//! Response times over a stretch of time, in points narrow enough for a chart and few enough for a phone.

use super::past::Past;
use super::rest::about;
use crate::use_cases::Result;
use chrono::{DateTime, Duration, Utc};
use domain::rollup::{DAY, HOUR, Sum, floor};
use domain::{LatencyHistogram, Window};
use entity::check::instant;
use entity::column::RollupPeriod;
use entity::sql::Sql;
use sea_orm::{ActiveEnum, ConnectionTrait, DatabaseConnection, DbErr, QueryResult};
use std::collections::{BTreeMap, HashMap};

/// A stretch of time. Its times are `None` when nothing answered in it; quantiles are within
/// [`domain::histogram::RELATIVE_ERROR`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatencyPoint {
    /// When it begins.
    pub at: DateTime<Utc>,
    /// Half of the answers came within so many milliseconds.
    pub p50_ms: Option<f64>,
    /// 95 of 100 answers did.
    pub p95_ms: Option<f64>,
    /// All did.
    pub max_ms: Option<f64>,
    /// How many checks were made, answered or not.
    pub checks: u32,
}

/// A stretch of time, and how finely its response times are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stretch {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    width: Duration,
    source: Source,
}

/// What the points of a stretch are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    /// Its checks.
    Checks,
    /// Its checks, and sums of hours from before the first of them: what is older is kept only in sums.
    ChecksOrHours,
    /// Sums of hours, and the checks that are not summed up yet.
    Hours,
    /// Sums of days, likewise.
    Days,
}

impl Stretch {
    /// The longest that may be asked for.
    pub const LONGEST: Duration = Duration::days(180);

    /// A window that ends at `now`. A day is drawn from its checks.
    #[must_use]
    pub fn last(window: Window, now: DateTime<Utc>) -> Self {
        let (width, source) = match window {
            Window::Day => (Duration::minutes(10), Source::Checks),
            Window::Week => (Duration::hours(2), Source::Hours),
            Window::Month => (Duration::hours(6), Source::Hours),
            Window::Quarter => (DAY, Source::Days),
        };
        Self {
            from: window.start(now),
            to: now,
            width,
            source,
        }
    }

    /// What lies between two times, at most [`LONGEST`](Self::LONGEST) apart: at most 181 points, none of them narrower
    /// than `interval`, in which a check is made.
    #[must_use]
    pub fn between(from: DateTime<Utc>, to: DateTime<Utc>, interval: Duration) -> Self {
        const POINTS: i32 = 180;
        const FINE: [i64; 5] = [1, 2, 5, 10, 30];
        let fits = |width: &Duration| *width * POINTS >= to - from && *width >= interval;
        // Longer stretches would be read check by check for too many checks.
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
                source: Source::ChecksOrHours,
            };
        }
        let width = [1, 2, 6].map(Duration::hours).into_iter().find(fits);
        let source = if width.is_some() {
            Source::Hours
        } else {
            Source::Days
        };
        Self {
            from,
            to,
            width: width.unwrap_or(DAY),
            source,
        }
    }
}

/// The response times of each service (by its number) over a stretch of time, oldest first, in one statement. The first
/// point is the first with checks; from there none is left out, so that a gap is seen as one. Services without checks are
/// missing. Short stretches are read check by check: ask for few services at a time.
///
/// # Errors
/// What the database said.
pub async fn latency(
    db: &DatabaseConnection,
    past: &Past,
    services: &[i32],
    stretch: Stretch,
) -> Result<HashMap<i32, Vec<LatencyPoint>>> {
    let sql = statement(
        about(db.get_database_backend(), services),
        &stretch,
        past.folded(services),
    );
    let rows = db.query_all_raw(sql.finish()).await?;
    // Sums of hours cannot be told more finely, and points of one length are what charts understand.
    let summed =
        |row: &QueryResult| matches!(row.try_get_by_index::<Option<Vec<u8>>>(4), Ok(Some(_)));
    let width = if rows.iter().any(summed) {
        stretch.width.max(HOUR)
    } else {
        stretch.width
    };
    let mut of_each: HashMap<i32, BTreeMap<DateTime<Utc>, Sum>> = HashMap::new();
    for row in rows {
        let (at, service_seq): (i64, i32) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let broken = |what: &dyn std::fmt::Display| {
            DbErr::Type(format!(
                "{what} in the response times of service {service_seq} at {at}"
            ))
        };
        let sum = of_each
            .entry(service_seq)
            .or_default()
            .entry(floor(instant(at), width))
            .or_default();
        let checks: i64 = row.try_get_by_index(2)?;
        sum.checks = sum.checks.saturating_add(checks.try_into().unwrap_or(0));
        let max: Option<i32> = row.try_get_by_index(3)?;
        sum.max_response_time_ms = sum
            .max_response_time_ms
            .max(max.and_then(|ms| ms.try_into().ok()));
        if let Some(latency) = row.try_get_by_index::<Option<Vec<u8>>>(4)? {
            sum.latency
                .merge(&LatencyHistogram::decode(&latency).map_err(|error| broken(&error))?);
        }
        if let Some(times) = row.try_get_by_index::<Option<String>>(5)? {
            for ms in times.split(' ') {
                sum.latency
                    .record(ms.parse().map_err(|error| broken(&error))?);
            }
        }
    }
    let points = |sums: BTreeMap<DateTime<Utc>, Sum>| {
        let first = sums.keys().next().copied();
        let starts =
            std::iter::successors(first, |at| Some(*at + width)).take_while(|at| *at <= stretch.to);
        starts.map(|at| point(at, sums.get(&at))).collect()
    };
    Ok(of_each
        .into_iter()
        .map(|(service, sums)| (service, points(sums)))
        .collect())
}

/// Rows of (time, service, checks, slowest, histogram, times): rollups have a histogram, the checks that they do not hold
/// are put together by the point that they belong to, their times as text with spaces between.
/// Those are all after `folded`, if that is known.
fn statement(sql: Sql, stretch: &Stretch, folded: Option<i64>) -> Sql {
    let Stretch {
        from,
        to,
        width,
        source,
    } = *stretch;
    let (first, last) = (floor(from, width).timestamp_millis(), to.timestamp_millis());
    let mut sql = sql;
    let summed_up = matches!(source, Source::Hours | Source::Days);
    // With this bound PostgreSQL opens the last days' partitions and no others.
    let oldest = folded
        .filter(|_| summed_up)
        .map_or(first, |folded| folded.max(first));
    if source != Source::Checks {
        let (period, first) = match source {
            Source::Days => (RollupPeriod::Day, first),
            _ => (
                RollupPeriod::Hour,
                floor(from, width.max(HOUR)).timestamp_millis(),
            ),
        };
        sql = sql
            .text("SELECT r.start, r.service_seq, CAST(r.checks AS bigint), r.max_response_time_ms, r.latency, NULL")
            .text(" FROM given CROSS JOIN check_rollups r WHERE r.service_seq = given.seq AND r.period = ")
            .value(period.into_value())
            .text(" AND r.checks > 0 AND r.start >= ")
            .value(first)
            .text(" AND r.start <= ")
            .value(last);
        if source == Source::ChecksOrHours {
            // Only hours of which no check is kept any more.
            sql = sql
                .text(" AND r.start + ")
                .value(HOUR.num_milliseconds())
                .text(" <= coalesce((SELECT min(o.slot) FROM checks o WHERE o.service_seq = given.seq")
                .text(" AND o.slot >= ")
                .value(first)
                .text("), ")
                .value(i64::MAX)
                .text(")");
        }
        sql = sql.text(" UNION ALL ");
    }
    sql = sql
        .text("SELECT c.slot - c.slot % ")
        .value(width.num_milliseconds())
        .text(", c.service_seq, count(*), max(c.response_time_ms), ")
        .by_backend(
            "NULL::bytea, string_agg(c.response_time_ms::text, ' ')",
            "NULL, group_concat(c.response_time_ms, ' ')",
        )
        .text(" FROM given CROSS JOIN ")
        .by_backend("LATERAL (SELECT * FROM ", "")
        .text("checks c WHERE c.service_seq = given.seq AND c.slot >= ")
        .value(oldest)
        .text(" AND c.slot <= ")
        .value(last);
    if summed_up {
        sql = sql.text(
            " AND c.slot > coalesce((SELECT p.slot FROM rollup_progress p WHERE p.service_seq = given.seq), -1)",
        );
    }
    // Keeps PostgreSQL from reading all checks to join them.
    sql.by_backend(" OFFSET 0) c", "").text(" GROUP BY 1, 2")
}

/// Of how many hours [`hourly_medians`] tells.
pub const HOURS: usize = 24;

/// The median response time of each of the last [`HOURS`] hours of each service (by its number), in one statement: oldest
/// first, the hour that is under way last, `None` where nothing answered. Services without checks are missing. Made of sums,
/// so it is cheap for many services.
///
/// # Errors
/// What the database said.
pub async fn hourly_medians(
    db: &DatabaseConnection,
    past: &Past,
    services: &[i32],
    now: DateTime<Utc>,
) -> Result<HashMap<i32, Vec<Option<f64>>>> {
    let from = floor(now, HOUR) - (DAY - HOUR);
    let stretch = Stretch {
        from,
        to: now,
        width: HOUR,
        source: Source::Hours,
    };
    let medians = |points: Vec<LatencyPoint>| {
        let unknown = std::iter::repeat_n(None, HOURS.saturating_sub(points.len()));
        unknown
            .chain(points.into_iter().map(|point| point.p50_ms))
            .collect()
    };
    let points = latency(db, past, services, stretch).await?;
    Ok(points
        .into_iter()
        .map(|(service, points)| (service, medians(points)))
        .collect())
}

fn point(at: DateTime<Utc>, sum: Option<&Sum>) -> LatencyPoint {
    let max_ms = sum.and_then(|sum| sum.max_response_time_ms).map(f64::from);
    // The histogram's buckets are a little wider than what is in them.
    let quantile = |q| Some(sum?.latency.quantile(q)?.min(max_ms?));
    LatencyPoint {
        at,
        p50_ms: quantile(0.5),
        p95_ms: quantile(0.95),
        max_ms,
        checks: sum.map_or(0, |sum| sum.checks),
    }
}
