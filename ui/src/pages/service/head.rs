//! Name, status and actions.

use crate::{
    Route,
    api::Status,
    browser::{self, TimeStyle},
    components::{Ago, Confirm, Elsewhere, Go, Shape, Since, icon, status_badge},
    format,
    pages::service_list::is_requested,
    store::{self, Deed, Entry, use_store},
};
use dioxus::prelude::*;

const DELETE_ID: &str = "delete";

/// Name, status and actions.
#[component]
pub(super) fn Head(entry: Entry) -> Element {
    let store = use_store();
    let service = entry.service.read();
    let current = entry.current.read();
    let status = current
        .as_ref()
        .map_or(Status::Unknown, |current| current.status);
    let (id, name, paused) = (entry.id, service.name.clone(), service.paused);
    let address = service
        .target
        .clone()
        .or_else(|| service.vendor_page_url.clone());
    // Vendors' pages are read once a minute at most.
    let least = if is_requested(service.schedule) {
        0
    } else {
        60
    };
    let every = service.check_interval_seconds.max(least);
    let mut checking = use_signal(|| false);
    rsx! {
        header { class: "head",
            Go { class: "button plain back", to: Route::home(), label: "Back to the list", {icon(Shape::Back)} }
            div { class: "what",
                h1 { "{name}" }
                p { class: "dim address",
                    if let Some(address) = address {
                        Elsewhere { to: address.clone(), "{address}" }
                    }
                }
            }
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
                    {icon(Shape::Refresh)}
                    "Check now"
                }
                button {
                    class: "button",
                    r#type: "button",
                    onclick: move |_| {
                        store.carry_out(if paused { Deed::Resume(vec![id]) } else { Deed::Pause(vec![id]) });
                    },
                    if paused {
                        {icon(Shape::Play)}
                        "Resume"
                    } else {
                        {icon(Shape::Pause)}
                        "Pause"
                    }
                }
                Go { class: "button", to: Route::EditService { id }, {icon(Shape::Edit)} "Edit" }
                button { class: "button", r#type: "button", onclick: move |_| browser::open_dialog(DELETE_ID), {icon(Shape::Delete)} "Delete" }
            }
        }
        div { class: if paused { "state paused" } else { "state {status.word()}" },
            {status_badge(status, paused)}
            if let Some(current) = &*current {
                if !paused {
                    span { class: "number", "for " Since { from: current.since, until: None } }
                }
                if let Some(millis) = current.response_time_ms {
                    span { class: "number", {format::response_time(f64::from(millis))} }
                }
                if let Some(code) = current.status_code {
                    span { class: "number", "answered {code}" }
                }
                span { class: "dim number", title: browser::local_time(current.checked_at, TimeStyle::Exact), "checked " Ago { at: current.checked_at } }
                span { class: "dim number", "every {format::interval(every)}" }
                if let Some(message) = &current.message {
                    p { class: "message", "{message}" }
                }
            } else {
                span { class: "dim", if paused { "Never checked" } else { "Waiting for the first check" } }
            }
        }
        Confirm {
            id: DELETE_ID,
            title: "Delete {name}?",
            action: "Delete",
            onconfirm: move |()| {
                Route::home().open();
                store.carry_out(Deed::Delete(vec![id]));
            },
            p { "Its history and its incidents go with it." }
        }
    }
}
