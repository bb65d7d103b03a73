//! A row of the list of services.

use crate::Route;
use crate::components::day_bar::DayBar;
use crate::components::icon::{Icon, icon};
use crate::components::link::ExternalLink;
use crate::components::sparkline::sparkline;
use crate::components::status::service_badge;
use crate::components::time::TimeAgo;
use crate::format;
use crate::list::{ListView, row_id};
use crate::store::Entry;
use dioxus::prelude::*;

/// The row of a service. It renders only when something about this service changes.
#[component]
pub fn ServiceRow(
    entry: Entry,
    view: ListView,
    /// Whether its page is open.
    opened: bool,
    /// Whether it is the first and the last of its group.
    #[props(default)]
    edges: (bool, bool),
    /// Its index, and the number of rows.
    #[props(default)]
    position: (usize, usize),
) -> Element {
    let id = entry.id;
    let service = entry.service.read();
    let selected = use_memo(move || view.selected.read().contains(&id));
    let flash = use_flash(entry);
    let current = entry.current.read();
    let status = current.as_ref().map(|current| current.status);
    let url = service
        .vendor_page_url
        .clone()
        .or_else(|| service.target.clone());
    let (index, count) = position;
    rsx! {
        li {
            class: row_class(flash, opened, selected(), edges),
            top: "calc(var(--row) * {index})",
            "data-row": "",
            "aria-setsize": count,
            "aria-posinset": index + 1,
            onfocusin: move |_| {
                let mut cursor = view.cursor;
                cursor.set(Some(id));
            },
            label { class: "pick",
                input {
                    r#type: "checkbox",
                    "aria-label": "Select {service.name}",
                    checked: selected(),
                    // The click event has the Shift key; the change event has not.
                    onclick: move |event| view.select(id, event.modifiers().shift()),
                }
            }
            {service_badge(current.as_ref(), service.paused)}
            a {
                id: row_id(id),
                class: "name",
                href: "/services/{id}",
                "aria-current": opened.then_some("page"),
                onclick: move |event| {
                    // Modified clicks belong to the browser: they open tabs and windows.
                    if event.modifiers().is_empty() {
                        event.prevent_default();
                        Route::service_with_list(id, view.query.peek().clone()).open();
                    }
                },
                "{service.name}"
            }
            span { class: "days",
                DayBar { history: entry.history }
            }
            span { class: "uptime number", title: "Uptime over 30 days", {format::uptime((entry.uptime)(), status)} }
            {measurements(entry)}
            span { class: "out",
                if let Some(url) = url {
                    ExternalLink { to: url, label: "Open {service.name} in a new window", {icon(Icon::Out)} }
                }
            }
        }
    }
}

/// Draws the response time and the time of the last check.
fn measurements(entry: Entry) -> Element {
    let current = entry.current.read();
    let response_time = current
        .as_ref()
        .and_then(|current| current.response_time_ms)
        .map_or("–".to_owned(), |ms| format::response_time(f64::from(ms)));
    rsx! {
        span { class: "latency number",
            {sparkline(entry.history.read().as_deref())}
            {response_time}
        }
        span { class: "checked number",
            if let Some(current) = &*current {
                TimeAgo { at: current.checked_at }
            } else {
                "–"
            }
        }
    }
}

/// Returns the CSS class that highlights a change of status since the row was first rendered. Two
/// classes alternate, because an animation restarts only under another name.
fn use_flash(entry: Entry) -> &'static str {
    let revision = (entry.status_revision)();
    let first_revision = use_hook(|| revision);
    match revision {
        revision if revision == first_revision => "",
        revision if revision % 2 == 0 => " flash-a",
        _ => " flash-b",
    }
}

fn row_class(flash: &str, opened: bool, selected: bool, (first, last): (bool, bool)) -> String {
    [
        ("row", true),
        (flash, true),
        (" selected", opened),
        (" chosen", selected),
        (" first", first),
        (" last", last),
    ]
    .iter()
    .filter(|(_, applies)| *applies)
    .map(|(name, _)| *name)
    .collect()
}
