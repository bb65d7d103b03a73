//! The list of services, and beside or over it what was opened from it.

use crate::{
    Route,
    pages::service_list::ServiceList,
    store::{Loading, use_store},
};
use dioxus::prelude::*;

/// Wide windows show both; narrow ones the list until something is opened.
#[component]
pub fn Split() -> Element {
    let route = use_route::<Route>();
    let opened = !matches!(route, Route::Dashboard { .. });
    let store = use_store();
    // Beside the form of the first service the invitation to add one would only be in the way. Hidden, not left out: the
    // form must stay the same one when the service that it adds arrives.
    let empty = *store.loading.read() == Loading::Ready && store.listed.read().is_empty();
    let class = match (opened, empty) {
        (true, true) => "split first",
        (true, false) => "split opened",
        (false, _) => "split",
    };
    rsx! {
        div { class,
            section { class: "pane list-pane", "aria-label": "Services", ServiceList {} }
            if opened {
                section { class: "pane detail-pane", Outlet::<Route> {} }
            } else {
                Outlet::<Route> {}
            }
        }
    }
}
