//! The pages that add and edit a service.

use super::service_form::{Draft, ServiceForm};
use crate::{
    Route,
    api::{self, ById, Definition, GetDefinition, GetServiceForm, Problem},
    components::{EmptyState, Link, ProblemBox, RowSkeletons},
    hooks::{QueryState, use_query},
    router::Prefill,
    store::{Entry, Loading, use_store},
};
use dioxus::prelude::*;
use std::rc::Rc;
use uuid::Uuid;

/// What the form is made of, as soon as it is there.
fn use_service_form() -> QueryState<Rc<GetServiceForm>> {
    use_query((), |()| async {
        api::request::<GetServiceForm>(()).await.map(Rc::new)
    })
}

/// The form for a new service.
#[component]
pub fn NewService(prefill: Prefill) -> Element {
    let query = use_service_form();
    let form = query.data.read();
    match (&*form, &*query.problem.read()) {
        (Some(form), _) => rsx! { New { form: FormData(form.clone()), prefill } },
        (None, Some(problem)) => rsx! {
            div { class: "page narrow",
                ProblemBox { problem: problem.clone(), onretry: move |()| query.refetch() }
            }
        },
        (None, None) => rsx! {
            div { class: "page narrow", RowSkeletons { rows: 6 } }
        },
    }
}

/// The kinds and limits, compared by where they are.
#[derive(Debug, Clone)]
struct FormData(Rc<GetServiceForm>);

impl PartialEq for FormData {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[component]
fn New(form: FormData, prefill: Prefill) -> Element {
    let draft = use_signal(|| Draft::new(&form.0.monitor_kinds, prefill.page, &prefill.url));
    rsx! {
        div { class: "page narrow",
            h1 { "Add a service" }
            ServiceForm { draft, limits: form.0.limits, id: None }
        }
    }
}

#[component]
pub fn EditService(id: Uuid) -> Element {
    let store = use_store();
    let is_listed = store.services.listed.read().contains_key(&id);
    let ready = *store.services.loading.read() == Loading::Ready;
    match store.services.entry(id).filter(|_| is_listed) {
        Some(entry) => rsx! {
            for entry in [entry] {
                EditEntry { key: "{entry.id}", entry }
            }
        },
        None if ready => rsx! {
            div { class: "page narrow",
                EmptyState { title: "This service does not exist", alone: true,
                    p { "It was deleted, or you have no access to it." }
                    Link { class: "button", to: Route::home(), "Go to the dashboard" }
                }
            }
        },
        None => rsx! {
            div { class: "page narrow", RowSkeletons { rows: 6 } }
        },
    }
}

/// Asks for the settings, and for what the page has before anything can be chosen from it.
#[component]
fn EditEntry(entry: Entry) -> Element {
    let form = use_service_form();
    let query = use_query(entry.id, |id| async move {
        let answer = api::request::<GetDefinition>(ById { id }).await?;
        answer.service.ok_or_else(|| Problem::not_found("service"))
    });
    let (kinds, definition) = (form.data.read(), query.data.read());
    if let (Some(form), Some(definition)) = (&*kinds, &*definition) {
        return rsx! { Edit { entry, form: FormData(form.clone()), definition: definition.clone() } };
    }
    let problem = query
        .problem
        .read()
        .clone()
        .or_else(|| form.problem.read().clone());
    match problem {
        Some(problem) => rsx! {
            div { class: "page narrow",
                ProblemBox {
                    problem,
                    onretry: move |()| {
                        form.refetch();
                        query.refetch();
                    },
                }
            }
        },
        None => rsx! {
            div { class: "page narrow", RowSkeletons { rows: 6 } }
        },
    }
}

#[component]
fn Edit(entry: Entry, form: FormData, definition: Definition) -> Element {
    // Taken once: what is being typed must not change under the fingers.
    let draft = use_signal(|| {
        Draft::from_service(&form.0.monitor_kinds, &entry.service.peek(), definition)
    });
    rsx! {
        div { class: "page narrow",
            h1 { "Edit {entry.service.read().name}" }
            ServiceForm { draft, limits: form.0.limits, id: Some(entry.id) }
        }
    }
}
