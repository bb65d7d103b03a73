//! What is shown once: tokens and secret addresses.

use crate::{browser, store::use_store};
use dioxus::prelude::*;

/// A secret that nobody sees again, with a button that copies it.
#[component]
pub(super) fn Secret(
    /// What it is: `token`, `address`.
    what: String,
    text: String,
    ondone: EventHandler<()>,
) -> Element {
    let store = use_store();
    let mut copied = use_signal(|| false);
    let (name, secret) = (what.clone(), text.clone());
    rsx! {
        div { class: "secret", role: "status",
            p { b { "Copy the {what} now." } " It is not shown again." }
            pre { tabindex: "0", code { "{text}" } }
            div { class: "acts",
                button {
                    class: "button primary",
                    r#type: "button",
                    onclick: move |_| {
                        let (name, secret) = (name.clone(), secret.clone());
                        async move {
                            if browser::copy(&secret).await {
                                copied.set(true);
                                store.say(format!("The {name} was copied"));
                            } else {
                                store.say_refused(&format!("Copying is not possible here: select the {name} and copy it by hand"));
                            }
                        }
                    },
                    if copied() { "Copied" } else { "Copy" }
                }
                button { class: "button", r#type: "button", onclick: move |_| ondone.call(()), "I have it" }
            }
        }
    }
}
