//! A secret that is shown once: a token or an address.

use crate::{browser, store::use_store};
use dioxus::prelude::*;

/// Shows the secret with a button that copies it.
#[component]
pub(super) fn SecretBox(
    /// What the secret is: `token` or `link`.
    label: String,
    text: String,
    ondone: EventHandler<()>,
) -> Element {
    let store = use_store();
    let mut copied = use_signal(|| false);
    let (name, secret) = (label.clone(), text.clone());
    rsx! {
        div { class: "secret", role: "status",
            p { b { "Copy the {label} now." } " It will not be shown again." }
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
                                store.toasts.success(format!("Copied the {name}"));
                            } else {
                                store.toasts.failure(format!("This browser does not allow copying. Select the {name} and copy it by hand."));
                            }
                        }
                    },
                    if copied() { "Copied" } else { "Copy" }
                }
                button { class: "button", r#type: "button", onclick: move |_| ondone.call(()), "Done" }
            }
        }
    }
}
