//! The uptime over every window, and day by day.

use crate::{
    api::{History, ServiceDetail, Uptime, Window},
    components::WideDayBar,
    format,
    store::Entry,
};
use dioxus::prelude::*;
use std::rc::Rc;

/// The numbers of days that the bar can show.
pub(super) const DAYS: [usize; 2] = [30, 90];

#[component]
pub(super) fn UptimeSection(entry: Entry, detail: Signal<Option<ServiceDetail>>) -> Element {
    let mut days = use_signal(|| DAYS[0]);
    // Until the details are loaded, the history that the list has loaded is shown.
    let history = use_memo(move || match &*detail.read() {
        Some(detail) => Some(Rc::new(last_days(detail, days()))),
        None => entry.history.read().clone(),
    });
    let detail = detail.read();
    let incidents = detail
        .as_ref()
        .map(|detail| last(&detail.incident_days, days()).to_vec());
    let incidents = Rc::new(incidents.unwrap_or_default());
    let status = entry.current.read().as_ref().map(|current| current.status);
    rsx! {
        section { class: "card", "aria-label": "Uptime",
            div { class: "tiles",
                for (window , uptime) in windows(detail.as_ref()) {
                    div { key: "{window.label()}", class: "tile",
                        span { class: "label", {window.label()} }
                        match uptime {
                            None => rsx! { span { class: "skeleton w1" } },
                            Some(uptime) => rsx! {
                                b { class: "number", {format::uptime(uptime.percent, status)} }
                                span { class: "dim number", {remark(uptime)} }
                            },
                        }
                    }
                }
            }
            WideDayBar { history, incidents }
            div { class: "dim ends",
                div { class: "segments", role: "group", "aria-label": "Days",
                    for choice in DAYS {
                        button {
                            key: "{choice}",
                            r#type: "button",
                            "aria-pressed": if choice == days() { "true" } else { "false" },
                            onclick: move |_| days.set(choice),
                            "{choice} days"
                        }
                    }
                }
                span { "today" }
            }
        }
    }
}

fn windows(detail: Option<&ServiceDetail>) -> [(Window, Option<Uptime>); 4] {
    match detail {
        Some(detail) => [
            (Window::Day, Some(detail.day)),
            (Window::Week, Some(detail.week)),
            (Window::Month, Some(detail.month)),
            (Window::Quarter, Some(detail.quarter)),
        ],
        None => Window::ALL.map(|window| (window, None)),
    }
}

/// Returns the degraded time, or else the coverage.
fn remark(uptime: Uptime) -> String {
    let degraded = uptime.degraded_percent.filter(|percent| *percent >= 0.01);
    match (degraded, uptime.coverage_percent) {
        (Some(degraded), _) => format!("{} degraded", format::percent(degraded)),
        (None, ..0.5) => "monitoring just started".to_owned(),
        (None, coverage @ ..99.5) => format!("{} coverage", format::percent(coverage)),
        (None, _) => "full coverage".to_owned(),
    }
}

pub(super) fn last_days(detail: &ServiceDetail, days: usize) -> History {
    History {
        id: detail.id,
        uptime: detail.month,
        uptime_days: last(&detail.uptime_days, days).to_vec(),
        hourly_p50_ms: Vec::new(),
    }
}

fn last<T>(list: &[T], count: usize) -> &[T] {
    &list[list.len().saturating_sub(count)..]
}
