//! A table of checks.

use crate::{
    api::{Check, Moment},
    browser::TimeStyle,
    components::{status::status_badge, time::Timestamp},
    format,
};
use dioxus::prelude::*;

#[component]
pub fn CheckTable(
    checks: Vec<Check>,
    /// The slot of the check to highlight.
    highlighted_slot: Option<Moment>,
) -> Element {
    rsx! {
        div { class: "scroll", tabindex: "0", role: "region", "aria-label": "Checks",
            table { class: "table checks",
                thead {
                    tr {
                        th { scope: "col", "When" }
                        th { scope: "col", "Status" }
                        th { scope: "col", class: "number", "Time" }
                        th { scope: "col", class: "number", "Code" }
                        th { scope: "col", "Result" }
                    }
                }
                tbody {
                    for check in &checks {
                        tr { key: "{check.slot}", class: (highlighted_slot == Some(check.slot)).then_some("begins"),
                            td { class: "number left", Timestamp { at: check.checked_at, style: TimeStyle::DaySecond } }
                            td { {status_badge(check.status, false)} }
                            td { class: "number", {check.response_time_ms.map_or("–".to_owned(), |millis| format::response_time(f64::from(millis)))} }
                            td { class: "number", {check.status_code.map_or("–".to_owned(), |code| code.to_string())} }
                            td { class: "dim", {check.message.clone().unwrap_or_default()} }
                        }
                    }
                }
            }
        }
    }
}
