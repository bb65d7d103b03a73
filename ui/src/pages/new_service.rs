//! Adding a service, and changing one.

use super::service_form::{Draft, PageDraft, ServiceForm};
use crate::{
    Route,
    api::{self, ById, GetChoice, MonitorKind, Problem},
    components::{Empty, Go, ProblemBox, RowSkeletons},
    hooks::use_asked,
    store::{Entry, Loading, use_store},
};
use dioxus::prelude::*;
use std::fmt;
use uuid::Uuid;

/// What the form begins with, as it stands in the address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prefill {
    /// The address to look at.
    pub url: String,
    /// Whether a vendor page is to be followed.
    pub page: bool,
}

/// Stands before the address, which is everything that comes after it.
const PAGE: &str = "kind=vendor-page";

impl From<&str> for Prefill {
    fn from(text: &str) -> Self {
        let (page, rest) = match text.strip_prefix(PAGE) {
            Some(rest) => (true, rest.trim_start_matches('&')),
            None => (false, text),
        };
        Self {
            url: rest.strip_prefix("url=").unwrap_or_default().to_owned(),
            page,
        }
    }
}

impl fmt::Display for Prefill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = if self.url.is_empty() {
            String::new()
        } else {
            format!("url={}", self.url)
        };
        match (self.page, url.as_str()) {
            (false, url) => f.write_str(url),
            (true, "") => f.write_str(PAGE),
            (true, url) => write!(f, "{PAGE}&{url}"),
        }
    }
}

/// The form for a new service.
#[component]
pub fn NewService(prefill: Prefill) -> Element {
    let draft = use_signal(|| {
        if prefill.page {
            Draft::following(&prefill.url)
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

/// The form for a known service.
#[component]
pub fn EditService(id: Uuid) -> Element {
    let store = use_store();
    let known = store.listed.read().contains_key(&id);
    let ready = *store.loading.read() == Loading::Ready;
    match store.entry(id).filter(|_| known) {
        Some(entry) => rsx! {
            for entry in [entry] {
                if entry.service.peek().kind == MonitorKind::Http {
                    Edit { key: "{entry.id}", entry, page: PageDraft::default() }
                } else {
                    EditFollowed { key: "{entry.id}", entry }
                }
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

/// Asks what the page has before anything can be chosen from it.
#[component]
fn EditFollowed(entry: Entry) -> Element {
    let asked = use_asked(entry.id, |id| async move {
        let answer = api::request::<GetChoice>(ById { id }).await?;
        answer
            .service
            .map(PageDraft::of)
            .ok_or_else(|| Problem::not_found("service"))
    });
    let page = asked.data.read();
    match (&*page, &*asked.problem.read()) {
        (Some(page), _) => rsx! { Edit { entry, page: page.clone() } },
        (None, Some(problem)) => rsx! {
            div { class: "page narrow",
                ProblemBox { problem: problem.clone(), onretry: move |()| asked.again() }
            }
        },
        (None, None) => rsx! {
            div { class: "page narrow", RowSkeletons { rows: 6 } }
        },
    }
}

#[component]
fn Edit(entry: Entry, page: PageDraft) -> Element {
    // Taken once: what is being typed must not change under the fingers.
    let draft = use_signal(|| Draft::of(&entry.service.peek(), page));
    rsx! {
        div { class: "page narrow",
            h1 { "Edit {entry.service.read().name}" }
            ServiceForm { draft, id: Some(entry.id) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_form_begins_with_is_read_as_it_is_written() {
        for (text, url, page) in [
            ("", "", false),
            (
                "url=https://example.com/?a=b&c",
                "https://example.com/?a=b&c",
                false,
            ),
            ("kind=vendor-page", "", true),
            (
                "kind=vendor-page&url=status.example.com",
                "status.example.com",
                true,
            ),
        ] {
            let prefill = Prefill::from(text);
            assert_eq!(
                prefill,
                Prefill {
                    url: url.to_owned(),
                    page
                },
                "{text}"
            );
            assert_eq!(prefill.to_string(), text);
        }
    }
}
