//! The response times of the last hours as a small line.

use crate::{api::History, format};
use dioxus::prelude::*;
use std::fmt::Write;

// In units of the view box. Four units are a pixel, so whole numbers are precise enough.
const HEIGHT: f64 = 80.0;
const EDGE: f64 = 6.0;
const STEP: usize = 10;

/// Draws a line from hour to hour. It starts at zero, so that a flat line means steady times. Hours
/// without a response are gaps.
pub(super) fn sparkline(history: Option<&History>) -> Element {
    let hours = history
        .map(|history| history.hourly_p50_ms.as_slice())
        .unwrap_or_default();
    let [least, most] = range(hours);
    if most <= 0.0 {
        return VNode::empty();
    }
    let (least, slowest) = (format::response_time(least), format::response_time(most));
    rsx! {
        svg {
            class: "spark",
            role: "img",
            "aria-label": "Last 24 hours: {least} to {slowest}",
            view_box: "0 0 240 80",
            path { d: line(hours, most) }
        }
    }
}

/// Returns the shortest and the longest response time.
fn range(hours: &[Option<f64>]) -> [f64; 2] {
    let known = || hours.iter().flatten().copied();
    [
        known().fold(f64::INFINITY, f64::min),
        known().fold(0.0, f64::max),
    ]
}

fn line(hours: &[Option<f64>], most: f64) -> String {
    let mut path = String::new();
    let mut drawing = false;
    for (index, hour) in hours.iter().enumerate() {
        if let Some(millis) = hour {
            #[allow(clippy::cast_possible_truncation, reason = "within the view box")]
            let y = (HEIGHT - EDGE - millis / most * (HEIGHT - 2.0 * EDGE)) as i32;
            let x = STEP / 2 + index * STEP;
            // A segment of length zero is a dot, so that an hour between two gaps is visible.
            let _ = if drawing {
                write!(path, "L{x} {y}")
            } else {
                write!(path, "M{x} {y}h0")
            };
        }
        drawing = hour.is_some();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_without_a_response_are_gaps() {
        let hours = [None, Some(50.0), Some(100.0), None, Some(0.0), None];
        assert_eq!(range(&hours), [0.0, 100.0]);
        assert_eq!(line(&hours, 100.0), "M15 40h0L25 6M45 74h0");
    }

    #[test]
    fn without_responses_nothing_is_drawn() {
        assert_eq!(range(&[None; 24])[1], 0.0);
        assert_eq!(dioxus_ssr::render_element(sparkline(None)), "");
    }
}
