//! One incident with everything that happened in it.

use crate::{
    Route,
    api::{self, ById, GetIncident, Incident, Problem},
    browser::TimeStyle,
    components::{At, Go, Icon, ProblemBox, RowSkeletons, Shape, Since, StatusBadge, Timeline},
    format,
    hooks::use_asked,
    store::use_store,
};
use cynic::QueryBuilder;
use dioxus::prelude::*;
use uuid::Uuid;

/// The page of the incident `id`.
#[component]
pub fn IncidentPage(id: Uuid) -> Element {
    rsx! {
        for id in [id] {
            IncidentView { key: "{id}", id }
        }
    }
}

#[component]
fn IncidentView(id: Uuid) -> Element {
    let store = use_store();
    let asked = use_asked(id, move |id| async move {
        let answer = api::request(GetIncident::build(ById { id })).await?;
        let incident = answer.incident.ok_or_else(|| Problem::not_found("incident"))?;
        store.fill_incidents(std::slice::from_ref(&incident));
        Ok(())
    });
    let incident = store.incidents.read().get(&id).cloned();
    rsx! {
        div { class: "page narrow",
            Go { class: "button plain", to: Route::incidents(), Icon { shape: Shape::Back } "All incidents" }
            match (&incident, &*asked.problem.read()) {
                (Some(incident), _) => rsx! { Told { incident: incident.clone() } },
                (None, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| asked.again() } },
                (None, None) => rsx! { RowSkeletons { rows: 4 } },
            }
        }
    }
}

#[component]
fn Told(incident: Incident) -> Element {
    let open = incident.resolved_at.is_none();
    rsx! {
        header { class: "head",
            div { class: "what",
                h1 {
                    Go { to: Route::service(incident.service.id), "{incident.service.name}" }
                }
                p { class: "dim", {incident.cause.clone().unwrap_or_default()} }
            }
        }
        div { class: "state {incident.kind.status().word()}",
            StatusBadge { status: incident.kind.status() }
            span { if open { "Open" } else { "Resolved" } }
            span { class: "number", "for " Since { from: incident.started_at, until: incident.resolved_at } }
            span { class: "dim number", {format::count(usize::try_from(incident.checks_failed).unwrap_or_default(), "failed check")} }
        }
        section { class: "card", "aria-label": "What happened",
            h2 { At { at: incident.started_at, style: TimeStyle::LongDay } }
            Timeline { events: incident.events.clone() }
        }
    }
}
