//! The response times as a table.

use super::points::format_ms;
use crate::{
    api::LatencyPoint,
    browser::{self, TimeStyle},
};
use dioxus::prelude::*;
use std::rc::Rc;

#[component]
pub(super) fn LatencyTable(points: Rc<Vec<LatencyPoint>>) -> Element {
    rsx! {
        div { class: "scroll", tabindex: "0", role: "region", "aria-label": "Response times",
            table { class: "table",
                thead {
                    tr {
                        th { scope: "col", "From" }
                        th { scope: "col", class: "number", "p50" }
                        th { scope: "col", class: "number", "p95" }
                        th { scope: "col", class: "number", "Slowest" }
                        th { scope: "col", class: "number", "Checks" }
                    }
                }
                tbody {
                    for point in points.iter().filter(|point| point.checks > 0) {
                        tr { key: "{point.at}",
                            td { class: "number left", {browser::local_time(point.at, TimeStyle::DayTime)} }
                            td { class: "number", {format_ms(point.p50_ms)} }
                            td { class: "number", {format_ms(point.p95_ms)} }
                            td { class: "number", {format_ms(point.max_ms)} }
                            td { class: "number", "{point.checks}" }
                        }
                    }
                }
            }
        }
    }
}
