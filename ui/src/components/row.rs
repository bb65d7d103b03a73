//! One service in a list.

use crate::{
    Route,
    api::Status,
    components::{Ago, DayBar, Elsewhere, Shape, icon, sparkline::sparkline, status_badge},
    format,
    pages::service_list::{ListView, row_id},
    store::Entry,
};
use dioxus::prelude::*;

/// One service: drawn anew when something about this one changes, and at no other time.
#[component]
pub fn ServiceRow(
    entry: Entry,
    view: ListView,
    /// Whether its page is open.
    opened: bool,
    /// Whether it is the first and the last of its group.
    #[props(default)]
    edges: (bool, bool),
    /// Its line in the list, from 0, and how many lines there are.
    #[props(default)]
    line: (usize, usize),
) -> Element {
    let id = entry.id;
    let service = entry.service.read();
    let current = entry.current.read();
    let status = current
        .as_ref()
        .map_or(Status::Unknown, |current| current.status);
    let chosen = use_memo(move || view.chosen.read().contains(&id));
    let latency = current
        .as_ref()
        .and_then(|current| current.response_time_ms)
        .map(|millis| format::response_time(f64::from(millis)));
    // Only what changed since the row came into sight. Two names take turns, because an animation starts again only under
    // another name.
    let flips = (entry.flips)();
    let at_first = use_hook(|| flips);
    let flash = match flips {
        flips if flips == at_first => "",
        flips if flips % 2 == 0 => " flash-a",
        _ => " flash-b",
    };
    let page = service
        .vendor_page_url
        .clone()
        .or_else(|| service.target.clone());
    let class = [
        ("row", true),
        (flash, true),
        (" selected", opened),
        (" chosen", chosen()),
        (" first", edges.0),
        (" last", edges.1),
    ];
    let class: String = class
        .iter()
        .filter(|(_, holds)| *holds)
        .map(|(name, _)| *name)
        .collect();
    rsx! {
        li {
            class,
            top: "calc(var(--row) * {line.0})",
            "data-row": "",
            "aria-setsize": line.1,
            "aria-posinset": line.0 + 1,
            onfocusin: move |_| {
                let mut cursor = view.cursor;
                cursor.set(Some(id));
            },
            label { class: "pick",
                input {
                    r#type: "checkbox",
                    "aria-label": "Select {service.name}",
                    checked: chosen(),
                    // Clicked, not changed: only a click knows about the Shift key.
                    onclick: move |event| view.choose(id, event.modifiers().shift()),
                }
            }
            {status_badge(status, service.paused)}
            a {
                id: row_id(id),
                class: "name",
                href: "/services/{id}",
                "aria-current": opened.then_some("page"),
                onclick: move |event| {
                    // Clicks with Control and the like are the browser's: they open tabs and windows.
                    if event.modifiers().is_empty() {
                        event.prevent_default();
                        Route::service_beside(id, view.query.peek().clone()).open();
                    }
                },
                "{service.name}"
            }
            span { class: "days",
                DayBar { history: entry.history }
            }
            span { class: "uptime number", title: "Uptime over 30 days", {format::percent_or_none((entry.uptime)())} }
            span { class: "latency number",
                {sparkline(entry.history.read().as_deref())}
                {latency.unwrap_or_else(|| "–".to_owned())}
            }
            span { class: "checked number",
                if let Some(current) = &*current {
                    Ago { at: current.checked_at }
                } else {
                    "–"
                }
            }
            span { class: "out",
                if let Some(page) = page {
                    Elsewhere { to: page, label: "Open {service.name} in a new window", {icon(Shape::Out)} }
                }
            }
        }
    }
}
