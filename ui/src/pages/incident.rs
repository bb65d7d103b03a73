//! An incident with its timeline, the checks around its start, and notes.

mod markdown;
mod notes;

use crate::{
    Route,
    api::{
        self, AcknowledgeIncident, ById, GetIncident, Incident, IncidentDetail, Problem,
        UnacknowledgeIncident,
    },
    browser::{self, TimeStyle},
    components::{
        CheckTable, Elapsed, ExternalLink, Icon, Link, ProblemBox, RowSkeletons, Timeline,
        Timestamp, icon, status_badge,
    },
    format,
    hooks::{QueryState, use_query},
    store::{Store, use_store},
};
use dioxus::prelude::*;
use markdown::to_markdown;
use uuid::Uuid;

#[component]
pub fn IncidentPage(id: Uuid) -> Element {
    // The key makes another incident another page, which keeps no state of this one.
    rsx! {
        for id in [id] {
            IncidentView { key: "{id}", id }
        }
    }
}

/// Changes whenever there are other notes or checks to show. Incidents are streamed, their notes
/// and checks are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct VersionStamp {
    notes: i32,
    failed_checks: i32,
    events: usize,
}

impl VersionStamp {
    fn of(incident: &Incident) -> Self {
        Self {
            notes: incident.note_count,
            failed_checks: incident.checks_failed,
            events: incident.events.len(),
        }
    }
}

type DetailQuery = QueryState<(VersionStamp, IncidentDetail)>;

/// Loads the details, and again when the streamed incident has another version.
fn use_detail(id: Uuid) -> DetailQuery {
    let store = use_store();
    let detail = use_query(id, move |id| async move {
        let response = api::request::<GetIncident>(ById { id }).await?;
        let (Some(incident), Some(detail)) = (response.incident, response.more) else {
            return Err(Problem::not_found("incident"));
        };
        store.incidents.insert_all(std::slice::from_ref(&incident));
        Ok((VersionStamp::of(&incident), detail))
    });
    use_effect(move || {
        let current = store.incidents.by_id.read().get(&id).map(VersionStamp::of);
        let loaded = detail.data.read().as_ref().map(|(stamp, _)| *stamp);
        if loaded.is_some() && current.is_some() && current != loaded {
            detail.refetch();
        }
    });
    detail
}

#[component]
fn IncidentView(id: Uuid) -> Element {
    let store = use_store();
    let detail = use_detail(id);
    let incident = store.incidents.by_id.read().get(&id).cloned();
    rsx! {
        div { class: "page narrow",
            Link { class: "button plain", to: Route::incidents(), {icon(Icon::Back)} "All incidents" }
            if let Some(problem) = &*detail.problem.read() {
                ProblemBox { problem: problem.clone(), onretry: move |()| detail.refetch() }
            }
            match incident {
                Some(incident) => rsx! { IncidentContent { incident, detail } },
                None if detail.problem.read().is_none() => rsx! { RowSkeletons { rows: 4 } },
                None => VNode::empty(),
            }
        }
    }
}

#[component]
fn IncidentContent(incident: Incident, detail: DetailQuery) -> Element {
    let data = detail.data.read();
    let loaded = data.as_ref().map(|(_, detail)| detail);
    let notes = loaded
        .map(|detail| detail.notes.clone())
        .unwrap_or_default();
    let status = incident.kind.status();
    rsx! {
        IncidentHeader { incident: incident.clone(), detail }
        div { class: "state {status.word()}",
            {status_badge(status, false)}
            span { if incident.resolved_at.is_none() { "Open" } else { "Resolved" } }
            span { class: "number", "for " Elapsed { from: incident.started_at, until: incident.resolved_at } }
            span { class: "dim number", {format::count(usize::try_from(incident.checks_failed).unwrap_or_default(), "failed check")} }
            if let Some(at) = incident.acknowledged_at {
                span { class: "dim number", "acknowledged " Timestamp { at } }
            }
        }
        section { class: "card", "aria-label": "Timeline",
            h2 { Timestamp { at: incident.started_at, style: TimeStyle::LongDay } }
            Timeline { events: incident.events.clone() }
        }
        notes::Notes { id: incident.id, notes, onchange: move |()| detail.refetch() }
        section { class: "card", "aria-label": "Checks around the start",
            h2 { "Checks around the start" }
            match loaded {
                None => rsx! { RowSkeletons { rows: 4 } },
                Some(detail) if detail.checks_around.is_empty() => rsx! {
                    p { class: "dim", "The checks of that time are no longer stored." }
                },
                Some(detail) => rsx! { CheckTable { checks: detail.checks_around.clone(), highlighted_slot: incident.started_at } },
            }
        }
    }
}

/// Service, cause and actions.
#[component]
fn IncidentHeader(incident: Incident, detail: DetailQuery) -> Element {
    let store = use_store();
    let id = incident.id;
    let is_open = incident.resolved_at.is_none();
    let is_acknowledged = incident.acknowledged_at.is_some();
    let data = detail.data.read();
    let notes = data.as_ref().map(|(_, detail)| detail.notes.as_slice());
    let markdown = to_markdown(&incident, notes.unwrap_or_default(), browser::now());
    let (cause, vendor_url) = incident
        .cause
        .as_deref()
        .map(format::split_cause)
        .unwrap_or_default();
    rsx! {
        header { class: "head",
            div { class: "what",
                h1 {
                    Link { to: Route::service(incident.service.id), "{incident.service.name}" }
                }
                p { class: "dim",
                    "{cause} "
                    if let Some(url) = vendor_url {
                        ExternalLink { to: url, "View on the vendor page" }
                    }
                }
            }
            div { class: "acts",
                button {
                    class: if !is_acknowledged && is_open { "button primary" } else { "button" },
                    r#type: "button",
                    onclick: move |_| set_acknowledged(store, detail, id, !is_acknowledged),
                    if is_acknowledged { "Unacknowledge" } else { "Acknowledge" }
                }
                button { class: "button", r#type: "button", onclick: move |_| copy(store, markdown.clone()), "Copy as Markdown" }
            }
        }
    }
}

/// Shows the acknowledgement at once, then sends it.
async fn set_acknowledged(mut store: Store, detail: DetailQuery, id: Uuid, acknowledged: bool) {
    if let Some(incident) = store.incidents.by_id.write().get_mut(&id) {
        incident.acknowledged_at = acknowledged.then(browser::now);
    }
    let result = if acknowledged {
        api::execute::<AcknowledgeIncident>(ById { id })
    } else {
        api::execute::<UnacknowledgeIncident>(ById { id })
    };
    if let Err(problem) = result.await {
        store
            .toasts
            .problem("Could not change the acknowledgement", &problem);
    }
    // Loads the confirmed state, also after a failure.
    detail.refetch();
}

async fn copy(store: Store, text: String) {
    if browser::copy(&text).await {
        store.toasts.success("Copied the incident as Markdown");
    } else {
        store.toasts.failure("This browser does not allow copying");
    }
}
