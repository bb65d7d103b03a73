//! Adding a service, and changing one.

use super::service_form::{Draft, ServiceForm};
use crate::{
    Route,
    api::{self, ById, Definition, GetDefinition, GetServiceForm, Problem},
    components::{Empty, Go, ProblemBox, RowSkeletons},
    hooks::{Asked, use_asked},
    store::{Entry, Loading, use_store},
};
use dioxus::prelude::*;
use std::{fmt, rc::Rc};
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
const PAGE: &str = "schedule=shared";

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

/// What the form is made of, as soon as it is there.
fn use_service_form() -> Asked<Rc<GetServiceForm>> {
    use_asked((), |()| async {
        api::request::<GetServiceForm>(()).await.map(Rc::new)
    })
}

/// The form for a new service.
#[component]
pub fn NewService(prefill: Prefill) -> Element {
    let asked = use_service_form();
    let form = asked.data.read();
    match (&*form, &*asked.problem.read()) {
        (Some(form), _) => rsx! { New { form: FormData(form.clone()), prefill } },
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

/// The form for a known service.
#[component]
pub fn EditService(id: Uuid) -> Element {
    let store = use_store();
    let known = store.listed.read().contains_key(&id);
    let ready = *store.loading.read() == Loading::Ready;
    match store.entry(id).filter(|_| known) {
        Some(entry) => rsx! {
            for entry in [entry] {
                EditEntry { key: "{entry.id}", entry }
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

/// Asks for the settings, and for what the page has before anything can be chosen from it.
#[component]
fn EditEntry(entry: Entry) -> Element {
    let form = use_service_form();
    let asked = use_asked(entry.id, |id| async move {
        let answer = api::request::<GetDefinition>(ById { id }).await?;
        answer.service.ok_or_else(|| Problem::not_found("service"))
    });
    let (kinds, definition) = (form.data.read(), asked.data.read());
    if let (Some(form), Some(definition)) = (&*kinds, &*definition) {
        return rsx! { Edit { entry, form: FormData(form.clone()), definition: definition.clone() } };
    }
    let problem = asked
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
                        form.again();
                        asked.again();
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
    let draft = use_signal(|| Draft::of(&form.0.monitor_kinds, &entry.service.peek(), definition));
    rsx! {
        div { class: "page narrow",
            h1 { "Edit {entry.service.read().name}" }
            ServiceForm { draft, limits: form.0.limits, id: Some(entry.id) }
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
            ("schedule=shared", "", true),
            (
                "schedule=shared&url=status.example.com",
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
