//! The response times of the last hours at a glance.

use crate::{api::History, format};
use dioxus::prelude::*;
use std::fmt::Write;

/// What is drawn in, in the units of its view box: four of them are a pixel, so that whole numbers are fine enough.
const HEIGHT: f64 = 80.0;
const EDGE: f64 = 6.0;
const STEP: usize = 10;

/// One line from hour to hour, beginning at zero, so that a flat one means steady times. Hours without an answer are gaps.
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

/// The shortest and the longest; nothing is shorter than zero.
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
            // A stretch of no length is a dot: an hour between two gaps is seen too.
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
    fn hours_without_an_answer_are_gaps_and_one_between_two_gaps_is_a_dot() {
        let hours = [None, Some(50.0), Some(100.0), None, Some(0.0), None];
        assert_eq!(range(&hours), [0.0, 100.0]);
        assert_eq!(line(&hours, 100.0), "M15 40h0L25 6M45 74h0");
    }

    #[test]
    fn without_any_answer_there_is_nothing_to_draw() {
        assert_eq!(range(&[None; 24])[1], 0.0);
        assert_eq!(dioxus_ssr::render_element(sparkline(None)), "");
    }
}
