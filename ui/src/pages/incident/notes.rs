//! Notes about an incident.

use crate::{
    api::{
        self, AddIncidentNote, AddNoteVariables, ById, DeleteIncidentNote, IncidentNote, Problem,
    },
    browser,
    components::{ConfirmDialog, Timestamp},
    store::use_store,
};
use dioxus::prelude::*;
use uuid::Uuid;

const DELETE_ID: &str = "delete-note";
const FIELD_ID: &str = "field-note";
/// Maximum length of a note; the server's limit.
const MAX_CHARACTERS: i64 = 5_000;

/// The notes, oldest first, and the form for a new one.
#[component]
pub(super) fn Notes(id: Uuid, notes: Vec<IncidentNote>, onchange: EventHandler<()>) -> Element {
    let store = use_store();
    let mut text = use_signal(String::new);
    let mut problem = use_signal(|| None::<Problem>);
    let mut saving = use_signal(|| false);
    let mut note_to_delete = use_signal(|| None::<Uuid>);
    let add = move || async move {
        saving.set(true);
        let variables = AddNoteVariables {
            id,
            text: text.peek().clone(),
        };
        match api::execute::<AddIncidentNote>(variables).await {
            Ok(()) => {
                text.set(String::new());
                problem.set(None);
                onchange.call(());
            }
            Err(error) => problem.set(Some(error)),
        }
        saving.set(false);
    };
    let delete = move |()| async move {
        let Some(id) = *note_to_delete.peek() else {
            return;
        };
        if let Err(problem) = api::execute::<DeleteIncidentNote>(ById { id }).await {
            store.toasts.problem("Could not delete the note", &problem);
        }
        onchange.call(());
    };
    rsx! {
        section { class: "card", "aria-label": "Notes",
            h2 { "Notes" }
            for note in notes {
                article { key: "{note.id}", class: "written",
                    div { class: "card-head",
                        span { class: "dim number", Timestamp { at: note.at } }
                        button {
                            class: "button plain",
                            r#type: "button",
                            onclick: move |_| {
                                note_to_delete.set(Some(note.id));
                                browser::open_dialog(DELETE_ID);
                            },
                            "Delete"
                        }
                    }
                    p { "{note.text}" }
                }
            }
            form { class: "field", onsubmit: move |event| {
                    event.prevent_default();
                    add()
                },
                label { r#for: FIELD_ID, "New note" }
                textarea {
                    id: FIELD_ID,
                    rows: "3",
                    maxlength: MAX_CHARACTERS,
                    value: "{text}",
                    placeholder: "Findings, actions taken",
                    oninput: move |event| text.set(event.value()),
                }
                if let Some(problem) = &*problem.read() {
                    p { class: "error", role: "alert", "{problem.message}" }
                }
                button { class: "button", r#type: "submit", disabled: saving() || text.read().trim().is_empty(), "Add note" }
            }
            ConfirmDialog { id: DELETE_ID, title: "Delete this note?", action: "Delete", onconfirm: delete,
                p { "This cannot be undone." }
            }
        }
    }
}
