//! Adding a service, and changing one.

use super::service_form::{Draft, ServiceForm};
use crate::{
    Route,
    api::{self, CreateService, CreateServiceVariables, Problem, ProblemKind, UpdateService, UpdateServiceVariables},
    components::{Empty, Go, RowSkeletons},
    store::{Entry, Loading, Session, use_store},
};
use cynic::MutationBuilder;
use dioxus::prelude::*;
use std::fmt;
use uuid::Uuid;

/// What the form begins with, as it stands in the address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prefill {
    /// The address to look at.
    pub url: String,
}

impl From<&str> for Prefill {
    fn from(text: &str) -> Self {
        Self { url: text.strip_prefix("url=").unwrap_or_default().to_owned() }
    }
}

impl fmt::Display for Prefill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.url.is_empty() { Ok(()) } else { write!(f, "url={}", self.url) }
    }
}

/// The form for a new service.
#[component]
pub fn NewService(prefill: Prefill) -> Element {
    let mut store = use_store();
    let draft = use_signal(|| Draft::new(&prefill.url));
    let mut problem = use_signal(|| None::<Problem>);
    let mut saving = use_signal(|| false);
    let save = move |draft: Draft| async move {
        saving.set(true);
        match api::request(CreateService::build(CreateServiceVariables { input: draft.to_create() })).await {
            Ok(answer) => {
                let id = answer.create_service.id;
                store.upsert(answer.create_service);
                Route::service(id).open();
            }
            Err(refused) if refused.kind == ProblemKind::SignedOut => store.session.set(Session::SignedOut),
            Err(refused) => problem.set(Some(refused)),
        }
        saving.set(false);
    };
    rsx! {
        div { class: "page narrow",
            h1 { "Add a service" }
            ServiceForm {
                draft,
                problem,
                saving: saving(),
                action: "Add service",
                onsave: save,
                oncancel: move |()| {
                    Route::home().open();
                },
            }
        }
    }
}

/// The form for a known service.
#[component]
pub fn EditService(id: Uuid) -> Element {
    let store = use_store();
    let known = store.listed.read().contains_key(&id);
    let ready = *store.loading.read() == Loading::Ready;
    match store.entry(id).filter(|_| known) {
        Some(entry) => rsx! {
            for entry in [entry] {
                Edit { key: "{entry.id}", entry }
            }
        },
        None if ready => rsx! {
            div { class: "page narrow",
                Empty { title: "There is no such service", alone: true,
                    p { "It was deleted, or it is not yours." }
                    Go { class: "button", to: Route::home(), "Go to the dashboard" }
                }
            }
        },
        None => rsx! {
            div { class: "page narrow", RowSkeletons { rows: 6 } }
        },
    }
}

#[component]
fn Edit(entry: Entry) -> Element {
    let mut store = use_store();
    let id = entry.id;
    // Taken once: what is being typed must not change under the fingers.
    let draft = use_signal(|| Draft::of(&entry.service.peek()));
    let mut problem = use_signal(|| None::<Problem>);
    let mut saving = use_signal(|| false);
    let save = move |draft: Draft| async move {
        saving.set(true);
        match api::request(UpdateService::build(UpdateServiceVariables { id, input: draft.to_update() })).await {
            Ok(answer) => {
                store.upsert(answer.update_service);
                Route::service(id).open();
            }
            Err(refused) if refused.kind == ProblemKind::SignedOut => store.session.set(Session::SignedOut),
            Err(refused) => problem.set(Some(refused)),
        }
        saving.set(false);
    };
    rsx! {
        div { class: "page narrow",
            h1 { "Edit {entry.service.read().name}" }
            ServiceForm {
                draft,
                problem,
                saving: saving(),
                action: "Save",
                onsave: save,
                oncancel: move |()| {
                    Route::service(id).open();
                },
            }
        }
    }
}
