//! The list of services, and beside or over it what was opened from it.

use crate::{Route, pages::service_list::ServiceList};
use dioxus::prelude::*;

/// Wide windows show both; narrow ones the list until something is opened.
#[component]
pub fn Split() -> Element {
    let route = use_route::<Route>();
    let opened = !matches!(route, Route::Dashboard { .. });
    rsx! {
        div { class: if opened { "split opened" } else { "split" },
            section { class: "pane list-pane", "aria-label": "Services", ServiceList {} }
            if opened {
                section { class: "pane detail-pane", Outlet::<Route> {} }
            } else {
                Outlet::<Route> {}
            }
        }
    }
}
