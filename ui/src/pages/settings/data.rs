//! Taking one's data along, and leaving for good.

use super::errors;
use crate::{
    api::{self, DeleteAccount, DeleteAccountVariables, Problem},
    browser,
    components::Field,
    store::{Session, use_store},
};
use dioxus::prelude::*;

const DELETE_ID: &str = "delete-account";

/// The export, and the deletion that wants the e-mail typed.
#[component]
pub(super) fn YourData(email: String) -> Element {
    let mut store = use_store();
    let mut typed = use_signal(String::new);
    let mut problem = use_signal(|| None::<Problem>);
    let mut busy = use_signal(|| false);
    let (wrong, general) = errors(problem.read().as_ref(), "email");
    let delete = move || async move {
        busy.set(true);
        let email = typed.peek().trim().to_owned();
        match api::tell::<DeleteAccount>(DeleteAccountVariables { email }).await {
            Ok(_) => {
                browser::close_dialog(DELETE_ID);
                // Clears the cookies of what is gone. Where they stay, they open nothing.
                let _ = api::sign_out().await;
                store.session.set(Session::SignedOut);
            }
            Err(refused) => problem.set(Some(refused)),
        }
        busy.set(false);
    };
    rsx! {
        section { class: "card", "aria-label": "Your data",
            h2 { "Your data" }
            p { class: "dim", "Everything that PulseCheck keeps of yours, as JSON: services, incidents, history, sessions and tokens without their secrets." }
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
                    "Delete the account"
                }
            }
            dialog { id: DELETE_ID, class: "dialog", "aria-labelledby": "delete-account-title",
                h2 { id: "delete-account-title", "Delete your account?" }
                p { "Your services, their history, your tokens and sessions are deleted for good. There is no way back." }
                form {
                    class: "confirm",
                    novalidate: true,
                    onsubmit: move |event| {
                        event.prevent_default();
                        delete()
                    },
                    Field {
                        name: "email",
                        label: "Type your e-mail to confirm",
                        placeholder: email,
                        inputmode: "email",
                        value: typed(),
                        error: wrong,
                        oninput: move |value| {
                            typed.set(value);
                            problem.set(None);
                        },
                    }
                    if let Some(general) = general {
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
