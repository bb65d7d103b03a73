//! One incident with everything that happened in it, the checks around its beginning, and what people write about it.

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
        At, CheckTable, Elsewhere, Go, ProblemBox, RowSkeletons, Shape, Since, Timeline, icon,
        status_badge,
    },
    format,
    hooks::{Asked, use_asked},
    store::{Store, use_store},
};
use dioxus::prelude::*;
use markdown::markdown;
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

/// Whatever changes when there are other notes or checks to show.
type Stamp = (i32, i32, usize);

fn stamp(incident: &Incident) -> Stamp {
    (
        incident.note_count,
        incident.checks_failed,
        incident.events.len(),
    )
}

#[component]
fn IncidentView(id: Uuid) -> Element {
    let store = use_store();
    let asked = use_asked(id, move |id| async move {
        let answer = api::request::<GetIncident>(ById { id }).await?;
        let (Some(incident), Some(more)) = (answer.incident, answer.more) else {
            return Err(Problem::not_found("incident"));
        };
        store.fill_incidents(std::slice::from_ref(&incident));
        Ok((stamp(&incident), more))
    });
    // Incidents are streamed, their notes and checks are not.
    use_effect(move || {
        let known = store.incidents.read().get(&id).map(stamp);
        let told = asked.data.read().as_ref().map(|(told, _)| *told);
        if told.is_some() && known.is_some() && known != told {
            asked.again();
        }
    });
    let incident = store.incidents.read().get(&id).cloned();
    rsx! {
        div { class: "page narrow",
            Go { class: "button plain", to: Route::incidents(), {icon(Shape::Back)} "All incidents" }
            match (&incident, &*asked.problem.read()) {
                (Some(incident), problem) => rsx! {
                    if let Some(problem) = problem {
                        ProblemBox { problem: problem.clone(), onretry: move |()| asked.again() }
                    }
                    Told { incident: incident.clone(), asked }
                },
                (None, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| asked.again() } },
                (None, None) => rsx! { RowSkeletons { rows: 4 } },
            }
        }
    }
}

#[component]
fn Told(incident: Incident, asked: Asked<(Stamp, IncidentDetail)>) -> Element {
    let store = use_store();
    let id = incident.id;
    let open = incident.resolved_at.is_none();
    let seen = incident.acknowledged_at;
    let more = asked.data.read();
    let more = more.as_ref().map(|(_, more)| more);
    let notes = more.map(|more| more.notes.clone()).unwrap_or_default();
    let (cause, vendors) = incident
        .cause
        .as_deref()
        .map(format::cause)
        .unwrap_or_default();
    let copied = markdown(&incident, &notes, browser::now());
    rsx! {
        header { class: "head",
            div { class: "what",
                h1 {
                    Go { to: Route::service(incident.service.id), "{incident.service.name}" }
                }
                p { class: "dim",
                    "{cause} "
                    if let Some(vendors) = vendors {
                        Elsewhere { to: vendors, "What the vendor says" }
                    }
                }
            }
            div { class: "acts",
                button {
                    class: if seen.is_none() && open { "button primary" } else { "button" },
                    r#type: "button",
                    onclick: move |_| acknowledge(store, asked, id, seen.is_none()),
                    if seen.is_none() { "Acknowledge" } else { "Unacknowledge" }
                }
                button { class: "button", r#type: "button", onclick: move |_| copy(store, copied.clone()), "Copy as Markdown" }
            }
        }
        div { class: "state {incident.kind.status().word()}",
            {status_badge(incident.kind.status(), false)}
            span { if open { "Open" } else { "Resolved" } }
            span { class: "number", "for " Since { from: incident.started_at, until: incident.resolved_at } }
            span { class: "dim number", {format::count(usize::try_from(incident.checks_failed).unwrap_or_default(), "failed check")} }
            if let Some(at) = seen {
                span { class: "dim number", "acknowledged " At { at } }
            }
        }
        section { class: "card", "aria-label": "What happened",
            h2 { At { at: incident.started_at, style: TimeStyle::LongDay } }
            Timeline { events: incident.events.clone() }
        }
        notes::Notes { id, notes, onchange: move |()| asked.again() }
        section { class: "card", "aria-label": "Checks around the beginning",
            h2 { "Checks around the beginning" }
            match more {
                None => rsx! { RowSkeletons { rows: 4 } },
                Some(more) if more.checks_around.is_empty() => rsx! {
                    p { class: "dim", "The checks of that time are kept no longer." }
                },
                Some(more) => rsx! { CheckTable { checks: more.checks_around.clone(), begins: incident.started_at } },
            }
        }
    }
}

/// Says that somebody cares for it, or takes that back; shown before the server has said so.
async fn acknowledge(
    mut store: Store,
    asked: Asked<(Stamp, IncidentDetail)>,
    id: Uuid,
    seen: bool,
) {
    if let Some(incident) = store.incidents.write().get_mut(&id) {
        incident.acknowledged_at = seen.then(browser::now);
    }
    let told = match seen {
        true => api::tell::<AcknowledgeIncident>(ById { id }),
        false => api::tell::<UnacknowledgeIncident>(ById { id }),
    };
    if let Err(problem) = told.await {
        store.say_failed("Could not change that", &problem);
    }
    // What is so now comes with it, also after a refusal.
    asked.again();
}

async fn copy(store: Store, text: String) {
    if browser::copy(&text).await {
        store.say("The incident was copied as Markdown");
    } else {
        store.say_refused("Copying is not possible here");
    }
}
