//! The settings: profile, appearance, sessions, API tokens, calendar feed, data.

mod calendar;
mod data;
mod secret;
mod sessions;
mod tokens;

use crate::{
    api::{self, GetAccount, Identity, Me, Problem},
    browser,
    components::{ExternalLink, ProblemBox, RowSkeletons, TimeAgo},
    hooks::use_query,
    pages::{
        account::{Avatar, sign_out},
        preferences::Preferences,
    },
    store::{Session, use_store},
};
use dioxus::prelude::*;
use secret::SecretBox;

#[component]
pub fn SettingsPage() -> Element {
    let store = use_store();
    let query = use_query((), |()| api::request::<GetAccount>(()));
    let session = store.session.state.read();
    let me = match &*session {
        Session::SignedIn(me) => Some(me.clone()),
        _ => None,
    };
    let response = query.data.read();
    let account = response.as_ref().and_then(|response| response.me.clone());
    let feed = response
        .as_ref()
        .and_then(|response| response.calendar_feed);
    let refetch = move |()| query.refetch();
    rsx! {
        div { class: "page narrow settings",
            header { class: "head",
                div { class: "what", h1 { "Settings" } }
            }
            if let Some(me) = &me {
                Profile { me: me.clone(), identities: account.as_ref().map(|account| account.identities.clone()) }
            }
            Preferences {}
            match (account, &*query.problem.read()) {
                (Some(account), _) => rsx! {
                    sessions::Sessions { sessions: account.sessions, onchange: refetch }
                    tokens::Tokens { tokens: account.api_tokens, onchange: refetch }
                    calendar::Calendar { feed, onchange: refetch }
                },
                (None, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: refetch } },
                (None, None) => rsx! {
                    section { class: "card", RowSkeletons { rows: 6 } }
                },
            }
            section { class: "card", "aria-label": "API",
                h2 { "GraphQL API" }
                p { "Everything in this dashboard is also available through the API at " code { "{browser::origin()}/api/graphql" } "." }
                ExternalLink { class: "button", to: "{browser::origin()}/api/graphql", "Open the playground" }
            }
            if let Some(me) = me {
                data::YourData { email: me.email }
            }
        }
    }
}

/// The user, and the identities with which they signed in.
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
                ul { class: "lines", "aria-label": "Identities",
                    for identity in identities {
                        li { key: "{identity.provider}-{identity.email}",
                            span { class: "name", "{identity.name}" }
                            span { class: "dim",
                                "{identity.email}"
                                if !identity.email_verified { " (not verified)" }
                            }
                            span { class: "dim number", "last used " TimeAgo { at: identity.last_used_at } }
                        }
                    }
                }
            }
        }
    }
}

/// Splits a problem into the message about `field`, and the message that is about no field.
fn split_problem(problem: Option<&Problem>, field: &str) -> (Option<String>, Option<String>) {
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
