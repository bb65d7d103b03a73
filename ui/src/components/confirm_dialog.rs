//! A dialog that asks for confirmation.

use crate::browser;
use dioxus::prelude::*;

/// Asks for confirmation; the focus is on "Cancel". Opened by [`browser::open_dialog`] with its id.
#[component]
pub fn ConfirmDialog(
    id: String,
    title: String,
    /// The label of the confirming button.
    action: String,
    onconfirm: EventHandler<()>,
    children: Element,
) -> Element {
    let title_id = format!("{id}-title");
    let (cancel_id, confirm_id) = (id.clone(), id.clone());
    rsx! {
        dialog { id: "{id}", class: "dialog", "aria-labelledby": "{title_id}",
            h2 { id: "{title_id}", "{title}" }
            {children}
            div { class: "actions",
                button { class: "button", r#type: "button", onclick: move |_| browser::close_dialog(&cancel_id), "Cancel" }
                button {
                    class: "button danger",
                    r#type: "button",
                    onclick: move |_| {
                        browser::close_dialog(&confirm_id);
                        onconfirm.call(());
                    },
                    "{action}"
                }
            }
        }
    }
}
