//! API tokens: the list, making one, ending one.

use super::Secret;
use crate::{
    api::{
        self, ApiToken, ById, CreateApiToken, CreateApiTokenInput, CreateApiTokenVariables,
        Problem, RevokeApiToken,
    },
    browser,
    browser::TimeStyle,
    components::{Ago, At, Confirm, Field},
    store::use_store,
};
use dioxus::prelude::*;
use uuid::Uuid;

const REVOKE_ID: &str = "revoke";

/// The tokens and the form for a new one.
#[component]
pub(super) fn Tokens(tokens: Vec<ApiToken>, onchange: EventHandler<()>) -> Element {
    let store = use_store();
    let mut secret = use_signal(|| None::<String>);
    let mut ending = use_signal(|| None::<(Uuid, String)>);
    let revoke = move |()| async move {
        let Some((id, name)) = ending.peek().clone() else {
            return;
        };
        match api::tell::<RevokeApiToken>(ById { id }).await {
            Ok(_) => store.say(format!("{name} was revoked")),
            Err(problem) => store.say_failed("Could not revoke", &problem),
        }
        onchange.call(());
    };
    rsx! {
        section { class: "card", "aria-label": "API tokens",
            h2 { "API tokens" }
            p { class: "dim", "For programs: sent as " code { "Authorization: Bearer …" } "." }
            if let Some(token) = &*secret.read() {
                Secret { what: "token", text: token.clone(), ondone: move |()| secret.set(None) }
            }
            if !tokens.is_empty() {
                ul { class: "lines",
                    for token in tokens {
                        Token { key: "{token.id}", token, onrevoke: move |chosen| {
                            ending.set(Some(chosen));
                            browser::open_dialog(REVOKE_ID);
                        } }
                    }
                }
            }
            NewToken { oncreated: move |token| {
                secret.set(Some(token));
                onchange.call(());
            } }
            Confirm { id: REVOKE_ID, title: "Revoke this token?", action: "Revoke", onconfirm: revoke,
                if let Some((_, name)) = &*ending.read() {
                    p { "Programs that use “{name}” lose access at once." }
                }
            }
        }
    }
}

#[component]
fn Token(token: ApiToken, onrevoke: EventHandler<(Uuid, String)>) -> Element {
    let chosen = (token.id, token.name.clone());
    rsx! {
        li {
            span { class: "name", "{token.name}" }
            span { class: "dim", if token.read_only { "reads only" } else { "reads and writes" } }
            span { class: "dim number",
                match token.last_used_at {
                    Some(at) => rsx! { "used " Ago { at } },
                    None => rsx! { "never used" },
                }
            }
            span { class: "dim number",
                if let Some(at) = token.expires_at {
                    "until " At { at, style: TimeStyle::Day }
                } else {
                    "does not expire"
                }
            }
            button { class: "button", r#type: "button", "aria-label": "Revoke {token.name}", onclick: move |_| onrevoke.call(chosen.clone()), "Revoke" }
        }
    }
}

#[component]
fn NewToken(oncreated: EventHandler<String>) -> Element {
    let mut name = use_signal(String::new);
    let mut read_only = use_signal(|| true);
    let mut days = use_signal(String::new);
    let mut problem = use_signal(|| None::<Problem>);
    let mut saving = use_signal(|| false);
    let error = move |field: &str| {
        problem
            .read()
            .as_ref()
            .and_then(|problem| problem.field(field))
            .map(str::to_owned)
    };
    let general = problem
        .read()
        .as_ref()
        .filter(|problem| problem.fields.is_empty())
        .map(|problem| problem.message.clone());
    let create = move || async move {
        let expires = days.peek().trim().to_owned();
        if !expires.is_empty() && expires.parse::<i32>().is_err() {
            let message = format!("{expires:?} is not a whole number of days");
            return problem.set(Some(Problem::wrong("expiresInDays", &message)));
        }
        saving.set(true);
        let input = CreateApiTokenInput {
            name: name.peek().trim().to_owned(),
            read_only: *read_only.peek(),
            expires_in_days: expires.parse().ok(),
        };
        match api::request::<CreateApiToken>(CreateApiTokenVariables { input }).await {
            Ok(answer) => {
                name.set(String::new());
                days.set(String::new());
                problem.set(None);
                oncreated.call(answer.create_api_token.token);
            }
            Err(refused) => problem.set(Some(refused)),
        }
        saving.set(false);
    };
    rsx! {
        form { class: "new-token", novalidate: true, onsubmit: move |event| {
                event.prevent_default();
                create()
            },
            Field { name: "name", label: "New token", placeholder: "What it is for", value: name(), error: error("name"), oninput: move |value| name.set(value) }
            Field {
                name: "expiresInDays",
                label: "Expires after",
                unit: "days",
                inputmode: "numeric",
                placeholder: "never",
                value: days(),
                error: error("expiresInDays"),
                oninput: move |value| days.set(value),
            }
            label { class: "check",
                input { r#type: "checkbox", checked: read_only(), onchange: move |event| read_only.set(event.checked()) }
                "Reads only"
            }
            button { class: "button", r#type: "submit", disabled: saving() || name.read().trim().is_empty(), "Create" }
            if let Some(general) = general {
                p { class: "error", role: "alert", "{general}" }
            }
        }
    }
}
