//! The list of services with the line of truth above it.

mod bulk;
mod rows;
mod tools;
mod view;

pub use view::ListView;
pub(crate) use view::{row_id, use_list_view};

use crate::{
    Route,
    api::Schedule,
    components::{Empty, Go, ProblemBox, RowSkeletons, Since, status_mark},
    format,
    pages::{Prefill, notices::VendorNotices},
    store::{self, Loading, use_store},
};
use dioxus::{core::spawn_forever, prelude::*};

/// How many open incidents stand above the list.
const INCIDENTS: usize = 5;

/// The list, however far it has come.
#[component]
pub fn ServiceList() -> Element {
    let store = use_store();
    let view = use_list_view();
    let choosing = use_memo(move || (view.choosing)() || !view.chosen.read().is_empty());
    let choosing = choosing();
    let loading = store.loading.read();
    match &*loading {
        Loading::Waiting => rsx! {
            div { class: "page", RowSkeletons { rows: 10 } }
        },
        Loading::Failed(problem) => rsx! {
            div { class: "page",
                ProblemBox {
                    problem: problem.clone(),
                    onretry: move |()| {
                        spawn_forever(store::load(store));
                    },
                }
            }
        },
        Loading::Ready if store.is_empty() => rsx! { FirstService {} },
        Loading::Ready => rsx! {
            div { class: if choosing { "page list-page choosing" } else { "page list-page" },
                Truth {}
                OpenIncidents {}
                VendorNotices {}
                rows::Rows {}
            }
        },
    }
}

/// An invitation: the address can be typed right here.
#[component]
fn FirstService() -> Element {
    let mut url = use_signal(String::new);
    rsx! {
        div { class: "page",
            Empty { title: "Add your first service", alone: true,
                p { "Give PulseCheck an address. It looks at once, and then every 30 seconds." }
                form {
                    class: "first-address",
                    onsubmit: move |event| {
                        event.prevent_default();
                        Route::NewService { prefill: Prefill { url: url.peek().trim().to_owned(), page: false } }.open();
                    },
                    input {
                        r#type: "text",
                        inputmode: "url",
                        "aria-label": "Address",
                        placeholder: "https://example.com/health",
                        autocomplete: "off",
                        "autocapitalize": "off",
                        spellcheck: "false",
                        required: true,
                        value: "{url}",
                        oninput: move |event| url.set(event.value()),
                    }
                    button { class: "button primary", r#type: "submit", "Continue" }
                }
                Go { to: Route::NewService { prefill: Prefill { page: true, ..Default::default() } }, "Or follow a vendor page" }
            }
        }
    }
}

/// The one line that most people come for.
#[component]
fn Truth() -> Element {
    let store = use_store();
    let summary = store.summary.read();
    let overall = *store.overall.read();
    let worst = summary.worst();
    rsx! {
        header { class: "truth {worst.word()}",
            {status_mark(worst, false)}
            h1 { "{summary.headline()}" }
            p { class: "overall",
                if let Some(percent) = overall {
                    b { class: "number", {format::percent(percent)} }
                    " over 30 days"
                }
            }
        }
    }
}

/// What is going on now.
#[component]
fn OpenIncidents() -> Element {
    let store = use_store();
    let open = store.open.read();
    let listed = store.listed.read();
    let mut incidents: Vec<_> = open
        .iter()
        .filter_map(|(id, incident)| Some((listed.get(id)?, incident)))
        .collect();
    incidents.sort_by_key(|(_, incident)| {
        (
            std::cmp::Reverse(incident.kind.status().severity()),
            incident.started_at,
        )
    });
    if incidents.is_empty() {
        return VNode::empty();
    }
    let hidden = incidents.len().saturating_sub(INCIDENTS);
    rsx! {
        ul { class: "incidents-now", "aria-label": "Open incidents",
            for (service , incident) in incidents.into_iter().take(INCIDENTS) {
                li { key: "{incident.id}", class: incident.kind.status().word(),
                    {status_mark(incident.kind.status(), false)}
                    Go { to: Route::Incident { id: incident.id }, class: "name", "{service.name}" }
                    span { class: "cause", {incident.cause.as_deref().map_or(incident.kind.status().label(), |cause| format::cause(cause).0)} }
                    span { class: "number dim", "for " Since { from: incident.started_at, until: None } }
                }
            }
            if hidden > 0 {
                li { Go { to: Route::incidents(), class: "name", "{hidden} more" } }
            }
        }
    }
}

/// Whether PulseCheck itself requests something of such a service.
pub(crate) const fn is_requested(schedule: Schedule) -> bool {
    matches!(schedule, Schedule::Every)
}
