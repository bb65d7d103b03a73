//! The headline and the open incidents above the list.

use crate::{
    Route,
    components::{Elapsed, Link, status_mark},
    format,
    store::use_store,
};
use dioxus::prelude::*;
use std::cmp::Reverse;

/// Maximum number of open incidents above the list.
const MAX_INCIDENTS: usize = 5;

/// The state of all services in one line.
#[component]
pub(super) fn Headline() -> Element {
    let store = use_store();
    let summary = store.services.summary.read();
    let mean_uptime = *store.services.mean_uptime.read();
    let worst = summary.worst();
    rsx! {
        header { class: "truth {worst.word()}",
            {status_mark(worst, false)}
            h1 { "{summary.headline()}" }
            p { class: "overall",
                if let Some(percent) = mean_uptime {
                    b { class: "number", {format::uptime(Some(percent), Some(worst))} }
                    " over 30 days"
                }
            }
        }
    }
}

/// The open incidents, worst first.
#[component]
pub(super) fn OpenIncidents() -> Element {
    let store = use_store();
    let open = store.incidents.open.read();
    let listed = store.services.listed.read();
    let mut incidents: Vec<_> = open
        .iter()
        .filter_map(|(id, incident)| Some((listed.get(id)?, incident)))
        .collect();
    incidents.sort_by_key(|(_, incident)| {
        (
            Reverse(incident.kind.status().severity()),
            incident.started_at,
        )
    });
    if incidents.is_empty() {
        return VNode::empty();
    }
    let hidden = incidents.len().saturating_sub(MAX_INCIDENTS);
    rsx! {
        ul { class: "incidents-now", "aria-label": "Open incidents",
            for (service , incident) in incidents.into_iter().take(MAX_INCIDENTS) {
                li { key: "{incident.id}", class: incident.kind.status().word(),
                    {status_mark(incident.kind.status(), false)}
                    Link { to: Route::Incident { id: incident.id }, class: "name", "{service.name}" }
                    span { class: "cause", {incident.cause.as_deref().map_or(incident.kind.status().label(), |cause| format::split_cause(cause).0)} }
                    span { class: "number dim", "for " Elapsed { from: incident.started_at, until: None } }
                }
            }
            if hidden > 0 {
                li { Link { to: Route::incidents(), class: "name", "{hidden} more" } }
            }
        }
    }
}
