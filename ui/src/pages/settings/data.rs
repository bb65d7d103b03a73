//! Data export and account deletion.

use super::split_problem;
use crate::{
    api::{self, DeleteAccount, DeleteAccountVariables, Problem},
    browser,
    components::Field,
    store::use_store,
};
use dioxus::prelude::*;

const DELETE_ID: &str = "delete-account";

#[component]
pub(super) fn YourData(email: String) -> Element {
    let store = use_store();
    let mut typed = use_signal(String::new);
    let mut problem = use_signal(|| None::<Problem>);
    let mut busy = use_signal(|| false);
    let (field_error, general_error) = split_problem(problem.read().as_ref(), "email");
    let delete = move || async move {
        busy.set(true);
        let email = typed.peek().trim().to_owned();
        match api::execute::<DeleteAccount>(DeleteAccountVariables { email }).await {
            Ok(()) => {
                browser::close_dialog(DELETE_ID);
                // Clears the cookies, which are invalid now. A failure does no harm.
                let _ = api::sign_out().await;
                store.session.end();
            }
            Err(error) => problem.set(Some(error)),
        }
        busy.set(false);
    };
    rsx! {
        section { class: "card", "aria-label": "Your data",
            h2 { "Your data" }
            p { class: "dim", "Download all your data as JSON. Token secrets are not included." }
            div { class: "acts",
                a { class: "button", href: "/api/account/export", download: "", "Export as JSON" }
                button {
                    class: "button leave",
                    r#type: "button",
                    onclick: move |_| {
                        typed.set(String::new());
                        problem.set(None);
                        browser::open_dialog(DELETE_ID);
                    },
                    "Delete account"
                }
            }
            dialog { id: DELETE_ID, class: "dialog", "aria-labelledby": "delete-account-title",
                h2 { id: "delete-account-title", "Delete your account?" }
                p { "Your services, their history, your tokens and your sessions are deleted. This cannot be undone." }
                form {
                    class: "confirm",
                    novalidate: true,
                    onsubmit: move |event| {
                        event.prevent_default();
                        delete()
                    },
                    Field {
                        name: "email",
                        label: "Type your e-mail address to confirm",
                        placeholder: email,
                        inputmode: "email",
                        value: typed(),
                        error: field_error,
                        oninput: move |value| {
                            typed.set(value);
                            problem.set(None);
                        },
                    }
                    if let Some(general) = general_error {
                        p { class: "error", role: "alert", "{general}" }
                    }
                    div { class: "actions",
                        button { class: "button", r#type: "button", onclick: move |_| browser::close_dialog(DELETE_ID), "Cancel" }
                        button { class: "button danger", r#type: "submit", disabled: busy() || typed.read().trim().is_empty(), "Delete everything" }
                    }
                }
            }
        }
    }
}
