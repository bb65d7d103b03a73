//! What can be done with the chosen services.

use super::view::{ListView, row_id};
use crate::{
    browser,
    components::{Confirm, Field, Shape, icon},
    format,
    store::{Deed, use_store},
};
use dioxus::prelude::*;
use uuid::Uuid;

const MOVE_ID: &str = "move";
const DELETE_ID: &str = "delete-chosen";

/// Stands at the lower edge of the window while anything is chosen.
#[component]
pub(super) fn BulkBar(view: ListView) -> Element {
    let store = use_store();
    let chosen = view.chosen.read().len();
    if chosen == 0 {
        return VNode::empty();
    }
    let paused = {
        let listed = store.listed.read();
        view.chosen
            .read()
            .iter()
            .filter(|id| listed.get(id).is_some_and(|service| service.paused))
            .count()
    };
    let carry_out = move |deed: fn(Vec<Uuid>) -> Deed| {
        let ids: Vec<Uuid> = view.chosen.peek().iter().copied().collect();
        let next = view
            .neighbour_outside(&ids)
            .filter(|_| matches!(deed(Vec::new()), Deed::Delete(_)));
        let next = next.or_else(|| *view.cursor.peek());
        store.carry_out(deed(ids));
        view.choose_none();
        // The bar goes away, and the focus must not go with it.
        if let Some(next) = next {
            view.focus(next);
        }
    };
    rsx! {
        div { class: "bulk", role: "toolbar", "aria-label": "Selected services",
            b { class: "number", role: "status", "{chosen} selected" }
            button { class: "button", r#type: "button", disabled: paused == chosen, onclick: move |_| carry_out(Deed::Pause),
                {icon(Shape::Pause)}
                "Pause"
            }
            button { class: "button", r#type: "button", disabled: paused == 0, onclick: move |_| carry_out(Deed::Resume),
                {icon(Shape::Play)}
                "Resume"
            }
            button { class: "button", r#type: "button", onclick: move |_| browser::open_dialog(MOVE_ID),
                {icon(Shape::Edit)}
                "Category"
            }
            button { class: "button", r#type: "button", onclick: move |_| browser::open_dialog(DELETE_ID),
                {icon(Shape::Delete)}
                "Delete"
            }
            button {
                class: "button plain",
                r#type: "button",
                "aria-label": "Select nothing",
                onclick: move |_| {
                    view.choose_none();
                    // Read first: the focus moves the cursor.
                    let cursor = *view.cursor.peek();
                    if let Some(cursor) = cursor {
                        browser::focus_if_there(&row_id(cursor));
                    }
                },
                {icon(Shape::Close)}
            }
        }
        Move { view }
        Confirm {
            id: DELETE_ID,
            title: "Delete {format::count(chosen, \"service\")}?",
            action: "Delete",
            onconfirm: move |()| carry_out(Deed::Delete),
            p { "Their history and their incidents go with them." }
        }
    }
}

/// Asks for the category.
#[component]
fn Move(view: ListView) -> Element {
    let store = use_store();
    let mut category = use_signal(String::new);
    let chosen = view.chosen.read().len();
    rsx! {
        dialog { id: MOVE_ID, class: "dialog", "aria-labelledby": "move-title",
            h2 { id: "move-title", "Move {format::count(chosen, \"service\")}" }
            form {
                onsubmit: move |event| {
                    event.prevent_default();
                    browser::close_dialog(MOVE_ID);
                    let wanted = Some(category.peek().trim().to_owned()).filter(|category| !category.is_empty());
                    let ids = view.chosen.peek().iter().copied().collect();
                    store.carry_out(Deed::Recategorise(ids, wanted));
                    view.choose_none();
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
                    options: store.categories(),
                    hint: "Nothing takes them out of their categories.",
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
