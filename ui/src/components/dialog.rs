//! Questions that must be answered before something is lost.

use crate::browser;
use dioxus::prelude::*;

/// A question with a way back, which is where the focus stands. Opened by [`browser::open_dialog`] with its id.
#[component]
pub fn Confirm(
    id: String,
    title: String,
    /// The button that does it.
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
