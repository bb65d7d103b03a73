//! Response times over a window, in stretches narrow enough for a chart and few enough for a phone.

use super::rest::about;
use crate::ops::Result;
use chrono::{DateTime, Duration, Utc};
use domain::rollup::{DAY, Sum, floor};
use domain::{LatencyHistogram, Window};
use entity::check::instant;
use entity::column::RollupPeriod;
use entity::sql::Sql;
use sea_orm::{ActiveEnum, ConnectionTrait, DatabaseConnection, DbErr};
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

/// The width of one point, and which rollups it is made of; a day is drawn from its checks.
const fn grain(window: Window) -> (Duration, Option<RollupPeriod>) {
    match window {
        Window::Day => (Duration::minutes(10), None),
        Window::Week => (Duration::hours(2), Some(RollupPeriod::Hour)),
        Window::Month => (Duration::hours(6), Some(RollupPeriod::Hour)),
        Window::Quarter => (DAY, Some(RollupPeriod::Day)),
    }
}

/// The response times of each service (by its number) over a window that ends at `now`, oldest first, in one statement.
/// The first point is the first stretch with checks; from there none is left out, so that a gap is seen as one. Services
/// without checks are missing. A day is read check by check: ask for few services at a time.
///
/// # Errors
/// What the database said.
pub async fn latency(
    db: &DatabaseConnection,
    services: &[i32],
    window: Window,
    now: DateTime<Utc>,
) -> Result<HashMap<i32, Vec<LatencyPoint>>> {
    let (width, period) = grain(window);
    let from = floor(window.start(now), width);
    let mut of_each: HashMap<i32, BTreeMap<DateTime<Utc>, Sum>> = HashMap::new();
    let sql = statement(about(db.get_database_backend(), services), period, from, width);
    for row in db.query_all_raw(sql.finish()).await? {
        let (at, service_number): (i64, i32) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let broken = |what: &dyn std::fmt::Display| {
            DbErr::Type(format!("{what} in the response times of service {service_number} at {at}"))
        };
        let sum = of_each.entry(service_number).or_default().entry(floor(instant(at), width)).or_default();
        let checks: i64 = row.try_get_by_index(2)?;
        sum.checks = sum.checks.saturating_add(checks.try_into().unwrap_or(0));
        let max: Option<i32> = row.try_get_by_index(3)?;
        sum.max_response_time_ms = sum.max_response_time_ms.max(max.and_then(|ms| ms.try_into().ok()));
        if let Some(latency) = row.try_get_by_index::<Option<Vec<u8>>>(4)? {
            sum.latency.merge(&LatencyHistogram::decode(&latency).map_err(|error| broken(&error))?);
        }
        if let Some(times) = row.try_get_by_index::<Option<String>>(5)? {
            for ms in times.split(' ') {
                sum.latency.record(ms.parse().map_err(|error| broken(&error))?);
            }
        }
    }
    let points = |sums: BTreeMap<DateTime<Utc>, Sum>| {
        let first = sums.keys().next().copied();
        let starts = std::iter::successors(first, |at| Some(*at + width)).take_while(|at| *at <= now);
        starts.map(|at| point(at, sums.get(&at))).collect()
    };
    Ok(of_each.into_iter().map(|(service, sums)| (service, points(sums))).collect())
}

/// Rows of (time, service, checks, slowest, histogram, times): rollups have a histogram, the checks that they do not hold
/// are put together by the point that they belong to, their times as text with spaces between.
fn statement(sql: Sql, period: Option<RollupPeriod>, from: DateTime<Utc>, width: Duration) -> Sql {
    let mut sql = sql;
    if let Some(period) = period {
        sql = sql
            .text("SELECT r.start, r.service_number, CAST(r.checks AS bigint), r.max_response_time_ms, r.latency, NULL")
            .text(" FROM given CROSS JOIN check_rollups r WHERE r.service_number = given.number AND r.period = ")
            .value(period.into_value())
            .text(" AND r.start >= ")
            .value(from.timestamp_millis())
            .text(" UNION ALL ");
    }
    sql = sql
        .text("SELECT c.slot - c.slot % ")
        .value(width.num_milliseconds())
        .text(", c.service_number, count(*), max(c.response_time_ms), ")
        .by_backend(
            "NULL::bytea, string_agg(c.response_time_ms::text, ' ')",
            "NULL, group_concat(c.response_time_ms, ' ')",
        )
        .text(" FROM given CROSS JOIN ")
        .by_backend("LATERAL (SELECT * FROM ", "")
        .text("checks c WHERE c.service_number = given.number AND c.slot >= ")
        .value(from.timestamp_millis());
    if period.is_some() {
        sql = sql.text(
            " AND c.slot > coalesce((SELECT p.slot FROM rollup_progress p WHERE p.service_number = given.number), -1)",
        );
    }
    // Keeps PostgreSQL from reading all checks to join them.
    sql.by_backend(" OFFSET 0) c", "").text(" GROUP BY 1, 2")
}

fn point(at: DateTime<Utc>, sum: Option<&Sum>) -> LatencyPoint {
    let max_ms = sum.and_then(|sum| sum.max_response_time_ms).map(f64::from);
    // The histogram's buckets are a little wider than what is in them.
    let quantile = |q| Some(sum?.latency.quantile(q)?.min(max_ms?));
    LatencyPoint { at, p50_ms: quantile(0.5), p95_ms: quantile(0.95), max_ms, checks: sum.map_or(0, |sum| sum.checks) }
}
