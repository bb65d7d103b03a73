//! Settings: who one is, how it looks, and API tokens.

mod tokens;

use crate::{
    api, browser,
    components::Elsewhere,
    store::{Session, use_store},
};
use dioxus::prelude::*;

const THEMES: [(Option<&str>, &str); 3] = [(None, "As the system"), (Some("light"), "Light"), (Some("dark"), "Dark")];

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
                p { class: "dim", "Times are shown in the zone of this browser: {browser::zone_name()}." }
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
            Theme {}
            tokens::Tokens {}
            section { class: "card", "aria-label": "API",
                h2 { "GraphQL API" }
                p { "Everything that is shown here can be asked for, and done, by the API at " code { "{browser::origin()}/api/graphql" } "." }
                Elsewhere { class: "button", to: "{browser::origin()}/api/graphql", "Open the playground" }
            }
        }
    }
}

#[component]
fn Theme() -> Element {
    let mut theme = use_signal(|| browser::remembered("theme"));
    rsx! {
        section { class: "card", "aria-label": "Appearance",
            h2 { "Appearance" }
            div { class: "segments", role: "group", "aria-label": "Theme",
                for (value , label) in THEMES {
                    button {
                        key: "{label}",
                        r#type: "button",
                        "aria-pressed": if theme.read().as_deref() == value { "true" } else { "false" },
                        onclick: move |_| {
                            browser::remember("theme", value);
                            browser::set_theme(value);
                            theme.set(value.map(str::to_owned));
                        },
                        {label}
                    }
                }
            }
        }
    }
}
