//! What checks come to over time: uptime, days, response times.

use super::scalar::Time;
use super::status::Status;
use crate::ops::history;
use async_graphql::SimpleObject;

/// Uptime over a stretch of time, weighted by time. Time in which PulseCheck did not look is not covered: it is neither
/// up nor down.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct Uptime {
    /// Percent of the covered time in which the service was not down; null when nothing is covered.
    percent: Option<f64>,
    /// Percent of the covered time in which it was degraded, which counts as up; null when nothing is covered.
    degraded_percent: Option<f64>,
    /// Percent of all time that is covered.
    coverage_percent: f64,
}

impl From<history::Uptime> for Uptime {
    fn from(uptime: history::Uptime) -> Self {
        Self {
            percent: uptime.percent(),
            degraded_percent: uptime.degraded_percent(),
            coverage_percent: uptime.coverage_percent(),
        }
    }
}

/// One calendar day in UTC.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct UptimeDay {
    /// Which, as `2026-11-22`.
    date: String,
    /// The worst that happened on it.
    status: Status,
    /// Percent of the covered time in which the service was not down; null when nothing is covered.
    percent: Option<f64>,
    /// Percent of the day that is covered; today up to now.
    coverage_percent: f64,
}

impl From<history::UptimeDay> for UptimeDay {
    fn from(day: history::UptimeDay) -> Self {
        Self {
            date: day.date.to_string(),
            status: day.status().into(),
            percent: day.uptime.percent(),
            coverage_percent: day.uptime.coverage_percent(),
        }
    }
}

/// The response times of a short stretch of time. They are null when nothing was answered in it.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct LatencyPoint {
    /// When it begins.
    at: Time,
    /// Half of the answers took at most so many milliseconds.
    p50_ms: Option<f64>,
    /// 95 of 100 answers took at most so many milliseconds.
    p95_ms: Option<f64>,
    /// The slowest answer, in milliseconds.
    max_ms: Option<f64>,
    /// How many checks were made, answered or not.
    checks: u32,
}

impl From<history::LatencyPoint> for LatencyPoint {
    fn from(point: history::LatencyPoint) -> Self {
        let history::LatencyPoint { at, p50_ms, p95_ms, max_ms, checks } = point;
        Self { at: at.into(), p50_ms, p95_ms, max_ms, checks }
    }
}
