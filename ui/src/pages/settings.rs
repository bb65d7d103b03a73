//! Settings: who one is, how it looks, and API tokens.

mod tokens;

use crate::{
    api, browser,
    components::Elsewhere,
    pages::Preferences,
    store::{Session, use_store},
};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn SettingsPage() -> Element {
    let mut store = use_store();
    let session = store.session.read();
    let me = match &*session {
        Session::SignedIn(me) => Some(me.clone()),
        _ => None,
    };
    rsx! {
        div { class: "page narrow",
            header { class: "head",
                div { class: "what", h1 { "Settings" } }
            }
            section { class: "card", "aria-label": "Profile",
                h2 { "Profile" }
                if let Some(me) = me {
                    p { "{me.name}" span { class: "dim", " · {me.email}" } }
                }
                button {
                    class: "button",
                    r#type: "button",
                    onclick: move |_| async move {
                        match api::sign_out().await {
                            Ok(()) => store.session.set(Session::SignedOut),
                            Err(problem) => store.say_failed("Could not sign out", &problem),
                        }
                    },
                    "Sign out"
                }
            }
            Preferences {}
            tokens::Tokens {}
            section { class: "card", "aria-label": "API",
                h2 { "GraphQL API" }
                p { "Everything that is shown here can be asked for, and done, by the API at " code { "{browser::origin()}/api/graphql" } "." }
                Elsewhere { class: "button", to: "{browser::origin()}/api/graphql", "Open the playground" }
            }
        }
    }
}
