//! One service in a list.

use crate::{
    Route,
    components::{Ago, DayBar, Elsewhere, Go, Icon, Shape, StatusBadge},
    format,
    list::ListQuery,
    store::Entry,
};
use dioxus::prelude::*;

/// One service: drawn anew when something about this one changes, and at no other time.
#[component]
pub fn ServiceRow(entry: Entry, query: ReadSignal<ListQuery>, selected: bool) -> Element {
    let service = entry.service.read();
    let current = entry.current.read();
    let status = current.as_ref().map_or(crate::api::Status::Unknown, |current| current.status);
    let percent = entry.history.read().as_ref().and_then(|history| history.uptime.percent);
    let latency = current
        .as_ref()
        .and_then(|current| current.response_time_ms)
        .map(|millis| format::response_time(f64::from(millis)));
    // Two names take turns, because an animation starts again only under another name.
    let flash = match (entry.flips)() {
        0 => "",
        flips if flips % 2 == 0 => " flash-a",
        _ => " flash-b",
    };
    let page = service.status_page_url.clone().or_else(|| service.url.clone());
    let chosen = if selected { " selected" } else { "" };
    rsx! {
        li { class: "row{flash}{chosen}",
            StatusBadge { status, paused: service.paused }
            Go { class: "name", row: true, current: selected, to: Route::Service { id: entry.id, list: query.peek().clone() }, "{service.name}" }
            span { class: "days",
                DayBar { history: entry.history }
            }
            span { class: "uptime number", title: "Uptime over 30 days", {format::percent_or_none(percent)} }
            span { class: "latency number", {latency.unwrap_or_else(|| "–".to_owned())} }
            span { class: "checked number",
                if let Some(current) = &*current {
                    Ago { at: current.checked_at }
                } else {
                    "–"
                }
            }
            span { class: "out",
                if let Some(page) = page {
                    Elsewhere { to: page, label: "Open {service.name} in a new window", Icon { shape: Shape::Out } }
                }
            }
        }
    }
}
