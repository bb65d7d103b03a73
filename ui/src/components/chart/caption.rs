//! The line below the chart: the values of the focused point, or the legend.

use super::points::{format_checks, format_ms};
use crate::{
    api::{LatencyPoint, Status},
    browser::{self, TimeStyle},
    components::status_badge,
};
use dioxus::prelude::*;

pub(super) fn render(focus: Option<LatencyPoint>, status: Option<Status>) -> Element {
    let Some(point) = focus else {
        return rsx! {
            figcaption {
                span { class: "key p50", "p50: median" }
                span { class: "key p95", "p95: 95th percentile" }
                span { class: "key hint", "Drag to zoom" }
            }
        };
    };
    rsx! {
        figcaption {
            span { class: "when", {browser::local_time(point.at, TimeStyle::DayTime)} }
            span { class: "key p50", "p50 " b { {format_ms(point.p50_ms)} } }
            span { class: "key p95", "p95 " b { {format_ms(point.p95_ms)} } }
            span { class: "key", "slowest " b { {format_ms(point.max_ms)} } }
            span { class: "dim", {format_checks(&point)} }
            if let Some(status) = status {
                {status_badge(status, false)}
            }
        }
    }
}
