//! The last incidents of a service.

use crate::{
    Route,
    api::{self, Incident, IncidentFilter, ListIncidents, ListIncidentsVariables},
    components::{Elapsed, Link, ProblemBox, RowSkeletons, Timestamp, status_mark},
    format,
    hooks::{QueryState, use_query},
    router::IncidentsQuery,
    store::{Entry, use_store},
};
use dioxus::prelude::*;

/// Maximum number of incidents on the page.
const MAX_INCIDENTS: i32 = 20;

/// Loads the incidents, and again when one opens or ends.
fn use_incidents(entry: Entry) -> QueryState<Vec<Incident>> {
    let store = use_store();
    let open = store
        .incidents
        .open
        .read()
        .get(&entry.id)
        .map(|incident| (incident.id, incident.kind));
    use_query((entry.id, open), move |(id, _)| async move {
        let variables = ListIncidentsVariables {
            filter: IncidentFilter {
                service_id: Some(id),
                ..Default::default()
            },
            first: MAX_INCIDENTS,
            after: None,
        };
        let response = api::request::<ListIncidents>(variables).await?;
        let incidents = response.incidents.into_nodes();
        store.incidents.insert_all(&incidents);
        Ok(incidents)
    })
}

#[component]
pub(super) fn IncidentsSection(entry: Entry) -> Element {
    let incidents = use_incidents(entry);
    let all = Route::Incidents {
        filter: IncidentsQuery {
            service: Some(entry.id),
            ..Default::default()
        },
    };
    rsx! {
        section { class: "card", "aria-label": "Incidents",
            div { class: "card-head",
                h2 { "Incidents" }
                Link { to: all, "View all" }
            }
            match (&*incidents.data.read(), &*incidents.problem.read()) {
                (None, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| incidents.refetch() } },
                (None, None) => rsx! { RowSkeletons { rows: 2 } },
                (Some(list), _) if list.is_empty() => rsx! { p { class: "dim", "No incidents yet." } },
                (Some(list), _) => rsx! {
                    ul { class: "incident-list",
                        for incident in list {
                            li { key: "{incident.id}",
                                {status_mark(incident.kind.status(), false)}
                                Link { class: "name", to: Route::Incident { id: incident.id }, {incident.cause.as_deref().map_or_else(|| incident.kind.status().label().to_owned(), |cause| format::capitalise(format::split_cause(cause).0))} }
                                span { class: "dim number", Timestamp { at: incident.started_at } }
                                span { class: "number", Elapsed { from: incident.started_at, until: incident.resolved_at } }
                            }
                        }
                    }
                },
            }
        }
    }
}
