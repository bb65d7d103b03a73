//! Two-pane layout: the list of services, and the page opened from it beside it, or over it on narrow
//! screens.

use crate::{
    Route, browser,
    pages::{
        new_service::{EditService, NewService},
        service::ServicePage,
        service_list::ServiceList,
    },
    router::use_route,
    store::{Loading, use_store},
};
use dioxus::{core::Runtime, prelude::*};

// The width of the list, in percent.
const MIN_PERCENT: i32 = 25;
const MAX_PERCENT: i32 = 70;
const DEFAULT_PERCENT: i32 = 42;
/// How far an arrow key moves the divider.
const STEP_PERCENT: i32 = 2;
/// The key of the width in the browser's storage.
pub(super) const LIST_WIDTH: &str = "list";

/// Shows the list and the open page side by side on wide screens, and one of them on narrow ones.
#[component]
pub fn Split() -> Element {
    let route = use_route();
    let opened = !matches!(route, Route::Dashboard { .. });
    let store = use_store();
    // The invitation to add the first service is hidden beside the form. CSS hides it, because
    // removing the pane would replace the form when the first service arrives.
    let empty = *store.services.loading.read() == Loading::Ready && store.services.is_empty();
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
                section { class: "pane detail-pane",
                    match route {
                        Route::NewService { prefill } => rsx! { NewService { prefill } },
                        Route::EditService { id } => rsx! { EditService { id } },
                        Route::Service { id, view } => rsx! { ServicePage { id, view } },
                        _ => VNode::empty(),
                    }
                }
            }
        }
    }
}

/// The divider between the panes, moved by pointer or arrow keys. Its position is saved in the
/// browser.
#[component]
fn Divider() -> Element {
    let mut percent = use_signal(|| {
        browser::load_setting(LIST_WIDTH)
            .and_then(|percent| percent.parse().ok())
            .unwrap_or(DEFAULT_PERCENT)
    });
    let mut set = move |to: i32| {
        let to = to.clamp(MIN_PERCENT, MAX_PERCENT);
        percent.set(to);
        browser::set_list_width(to);
    };
    let save = move || browser::save_setting(LIST_WIDTH, Some(&percent.peek().to_string()));
    rsx! {
        div {
            class: "divider",
            role: "separator",
            tabindex: "0",
            "aria-label": "Width of the list",
            "aria-orientation": "vertical",
            "aria-valuemin": "{MIN_PERCENT}",
            "aria-valuemax": "{MAX_PERCENT}",
            "aria-valuenow": "{percent}",
            onpointerdown: move |event| {
                event.prevent_default();
                let moved = Runtime::wrap_closure(as_fn(set));
                let done = Runtime::wrap_closure(move |()| save());
                browser::drag(moved, move || done(()));
            },
            onkeydown: move |event| {
                let by = match event.key() {
                    Key::ArrowLeft => -STEP_PERCENT,
                    Key::ArrowRight => STEP_PERCENT,
                    _ => return,
                };
                event.prevent_default();
                let to = *percent.peek() + by;
                set(to);
                save();
            },
        }
    }
}

/// Converts a copyable `FnMut`, which only writes signals, to an `Fn`.
fn as_fn(set: impl FnMut(i32) + Copy) -> impl Fn(i32) {
    move |to| {
        let mut set = set;
        set(to);
    }
}
