//! The invitation to add the first service.

use crate::{
    Route,
    components::{EmptyState, Link},
    router::Prefill,
};
use dioxus::prelude::*;

#[component]
pub(super) fn FirstService() -> Element {
    let mut url = use_signal(String::new);
    rsx! {
        div { class: "page",
            EmptyState { title: "Add your first service", alone: true,
                p { "Enter a URL. PulseCheck checks it right away, then every 30 seconds." }
                form {
                    class: "first-address",
                    onsubmit: move |event| {
                        event.prevent_default();
                        Route::NewService { prefill: Prefill { url: url.peek().trim().to_owned(), page: false } }.open();
                    },
                    input {
                        r#type: "text",
                        inputmode: "url",
                        "aria-label": "URL",
                        placeholder: "https://example.com/health",
                        autocomplete: "off",
                        "autocapitalize": "off",
                        spellcheck: "false",
                        required: true,
                        value: "{url}",
                        oninput: move |event| url.set(event.value()),
                    }
                    button { class: "button primary", r#type: "submit", "Continue" }
                }
                Link { to: Route::NewService { prefill: Prefill { page: true, ..Default::default() } }, "Or follow a vendor page" }
            }
        }
    }
}
