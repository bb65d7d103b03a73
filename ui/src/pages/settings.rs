//! Settings: who one is, how it looks, ways in for browsers and programs, the calendar, and leaving.

mod calendar;
mod data;
mod secret;
mod sessions;
mod tokens;

use crate::{
    api::{self, GetAccount, Identity, Me, Problem},
    browser,
    components::{Ago, Elsewhere, ProblemBox, RowSkeletons},
    hooks::use_asked,
    pages::{
        Preferences,
        account::{Avatar, sign_out},
    },
    store::{Session, use_store},
};
use dioxus::prelude::*;
use secret::Secret;

/// The page.
#[component]
pub fn SettingsPage() -> Element {
    let store = use_store();
    let asked = use_asked((), |()| async { api::request::<GetAccount>(()).await });
    let session = store.session.read();
    let me = match &*session {
        Session::SignedIn(me) => Some(me.clone()),
        _ => None,
    };
    let answer = asked.data.read();
    let account = answer.as_ref().and_then(|answer| answer.me.clone());
    let feed = answer.as_ref().and_then(|answer| answer.calendar_feed);
    let again = move |()| asked.again();
    rsx! {
        div { class: "page narrow settings",
            header { class: "head",
                div { class: "what", h1 { "Settings" } }
            }
            if let Some(me) = &me {
                Profile { me: me.clone(), identities: account.as_ref().map(|account| account.identities.clone()) }
            }
            Preferences {}
            match (account, &*asked.problem.read()) {
                (Some(account), _) => rsx! {
                    sessions::Sessions { sessions: account.sessions, onchange: again }
                    tokens::Tokens { tokens: account.api_tokens, onchange: again }
                    calendar::Calendar { feed, onchange: again }
                },
                (None, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: again } },
                (None, None) => rsx! {
                    section { class: "card", RowSkeletons { rows: 6 } }
                },
            }
            section { class: "card", "aria-label": "API",
                h2 { "GraphQL API" }
                p { "Everything that is shown here can be asked for, and done, by the API at " code { "{browser::origin()}/api/graphql" } "." }
                Elsewhere { class: "button", to: "{browser::origin()}/api/graphql", "Open the playground" }
            }
            if let Some(me) = me {
                data::YourData { email: me.email }
            }
        }
    }
}

/// Who one is, and the ways in which one has signed in.
#[component]
fn Profile(me: Me, #[props(!optional)] identities: Option<Vec<Identity>>) -> Element {
    let store = use_store();
    rsx! {
        section { class: "card", "aria-label": "Profile",
            div { class: "profile",
                Avatar { me: me.clone() }
                p {
                    b { "{me.name}" }
                    span { class: "dim", "{me.email}" }
                }
                button { class: "button", r#type: "button", onclick: move |_| sign_out(store), "Sign out" }
            }
            if let Some(identities) = identities {
                ul { class: "lines", "aria-label": "Ways in which you have signed in",
                    for identity in identities {
                        li { key: "{identity.provider}-{identity.email}",
                            span { class: "name", "{identity.name}" }
                            span { class: "dim",
                                "{identity.email}"
                                if !identity.email_verified { " (not verified)" }
                            }
                            span { class: "dim number", "used " Ago { at: identity.last_used_at } }
                        }
                    }
                }
            }
        }
    }
}

/// Whether a field of what was refused is wrong, and what is wrong apart from fields.
fn errors(problem: Option<&Problem>, field: &str) -> (Option<String>, Option<String>) {
    let Some(problem) = problem else {
        return (None, None);
    };
    match problem.field(field) {
        Some(message) => (Some(message.to_owned()), None),
        None => (
            None,
            problem.fields.is_empty().then(|| problem.message.clone()),
        ),
    }
}
