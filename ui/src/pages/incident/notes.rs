//! What people wrote about an incident.

use crate::{
    api::{
        self, AddIncidentNote, AddNoteVariables, ById, DeleteIncidentNote, IncidentNote, Problem,
    },
    browser,
    components::{At, Confirm},
    store::use_store,
};
use dioxus::prelude::*;
use uuid::Uuid;

const DELETE_ID: &str = "delete-note";
const FIELD_ID: &str = "field-note";
/// As many characters as the server takes.
const LONGEST: i64 = 5_000;

/// The notes, oldest first, and a form for another one.
#[component]
pub(super) fn Notes(id: Uuid, notes: Vec<IncidentNote>, onchange: EventHandler<()>) -> Element {
    let store = use_store();
    let mut text = use_signal(String::new);
    let mut problem = use_signal(|| None::<Problem>);
    let mut saving = use_signal(|| false);
    let mut chosen = use_signal(|| None::<Uuid>);
    let add = move || async move {
        saving.set(true);
        let variables = AddNoteVariables {
            id,
            text: text.peek().clone(),
        };
        match api::tell::<AddIncidentNote>(variables).await {
            Ok(()) => {
                text.set(String::new());
                problem.set(None);
                onchange.call(());
            }
            Err(refused) => problem.set(Some(refused)),
        }
        saving.set(false);
    };
    let delete = move |()| async move {
        let Some(id) = *chosen.peek() else { return };
        if let Err(problem) = api::tell::<DeleteIncidentNote>(ById { id }).await {
            store.say_failed("Could not delete the note", &problem);
        }
        onchange.call(());
    };
    rsx! {
        section { class: "card", "aria-label": "Notes",
            h2 { "Notes" }
            for note in notes {
                article { key: "{note.id}", class: "written",
                    div { class: "card-head",
                        span { class: "dim number", At { at: note.at } }
                        button {
                            class: "button plain",
                            r#type: "button",
                            onclick: move |_| {
                                chosen.set(Some(note.id));
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
                    maxlength: LONGEST,
                    value: "{text}",
                    placeholder: "What was found, what was done",
                    oninput: move |event| text.set(event.value()),
                }
                if let Some(problem) = &*problem.read() {
                    p { class: "error", role: "alert", "{problem.message}" }
                }
                button { class: "button", r#type: "submit", disabled: saving() || text.read().trim().is_empty(), "Add note" }
            }
            Confirm { id: DELETE_ID, title: "Delete this note?", action: "Delete", onconfirm: delete,
                p { "It cannot be brought back." }
            }
        }
    }
}
