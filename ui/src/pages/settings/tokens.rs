//! API tokens: list, create, revoke.

use super::SecretBox;
use crate::{
    api::{
        self, ApiToken, ById, CreateApiToken, CreateApiTokenInput, CreateApiTokenVariables,
        Problem, RevokeApiToken,
    },
    browser,
    browser::TimeStyle,
    components::{ConfirmDialog, Field, TimeAgo, Timestamp},
    store::use_store,
};
use dioxus::prelude::*;
use uuid::Uuid;

const REVOKE_ID: &str = "revoke";

#[component]
pub(super) fn Tokens(tokens: Vec<ApiToken>, onchange: EventHandler<()>) -> Element {
    let store = use_store();
    let mut secret = use_signal(|| None::<String>);
    let mut token_to_revoke = use_signal(|| None::<(Uuid, String)>);
    let revoke = move |()| async move {
        let Some((id, name)) = token_to_revoke.peek().clone() else {
            return;
        };
        match api::execute::<RevokeApiToken>(ById { id }).await {
            Ok(()) => store.toasts.success(format!("Revoked {name}")),
            Err(problem) => store.toasts.problem("Could not revoke the token", &problem),
        }
        onchange.call(());
    };
    rsx! {
        section { class: "card", "aria-label": "API tokens",
            h2 { "API tokens" }
            p { class: "dim", "For scripts and programs. Use as " code { "Authorization: Bearer <token>" } "." }
            if let Some(token) = &*secret.read() {
                SecretBox { label: "token", text: token.clone(), ondone: move |()| secret.set(None) }
            }
            if !tokens.is_empty() {
                ul { class: "lines",
                    for token in tokens {
                        TokenRow { key: "{token.id}", token, onrevoke: move |chosen| {
                            token_to_revoke.set(Some(chosen));
                            browser::open_dialog(REVOKE_ID);
                        } }
                    }
                }
            }
            NewToken { oncreated: move |token| {
                secret.set(Some(token));
                onchange.call(());
            } }
            ConfirmDialog { id: REVOKE_ID, title: "Revoke this token?", action: "Revoke", onconfirm: revoke,
                if let Some((_, name)) = &*token_to_revoke.read() {
                    p { "Programs that use “{name}” lose access at once." }
                }
            }
        }
    }
}

#[component]
fn TokenRow(token: ApiToken, onrevoke: EventHandler<(Uuid, String)>) -> Element {
    let chosen = (token.id, token.name.clone());
    rsx! {
        li {
            span { class: "name", "{token.name}" }
            span { class: "dim", if token.read_only { "read-only" } else { "read and write" } }
            span { class: "dim number",
                match token.last_used_at {
                    Some(at) => rsx! { "last used " TimeAgo { at } },
                    None => rsx! { "never used" },
                }
            }
            span { class: "dim number",
                if let Some(at) = token.expires_at {
                    "expires " Timestamp { at, style: TimeStyle::Day }
                } else {
                    "no expiry"
                }
            }
            button { class: "button", r#type: "button", "aria-label": "Revoke {token.name}", onclick: move |_| onrevoke.call(chosen.clone()), "Revoke" }
        }
    }
}

/// The form for a new token.
#[derive(Clone, Copy)]
struct TokenForm {
    name: Signal<String>,
    read_only: Signal<bool>,
    expires_in_days: Signal<String>,
    problem: Signal<Option<Problem>>,
    saving: Signal<bool>,
}

impl TokenForm {
    fn use_form() -> Self {
        Self {
            name: use_signal(String::new),
            read_only: use_signal(|| true),
            expires_in_days: use_signal(String::new),
            problem: use_signal(|| None),
            saving: use_signal(|| false),
        }
    }

    fn field_error(&self, field: &str) -> Option<String> {
        let problem = self.problem.read();
        problem.as_ref()?.field(field).map(str::to_owned)
    }

    /// Returns the message that is about no field.
    fn general_error(&self) -> Option<String> {
        let problem = self.problem.read();
        let problem = problem.as_ref()?;
        problem.fields.is_empty().then(|| problem.message.clone())
    }

    async fn create(mut self, oncreated: EventHandler<String>) {
        let days = self.expires_in_days.peek().trim().to_owned();
        if !days.is_empty() && days.parse::<i32>().is_err() {
            let message = format!("{days:?} is not a whole number of days");
            let problem = Problem::invalid_field("expiresInDays", &message);
            return self.problem.set(Some(problem));
        }
        self.saving.set(true);
        let input = CreateApiTokenInput {
            name: self.name.peek().trim().to_owned(),
            read_only: *self.read_only.peek(),
            expires_in_days: days.parse().ok(),
        };
        match api::request::<CreateApiToken>(CreateApiTokenVariables { input }).await {
            Ok(response) => {
                self.name.set(String::new());
                self.expires_in_days.set(String::new());
                self.problem.set(None);
                oncreated.call(response.create_api_token.token);
            }
            Err(problem) => self.problem.set(Some(problem)),
        }
        self.saving.set(false);
    }
}

#[component]
fn NewToken(oncreated: EventHandler<String>) -> Element {
    let form = TokenForm::use_form();
    let TokenForm {
        mut name,
        mut read_only,
        mut expires_in_days,
        saving,
        ..
    } = form;
    rsx! {
        form { class: "new-token", novalidate: true, onsubmit: move |event| {
                event.prevent_default();
                form.create(oncreated)
            },
            Field { name: "name", label: "New token", placeholder: "What it is for", value: name(), error: form.field_error("name"), oninput: move |value| name.set(value) }
            Field {
                name: "expiresInDays",
                label: "Expires after",
                unit: "days",
                inputmode: "numeric",
                placeholder: "never",
                value: expires_in_days(),
                error: form.field_error("expiresInDays"),
                oninput: move |value| expires_in_days.set(value),
            }
            label { class: "check",
                input { r#type: "checkbox", checked: read_only(), onchange: move |event| read_only.set(event.checked()) }
                "Read-only"
            }
            button { class: "button", r#type: "submit", disabled: saving() || name.read().trim().is_empty(), "Create" }
            if let Some(error) = form.general_error() {
                p { class: "error", role: "alert", "{error}" }
            }
        }
    }
}
