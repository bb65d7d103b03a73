//! The actions on the selected services.

use crate::{
    browser,
    components::{ConfirmDialog, Field, Icon, icon},
    format,
    list::{ListView, row_id},
    store::{ServiceAction, use_store},
};
use dioxus::prelude::*;
use uuid::Uuid;

const MOVE_ID: &str = "move";
const DELETE_ID: &str = "delete-selected";

/// The bar at the lower edge of the window, while services are selected.
#[component]
pub(super) fn BulkBar(view: ListView) -> Element {
    let store = use_store();
    let count = view.selected.read().len();
    if count == 0 {
        return VNode::empty();
    }
    let paused = {
        let listed = store.services.listed.read();
        let selected = view.selected.read();
        let is_paused = |id: &&Uuid| listed.get(id).is_some_and(|service| service.paused);
        selected.iter().filter(is_paused).count()
    };
    let run = move |action: fn(Vec<Uuid>) -> ServiceAction| {
        let ids: Vec<Uuid> = view.selected.peek().iter().copied().collect();
        let is_deletion = matches!(action(Vec::new()), ServiceAction::Delete(_));
        let next = view.nearest_except(&ids).filter(|_| is_deletion);
        let next = next.or_else(|| *view.cursor.peek());
        store.dispatch(action(ids));
        view.clear_selection();
        // The bar disappears with the focused button.
        if let Some(next) = next {
            view.focus(next);
        }
    };
    rsx! {
        div { class: "bulk", role: "toolbar", "aria-label": "Selected services",
            b { class: "number", role: "status", "{count} selected" }
            button { class: "button", r#type: "button", disabled: paused == count, onclick: move |_| run(ServiceAction::Pause),
                {icon(Icon::Pause)}
                "Pause"
            }
            button { class: "button", r#type: "button", disabled: paused == 0, onclick: move |_| run(ServiceAction::Resume),
                {icon(Icon::Play)}
                "Resume"
            }
            button { class: "button", r#type: "button", onclick: move |_| browser::open_dialog(MOVE_ID),
                {icon(Icon::Edit)}
                "Category"
            }
            button { class: "button", r#type: "button", onclick: move |_| browser::open_dialog(DELETE_ID),
                {icon(Icon::Delete)}
                "Delete"
            }
            ClearButton { view }
        }
        MoveDialog { view }
        ConfirmDialog {
            id: DELETE_ID,
            title: "Delete {format::count(count, \"service\")}?",
            action: "Delete",
            onconfirm: move |()| run(ServiceAction::Delete),
            p { "Their history and incidents will be deleted too." }
        }
    }
}

#[component]
fn ClearButton(view: ListView) -> Element {
    rsx! {
        button {
            class: "button plain",
            r#type: "button",
            "aria-label": "Clear the selection",
            onclick: move |_| {
                view.clear_selection();
                // Read before focusing, because the focus moves the cursor.
                let cursor = *view.cursor.peek();
                if let Some(cursor) = cursor {
                    browser::try_focus(&row_id(cursor));
                }
            },
            {icon(Icon::Close)}
        }
    }
}

/// Asks for the category to which the selected services are moved.
#[component]
fn MoveDialog(view: ListView) -> Element {
    let store = use_store();
    let mut category = use_signal(String::new);
    let count = view.selected.read().len();
    rsx! {
        dialog { id: MOVE_ID, class: "dialog", "aria-labelledby": "move-title",
            h2 { id: "move-title", "Move {format::count(count, \"service\")}" }
            form {
                onsubmit: move |event| {
                    event.prevent_default();
                    browser::close_dialog(MOVE_ID);
                    let target = Some(category.peek().trim().to_owned()).filter(|category| !category.is_empty());
                    let ids = view.selected.peek().iter().copied().collect();
                    store.dispatch(ServiceAction::Recategorise(ids, target));
                    view.clear_selection();
                    category.set(String::new());
                    let cursor = *view.cursor.peek();
                    if let Some(cursor) = cursor {
                        view.focus(cursor);
                    }
                },
                Field {
                    name: "move-category",
                    label: "Category",
                    value: "{category}",
                    oninput: move |text| category.set(text),
                    options: store.services.categories(),
                    hint: "Leave empty to remove the category.",
                    maxlength: 60,
                }
                div { class: "actions",
                    button { class: "button", r#type: "button", onclick: move |_| browser::close_dialog(MOVE_ID), "Cancel" }
                    button { class: "button primary", r#type: "submit", "Move" }
                }
            }
        }
    }
}
