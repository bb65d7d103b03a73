//! Uptime and response times over time.

use super::scalar::{ScalarList, Time};
use super::status::Status;
use crate::use_cases::history;
use async_graphql::{Object, SimpleObject};

/// Uptime over a range of time, weighted by time. Time without checks is not covered: it counts
/// neither as up nor as down.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct Uptime {
    /// Percent of the covered time in which the service was not down; null when nothing is covered.
    percent: Option<f64>,
    /// Percent of the covered time in which it was degraded, which counts as up; null when nothing
    /// is covered.
    degraded_percent: Option<f64>,
    /// Percent of the range that is covered by checks.
    coverage_percent: f64,
}

impl From<history::UptimeTally> for Uptime {
    fn from(uptime: history::UptimeTally) -> Self {
        Self {
            percent: uptime.percent(),
            degraded_percent: uptime.degraded_percent(),
            coverage_percent: uptime.coverage_percent(),
        }
    }
}

/// One calendar day in UTC.
#[derive(Debug, Clone)]
pub(crate) struct UptimeDay(pub(super) history::DailyUptime);

/// One calendar day in UTC.
#[Object]
impl UptimeDay {
    /// The day, such as `2026-11-22`.
    async fn date(&self) -> String {
        self.0.date.to_string()
    }

    /// Worst status of the day.
    async fn status(&self) -> Status {
        self.0.status().into()
    }

    /// Percent of the covered time in which the service was not down; null when nothing is covered.
    async fn percent(&self) -> Option<f64> {
        self.0.uptime.percent()
    }

    /// Percent of the covered time in which it was degraded, which counts as up; null when nothing
    /// is covered.
    async fn degraded_percent(&self) -> Option<f64> {
        self.0.uptime.degraded_percent()
    }

    /// Percent of the day that is covered by checks; of today up to now.
    async fn coverage_percent(&self) -> f64 {
        self.0.uptime.coverage_percent()
    }
}

/// Uptime of consecutive calendar days in UTC, as lists with one item per day, oldest first.
#[derive(Debug)]
pub(crate) struct UptimeBars(Vec<history::DailyUptime>);

impl UptimeBars {
    pub(super) fn new(days: Vec<history::DailyUptime>) -> Self {
        Self(days)
    }

    fn list<T>(&self, value: impl Fn(&history::DailyUptime) -> T) -> ScalarList<T> {
        ScalarList(self.0.iter().map(value).collect())
    }
}

/// Uptime of consecutive calendar days in UTC, as lists with one item per day, oldest first.
#[Object]
impl UptimeBars {
    /// The days, such as `2026-11-22`.
    async fn dates(&self) -> ScalarList<String> {
        self.list(|day| day.date.to_string())
    }

    /// Worst status of each day.
    async fn statuses(&self) -> ScalarList<Status> {
        self.list(|day| day.status().into())
    }

    /// Percent of each day's covered time in which the service was not down; null when nothing is
    /// covered.
    async fn percents(&self) -> ScalarList<Option<f64>> {
        self.list(|day| day.uptime.percent())
    }

    /// Percent of each day's covered time in which it was degraded; null when nothing is covered.
    async fn degraded_percents(&self) -> ScalarList<Option<f64>> {
        self.list(|day| day.uptime.degraded_percent())
    }

    /// Percent of each day that is covered by checks; of today up to now.
    async fn coverage_percents(&self) -> ScalarList<f64> {
        self.list(|day| day.uptime.coverage_percent())
    }
}

/// Response times within one interval; null if no check got a response.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct LatencyPoint {
    /// Start of the interval.
    at: Time,
    /// Median response time in milliseconds.
    p50_ms: Option<f64>,
    /// 95th percentile of the response time in milliseconds.
    p95_ms: Option<f64>,
    /// Slowest response in milliseconds.
    max_ms: Option<f64>,
    /// Number of checks, with or without a response.
    checks: u32,
}

impl From<history::LatencyBucket> for LatencyPoint {
    fn from(point: history::LatencyBucket) -> Self {
        let history::LatencyBucket {
            at,
            p50_ms,
            p95_ms,
            max_ms,
            checks,
        } = point;
        Self {
            at: at.into(),
            p50_ms,
            p95_ms,
            max_ms,
            checks,
        }
    }
}
