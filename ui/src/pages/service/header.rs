//! The name, status and actions of a service.

use crate::{
    Route,
    api::{Current, Service, Status},
    browser::{self, TimeStyle},
    components::{ConfirmDialog, Elapsed, ExternalLink, Icon, Link, TimeAgo, icon, service_badge},
    format,
    monitor_kind::sends_requests,
    store::{self, Entry, ServiceAction, use_store},
};
use dioxus::prelude::*;

const DELETE_ID: &str = "delete";
/// Vendor pages are read once a minute at most.
const MIN_VENDOR_INTERVAL_SECONDS: i32 = 60;

#[component]
pub(super) fn Header(entry: Entry) -> Element {
    let store = use_store();
    let service = entry.service.read();
    let current = entry.current.read();
    let id = entry.id;
    let url = service
        .target
        .clone()
        .or_else(|| service.vendor_page_url.clone());
    rsx! {
        header { class: "head",
            Link { class: "button plain back", to: Route::home(), label: "Back to the list", {icon(Icon::Back)} }
            div { class: "what",
                h1 { "{service.name}" }
                p { class: "dim address",
                    if let Some(url) = url {
                        ExternalLink { to: url.clone(), "{url}" }
                    }
                }
            }
            Actions { entry }
        }
        {render_state(&service, current.as_ref())}
        ConfirmDialog {
            id: DELETE_ID,
            title: "Delete {service.name}?",
            action: "Delete",
            onconfirm: move |()| {
                Route::home().open();
                store.dispatch(ServiceAction::Delete(vec![id]));
            },
            p { "Its history and incidents will be deleted too." }
        }
    }
}

#[component]
fn Actions(entry: Entry) -> Element {
    let store = use_store();
    let id = entry.id;
    let paused = entry.service.read().paused;
    let mut checking = use_signal(|| false);
    rsx! {
        div { class: "acts",
            button {
                class: "button",
                r#type: "button",
                disabled: paused || checking(),
                onclick: move |_| async move {
                    checking.set(true);
                    store::check_now(store, id).await;
                    checking.set(false);
                },
                {icon(Icon::Refresh)}
                "Check now"
            }
            button {
                class: "button",
                r#type: "button",
                onclick: move |_| {
                    store.dispatch(if paused { ServiceAction::Resume(vec![id]) } else { ServiceAction::Pause(vec![id]) });
                },
                if paused {
                    {icon(Icon::Play)}
                    "Resume"
                } else {
                    {icon(Icon::Pause)}
                    "Pause"
                }
            }
            Link { class: "button", to: Route::EditService { id }, {icon(Icon::Edit)} "Edit" }
            button { class: "button", r#type: "button", onclick: move |_| browser::open_dialog(DELETE_ID), {icon(Icon::Delete)} "Delete" }
        }
    }
}

/// Draws the status with its duration, and the result of the last check.
fn render_state(service: &Service, current: Option<&Current>) -> Element {
    let paused = service.paused;
    let status = current.map_or(Status::Unknown, |current| current.status);
    let min_interval = if sends_requests(service.schedule) {
        0
    } else {
        MIN_VENDOR_INTERVAL_SECONDS
    };
    let interval = service.check_interval_seconds.max(min_interval);
    rsx! {
        div { class: if paused { "state paused" } else { "state {status.word()}" },
            {service_badge(current, paused)}
            if let Some(current) = current {
                if !paused {
                    span { class: "number", "for " Elapsed { from: current.since, until: None } }
                }
                if let Some(ms) = current.response_time_ms {
                    span { class: "number", {format::response_time(f64::from(ms))} }
                }
                if let Some(code) = current.status_code {
                    span { class: "number", "status code {code}" }
                }
                span { class: "dim number", title: browser::local_time(current.checked_at, TimeStyle::Exact), "checked " TimeAgo { at: current.checked_at } }
                span { class: "dim number", "every {format::interval(interval)}" }
                if let Some(message) = &current.message {
                    p { class: "message", "{message}" }
                }
            } else {
                span { class: "dim", if paused { "Never checked" } else { "Waiting for the first result" } }
            }
        }
    }
}
