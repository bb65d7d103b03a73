//! An address that leads nowhere.

use crate::{
    Route,
    components::{Empty, Go},
};
use dioxus::prelude::*;

/// Says so, and where to go instead.
#[component]
pub fn NotFound(path: String) -> Element {
    rsx! {
        div { class: "page",
            Empty { title: "There is no page here", alone: true,
                p { "Nothing stands at " code { "/{path}" } "." }
                Go { class: "button", to: Route::home(), "Go to the dashboard" }
            }
        }
    }
}
