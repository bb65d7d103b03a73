//! The dialog that lists the keyboard shortcuts.

use crate::{
    browser,
    pages::shortcuts::{SHORTCUTS, SHORTCUTS_ID},
};
use dioxus::prelude::*;

#[component]
pub(super) fn ShortcutsDialog() -> Element {
    rsx! {
        dialog { id: SHORTCUTS_ID, class: "dialog", "aria-labelledby": "shortcuts-title",
            h2 { id: "shortcuts-title", "Keyboard shortcuts" }
            dl { class: "keys",
                for (keys , description) in SHORTCUTS {
                    div { key: "{keys}",
                        dt { kbd { {keys} } }
                        dd { {description} }
                    }
                }
            }
            div { class: "actions",
                button { class: "button", r#type: "button", onclick: move |_| browser::close_dialog(SHORTCUTS_ID), "Close" }
            }
        }
    }
}
