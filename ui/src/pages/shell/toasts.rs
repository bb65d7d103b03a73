//! Toasts, and announcements for screen readers.

use crate::{
    browser,
    components::{Icon, icon},
    store::{Toast, ToastAction, ToastKind, use_store},
};
use dioxus::prelude::*;

#[component]
pub(super) fn Toasts() -> Element {
    let store = use_store();
    rsx! {
        div { class: "notices", role: "status",
            for toast in store.toasts.list.read().iter().cloned() {
                ToastBox { key: "{toast.id}", toast }
            }
        }
        div { class: "unseen", "aria-live": "polite", "{store.announcer.text}" }
    }
}

#[component]
fn ToastBox(toast: Toast) -> Element {
    let store = use_store();
    let Toast {
        id,
        kind,
        text,
        action,
    } = toast;
    rsx! {
        div { class: if kind == ToastKind::Failure { "notice failed" } else { "notice" },
            span { "{text}" }
            if let Some(action) = action {
                button {
                    class: "plain offer",
                    r#type: "button",
                    onclick: {
                        let action = action.clone();
                        move |_| {
                            store.toasts.dismiss(id);
                            match action.clone() {
                                ToastAction::Undo(action) => store.dispatch(action),
                                ToastAction::Reload => browser::reload(),
                            }
                            browser::focus_if_lost("content");
                        }
                    },
                    {if action == ToastAction::Reload { "Reload" } else { "Undo" }}
                }
            }
            button { class: "plain", r#type: "button", "aria-label": "Dismiss", onclick: move |_| store.toasts.dismiss(id),
                {icon(Icon::Close)}
            }
        }
    }
}
