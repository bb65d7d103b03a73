//! The page of an unknown URL.

use crate::{
    Route,
    components::{EmptyState, Link},
};
use dioxus::prelude::*;

#[component]
pub fn NotFound(path: String) -> Element {
    rsx! {
        div { class: "page",
            EmptyState { title: "Page not found", alone: true,
                p { "There is no page at " code { "/{path}" } "." }
                Link { class: "button", to: Route::home(), "Go to the dashboard" }
            }
        }
    }
}
