//! The pages that add and edit a service.

use super::service_form::{Draft, PageDraft, ServiceForm};
use crate::{
    Route,
    api::{self, ById, GetChoice, MonitorKind, Problem},
    components::{EmptyState, Link, ProblemBox, RowSkeletons},
    hooks::use_query,
    router::Prefill,
    store::{Entry, Loading, use_store},
};
use dioxus::prelude::*;
use uuid::Uuid;

#[component]
pub fn NewService(prefill: Prefill) -> Element {
    let draft = use_signal(|| {
        if prefill.page {
            Draft::for_vendor_page(&prefill.url)
        } else {
            Draft::new(&prefill.url)
        }
    });
    rsx! {
        div { class: "page narrow",
            h1 { "Add a service" }
            ServiceForm { draft, id: None }
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
                if entry.service.peek().kind == MonitorKind::Http {
                    EditForm { key: "{entry.id}", entry, page: PageDraft::default() }
                } else {
                    EditVendorService { key: "{entry.id}", entry }
                }
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

/// Loads the components of the vendor page, then shows the form.
#[component]
fn EditVendorService(entry: Entry) -> Element {
    let query = use_query(entry.id, |id| async move {
        let response = api::request::<GetChoice>(ById { id }).await?;
        response
            .service
            .map(PageDraft::from_choice)
            .ok_or_else(|| Problem::not_found("service"))
    });
    let page = query.data.read();
    match (&*page, &*query.problem.read()) {
        (Some(page), _) => rsx! { EditForm { entry, page: page.clone() } },
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

#[component]
fn EditForm(entry: Entry, page: PageDraft) -> Element {
    // Copied once: live updates must not change the form while the user types.
    let draft = use_signal(|| Draft::from_service(&entry.service.peek(), page));
    rsx! {
        div { class: "page narrow",
            h1 { "EditForm {entry.service.read().name}" }
            ServiceForm { draft, id: Some(entry.id) }
        }
    }
}
