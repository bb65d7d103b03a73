//! What checks come to over time: uptime, days, response times.

use super::plain::{Plain, Write, put};
use super::scalar::Time;
use super::status::{Status, word};
use crate::use_cases::history;
use async_graphql::{InputType, Object, SimpleObject};
use chrono::Datelike;

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

impl Plain for Uptime {
    fn write(field: &str) -> Option<Write<Self>> {
        Some(match field {
            "percent" => |uptime, json| put(json, &uptime.percent),
            "degradedPercent" => |uptime, json| put(json, &uptime.degraded_percent),
            "coveragePercent" => |uptime, json| put(json, &uptime.coverage_percent),
            _ => return None,
        })
    }
}

/// One calendar day in UTC.
#[derive(Debug, Clone)]
pub(crate) struct UptimeDay(pub(super) history::UptimeDay);

/// One calendar day in UTC.
#[Object]
impl UptimeDay {
    /// Which, as `2026-11-22`.
    async fn date(&self) -> String {
        self.0.date.to_string()
    }

    /// The worst that happened on it.
    async fn status(&self) -> Status {
        self.0.status().into()
    }

    /// Percent of the covered time in which the service was not down; null when nothing is covered.
    async fn percent(&self) -> Option<f64> {
        self.0.uptime.percent()
    }

    /// Percent of the covered time in which it was degraded, which counts as up; null when nothing is covered.
    async fn degraded_percent(&self) -> Option<f64> {
        self.0.uptime.degraded_percent()
    }

    /// Percent of the day that is covered; today up to now.
    async fn coverage_percent(&self) -> f64 {
        self.0.uptime.coverage_percent()
    }
}

impl Plain for UptimeDay {
    fn write(field: &str) -> Option<Write<Self>> {
        Some(match field {
            "date" => |day, json| put_date(json, day.0.date),
            "status" => |day, json| put(json, &word(Status::from(day.0.status()))),
            "percent" => |day, json| put(json, &day.0.uptime.percent()),
            "degradedPercent" => |day, json| put(json, &day.0.uptime.degraded_percent()),
            "coveragePercent" => |day, json| put(json, &day.0.uptime.coverage_percent()),
            _ => return None,
        })
    }
}

/// As `2026-11-22`. By hand, because there are tens of thousands of them and formatting is slow.
fn put_date(json: &mut Vec<u8>, date: chrono::NaiveDate) {
    let (Ok(year @ 0..=9999), month, day) = (u32::try_from(date.year()), date.month(), date.day())
    else {
        return put(json, &date.to_string());
    };
    let digit = |n: u32| b"0123456789"[n as usize % 10];
    json.push(b'"');
    json.extend([year / 1000, year / 100, year / 10, year].map(digit));
    json.extend([
        b'-',
        digit(month / 10),
        digit(month),
        b'-',
        digit(day / 10),
        digit(day),
        b'"',
    ]);
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
        let history::LatencyPoint {
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

impl Plain for LatencyPoint {
    fn write(field: &str) -> Option<Write<Self>> {
        Some(match field {
            "at" => |point, json| put(json, &InputType::to_value(&point.at)),
            "p50Ms" => |point, json| put(json, &point.p50_ms),
            "p95Ms" => |point, json| put(json, &point.p95_ms),
            "maxMs" => |point, json| put(json, &point.max_ms),
            "checks" => |point, json| put(json, &point.checks),
            _ => return None,
        })
    }
}
