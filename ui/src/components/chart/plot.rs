//! The drawing of the chart: axes, lines, shaded periods, and what is selected.

use super::points::{bucket_ms, isolated_points, points_within, status_at};
use super::scale::{Scale, line_path, time_ticks, value_ticks};
use super::shaded_period::ShadedPeriod;
use crate::{
    api::{LatencyPoint, Moment, Status},
    browser::{self, TimeStyle},
    format,
};
use dioxus::prelude::*;
use std::rc::Rc;

pub(super) const HEIGHT: f64 = 208.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 22.0;
const LEFT: f64 = 52.0;
/// Up to this range the ticks show times, beyond it days.
const MAX_RANGE_WITH_TIMES_MS: i64 = 36 * 3_600_000;

/// The points in the range, with the scale that maps them to pixels.
pub(super) struct Plot {
    pub(super) points: Rc<Vec<LatencyPoint>>,
    pub(super) scale: Scale,
    value_ticks: Vec<f64>,
}

impl Plot {
    /// Returns `None` when nothing was measured in the range. `points` may cover a longer range,
    /// because those of a zoomed range arrive later.
    pub(super) fn new(
        points: &[LatencyPoint],
        from: Moment,
        until: Moment,
        width: f64,
    ) -> Option<Self> {
        let points = points_within(points, from, until);
        let highest = points
            .iter()
            .filter_map(|point| point.p95_ms.or(point.p50_ms))
            .fold(0.0, f64::max);
        if highest <= 0.0 {
            return None;
        }
        let value_ticks = value_ticks(highest);
        let scale = Scale {
            left: LEFT,
            right: width,
            top: TOP,
            bottom: HEIGHT - BOTTOM,
            from,
            until,
            highest: value_ticks.last().copied().unwrap_or(highest),
        };
        Some(Self {
            points: Rc::new(points),
            scale,
            value_ticks,
        })
    }

    /// Returns the index of the measured point nearest to `x`.
    pub(super) fn nearest(&self, x: f64) -> Option<usize> {
        let distance = |point: &LatencyPoint| (self.scale.x(point.at) - x).abs();
        self.points
            .iter()
            .enumerate()
            .filter(|(_, point)| point.p50_ms.is_some())
            .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)))
            .map(|(index, _)| index)
    }

    /// Returns the worst status of the shaded periods at the time of a point.
    pub(super) fn status_at(&self, periods: &[ShadedPeriod], at: Moment) -> Option<Status> {
        status_at(periods, at, bucket_ms(&self.points), self.scale.until)
    }
}

/// Draws the shaded periods, axes and lines.
pub(super) fn render(plot: &Plot, periods: &[ShadedPeriod]) -> Element {
    let scale = plot.scale;
    let width = scale.right;
    let p50 = line_path(
        &scale,
        plot.points.iter().map(|point| (point.at, point.p50_ms)),
    );
    let p95 = line_path(
        &scale,
        plot.points.iter().map(|point| (point.at, point.p95_ms)),
    );
    let max_ticks = if width < 480.0 { 4 } else { 8 };
    let style = if scale.until.since(scale.from) <= MAX_RANGE_WITH_TIMES_MS {
        TimeStyle::ShortTime
    } else {
        TimeStyle::Day
    };
    rsx! {
        for (index , period) in periods.iter().enumerate() {
            {render_period(&scale, index, *period)}
        }
        for value in &plot.value_ticks {
            g { key: "{value}", class: "tick",
                line { x1: "{LEFT}", x2: "{width}", y1: "{scale.y(*value):.1}", y2: "{scale.y(*value):.1}" }
                text { x: "{LEFT - 8.0}", y: "{scale.y(*value) + 4.0:.1}", text_anchor: "end", {format::response_time(*value)} }
            }
        }
        for at in time_ticks(scale.from, scale.until, max_ticks) {
            text { key: "{at}", class: "tick", x: "{scale.x(at):.1}", y: "{HEIGHT - 4.0}", text_anchor: "middle",
                {browser::local_time(at, style)}
            }
        }
        path { class: "p95", d: "{p95}" }
        path { class: "p50", d: "{p50}" }
        for point in isolated_points(&plot.points) {
            circle { key: "{point.at}", class: "p50", cx: "{scale.x(point.at):.1}", cy: "{scale.y(point.p50_ms.unwrap_or_default()):.1}", r: "2" }
        }
    }
}

/// Draws the dragged range and the marks of the focused point.
pub(super) fn render_selection(
    plot: &Plot,
    drag: Option<(f64, f64)>,
    focus: Option<LatencyPoint>,
) -> Element {
    let scale = plot.scale;
    rsx! {
        if let Some((start, end)) = drag {
            rect {
                class: "marked",
                x: "{start.min(end):.1}",
                y: "{TOP}",
                width: "{(end - start).abs():.1}",
                height: "{scale.bottom - scale.top}",
            }
        }
        if let Some(point) = focus {
            line { class: "cross", x1: "{scale.x(point.at):.1}", x2: "{scale.x(point.at):.1}", y1: "{TOP}", y2: "{HEIGHT - BOTTOM}" }
            if let Some(value) = point.p95_ms {
                circle { class: "p95", cx: "{scale.x(point.at):.1}", cy: "{scale.y(value):.1}", r: "3" }
            }
            if let Some(value) = point.p50_ms {
                circle { class: "p50", cx: "{scale.x(point.at):.1}", cy: "{scale.y(value):.1}", r: "3" }
            }
        }
    }
}

fn render_period(scale: &Scale, index: usize, period: ShadedPeriod) -> Element {
    let until = period.until.unwrap_or(scale.until).min(scale.until);
    if until <= scale.from || period.from >= scale.until {
        return VNode::empty();
    }
    let (left, right) = (scale.x(period.from.max(scale.from)), scale.x(until));
    rsx! {
        rect {
            key: "{index}",
            class: "shade {period.status.word()}",
            x: "{left:.1}",
            y: "{TOP}",
            width: "{(right - left).max(2.0):.1}",
            height: "{scale.bottom - scale.top}",
        }
    }
}
