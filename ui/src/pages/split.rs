//! The list of services, and beside or over it what was opened from it.

use crate::{
    Route, browser,
    pages::service_list::ServiceList,
    routes::use_route,
    store::{Loading, use_store},
};
use dioxus::{core::Runtime, prelude::*};

/// How much of the width the list may have, in percent.
const NARROWEST: i32 = 25;
const WIDEST: i32 = 70;
const USUAL: i32 = 42;
/// How far one press of an arrow moves the divider.
const STEP: i32 = 2;

/// Wide windows show both; narrow ones the list until something is opened.
#[component]
pub fn Split() -> Element {
    let route = use_route();
    let opened = !matches!(route, Route::Dashboard { .. });
    let store = use_store();
    // Beside the form of the first service the invitation to add one would only be in the way. Hidden, not left out: the
    // form must stay the same one when the service that it adds arrives.
    let empty = *store.loading.read() == Loading::Ready && store.is_empty();
    let class = match (opened, empty) {
        (true, true) => "split first",
        (true, false) => "split opened",
        (false, _) => "split",
    };
    rsx! {
        div { class,
            section { class: "pane list-pane", "aria-label": "Services", ServiceList {} }
            if opened {
                Divider {}
                section { class: "pane detail-pane", {route.page()} }
            } else {
                {route.page()}
            }
        }
    }
}

/// Between the two, to be moved by pointer or arrow keys; where it was left is remembered.
#[component]
fn Divider() -> Element {
    let mut percent = use_signal(|| {
        browser::remembered("list")
            .and_then(|percent| percent.parse().ok())
            .unwrap_or(USUAL)
    });
    let mut set = move |to: i32| {
        let to = to.clamp(NARROWEST, WIDEST);
        percent.set(to);
        browser::set_list_width(to);
    };
    let keep = move || browser::remember("list", Some(&percent.peek().to_string()));
    rsx! {
        div {
            class: "divider",
            role: "separator",
            tabindex: "0",
            "aria-label": "Width of the list",
            "aria-orientation": "vertical",
            "aria-valuemin": "{NARROWEST}",
            "aria-valuemax": "{WIDEST}",
            "aria-valuenow": "{percent}",
            onpointerdown: move |event| {
                event.prevent_default();
                let moved = Runtime::wrap_closure(set_by(set));
                let done = Runtime::wrap_closure(move |()| keep());
                browser::drag(moved, move || done(()));
            },
            onkeydown: move |event| {
                let by = match event.key() {
                    Key::ArrowLeft => -STEP,
                    Key::ArrowRight => STEP,
                    _ => return,
                };
                event.prevent_default();
                let to = *percent.peek() + by;
                set(to);
                keep();
            },
        }
    }
}

/// As a function that may be called from anywhere.
fn set_by(set: impl FnMut(i32) + Copy) -> impl Fn(i32) {
    move |to| {
        let mut set = set;
        set(to);
    }
}
