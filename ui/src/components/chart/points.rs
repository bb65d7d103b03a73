//! Selects and describes the points of the chart. Plain functions.

use super::shaded_period::ShadedPeriod;
use crate::{
    api::{LatencyPoint, Moment, Status},
    browser::{self, TimeStyle},
    format,
};

/// Returns the points that begin in the range, and the one that lasts into it.
pub(super) fn points_within(
    points: &[LatencyPoint],
    from: Moment,
    until: Moment,
) -> Vec<LatencyPoint> {
    let earliest = Moment(from.0 - bucket_ms(points));
    points
        .iter()
        .filter(|point| point.at > earliest && point.at <= until)
        .copied()
        .collect()
}

/// Returns the length of a point's bucket, in milliseconds.
pub(super) fn bucket_ms(points: &[LatencyPoint]) -> i64 {
    match points {
        [first, second, ..] => second.at.since(first.at),
        _ => 60_000,
    }
}

/// Returns the worst status of the shaded periods that touch the bucket at `at`.
pub(super) fn status_at(
    shaded_periods: &[ShadedPeriod],
    at: Moment,
    bucket_ms: i64,
    until: Moment,
) -> Option<Status> {
    shaded_periods
        .iter()
        .filter(|period| period.from.0 < at.0 + bucket_ms && period.until.unwrap_or(until) >= at)
        .map(|period| period.status)
        .max_by_key(|status| status.severity())
}

/// Returns the points without a measured neighbour, through which no line goes.
pub(super) fn isolated_points(points: &[LatencyPoint]) -> Vec<LatencyPoint> {
    let is_measured = |index: usize| {
        points
            .get(index)
            .is_some_and(|point| point.p50_ms.is_some())
    };
    let is_isolated = |index: usize| {
        is_measured(index) && !is_measured(index + 1) && (index == 0 || !is_measured(index - 1))
    };
    points
        .iter()
        .enumerate()
        .filter(|(index, _)| is_isolated(*index))
        .map(|(_, point)| *point)
        .collect()
}

/// Describes a point for screen readers.
pub(super) fn describe_point(point: &LatencyPoint) -> String {
    format!(
        "{}: p50 {}, p95 {}, {}",
        browser::local_time(point.at, TimeStyle::DayTime),
        format_ms(point.p50_ms),
        format_ms(point.p95_ms),
        format_checks(point)
    )
}

/// Describes the range of the medians.
pub(super) fn describe_range(points: &[LatencyPoint]) -> String {
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    for value in points.iter().filter_map(|point| point.p50_ms) {
        low = low.min(value);
        high = high.max(value);
    }
    format!(
        "p50 between {} and {}",
        format::response_time(low.min(high)),
        format::response_time(high)
    )
}

pub(super) fn format_checks(point: &LatencyPoint) -> String {
    format::count(usize::try_from(point.checks).unwrap_or_default(), "check")
}

pub(super) fn format_ms(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), format::response_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_795_356_190_000);

    fn point(hours_ago: i64) -> LatencyPoint {
        LatencyPoint {
            at: Moment(NOW.0 - hours_ago * 3_600_000),
            p50_ms: Some(80.0),
            p95_ms: Some(160.0),
            max_ms: Some(80.0),
            checks: 120,
        }
    }

    #[test]
    fn points_in_the_range_are_drawn_and_the_one_that_lasts_into_it() {
        let points: Vec<_> = (0..10).rev().map(point).collect();
        let half = |hours: i64| Moment(NOW.0 - hours * 3_600_000 - 1_800_000);
        let within = points_within(&points, half(5), half(2));
        assert_eq!(
            within
                .iter()
                .map(|point| point.at.since(NOW) / -3_600_000)
                .collect::<Vec<_>>(),
            [6, 5, 4, 3]
        );
    }

    #[test]
    fn a_value_is_shown_with_the_status_of_its_time() {
        let at = |minutes: i64| Moment(NOW.0 - minutes * 60_000);
        let period = |from, until, status| ShadedPeriod {
            from: at(from),
            until,
            status,
        };
        let periods = [
            period(60, Some(at(50)), Status::Degraded),
            period(55, Some(at(52)), Status::Down),
            period(5, None, Status::Maintenance),
        ];
        let status = |minutes| status_at(&periods, at(minutes), 120_000, NOW);
        assert_eq!(status(63), None);
        assert_eq!(status(61), Some(Status::Degraded));
        assert_eq!(status(54), Some(Status::Down));
        assert_eq!(status(49), None);
        assert_eq!(status(8), None);
        assert_eq!(status(1), Some(Status::Maintenance));
        assert_eq!(
            describe_point(&point(1)),
            "2026-11-22 13:03: p50 80 ms, p95 160 ms, 120 checks"
        );
    }
}
