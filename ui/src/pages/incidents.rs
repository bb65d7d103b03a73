//! The incidents of all services: open ones first, then day by day.

use crate::{
    Route,
    api::{
        self, Incident, IncidentFilter, IncidentState, ListIncidents, ListIncidentsVariables,
        Moment, PageInfo, Problem,
    },
    browser::{self, TimeStyle},
    components::{
        Elapsed, EmptyState, Link, ProblemBox, RowSkeletons, Select, Timeline, Timestamp,
        status_badge,
    },
    format,
    hooks::{QueryState, use_query},
    name_order::sort_by_name,
    router::{IncidentsQuery, KINDS, STATES, TIMES, by_key, key_of},
    store::{Store, use_store},
};
use dioxus::prelude::*;
use uuid::Uuid;

const PAGE_SIZE: i32 = 50;

/// A page of incidents; the store has the incidents themselves.
struct IdPage {
    ids: Vec<Uuid>,
    page_info: PageInfo,
    total: i32,
}

/// The pages that were loaded so far.
#[derive(Clone, Copy)]
struct IncidentPages {
    first: QueryState<IdPage>,
    /// The ids of the later pages, and where the last of them ends.
    older: Signal<(Vec<Uuid>, Option<PageInfo>)>,
    loading_older: Signal<bool>,
}

impl IncidentPages {
    /// Loads the first page, and again when an incident opens or ends, because only the server
    /// knows whether it matches.
    fn use_pages(filter: IncidentsQuery) -> Self {
        let store = use_store();
        let open = store
            .incidents
            .open
            .read()
            .values()
            .map(|incident| (incident.id, incident.kind))
            .collect::<Vec<_>>();
        let mut older = use_signal(|| (Vec::new(), None));
        let loading_older = use_signal(|| false);
        let first = use_query((filter, open), move |(filter, _)| async move {
            let page = load_page(store, filter, None).await;
            older.set((Vec::new(), None));
            page
        });
        Self {
            first,
            older,
            loading_older,
        }
    }

    /// Returns where the last loaded page ends.
    fn end(&self) -> Option<PageInfo> {
        let end = self.older.read().1.clone();
        end.or_else(|| {
            let first = self.first.data.read();
            first.as_ref().map(|page| page.page_info.clone())
        })
    }

    async fn load_older(mut self, store: Store, filter: IncidentsQuery) {
        let after = self.end().and_then(|end| end.end_cursor);
        self.loading_older.set(true);
        match load_page(store, filter, after).await {
            Ok(page) => {
                let mut older = self.older.write();
                older.0.extend(page.ids);
                older.1 = Some(page.page_info);
            }
            Err(problem) => store
                .toasts
                .problem("Could not load older incidents", &problem),
        }
        self.loading_older.set(false);
    }

    fn incidents(&self, store: Store) -> Vec<Incident> {
        let by_id = store.incidents.by_id.read();
        let first = self.first.data.read();
        let first_ids = first.iter().flat_map(|page| page.ids.iter());
        first_ids
            .chain(self.older.read().0.iter())
            .filter_map(|id| by_id.get(id).cloned())
            .collect()
    }
}

async fn load_page(
    store: Store,
    query: IncidentsQuery,
    after: Option<String>,
) -> Result<IdPage, Problem> {
    let from = query
        .time
        .map(|window| Moment(browser::now().0 - window.millis()));
    let filter = IncidentFilter {
        service_id: query.service,
        kind: query.kind,
        state: query.state,
        from,
        to: None,
    };
    let variables = ListIncidentsVariables {
        filter,
        first: PAGE_SIZE,
        after,
    };
    let page = api::request::<ListIncidents>(variables).await?.incidents;
    let (page_info, total) = (page.page_info.clone(), page.total_count);
    let incidents = page.into_nodes();
    store.incidents.insert_all(&incidents);
    Ok(IdPage {
        ids: incidents.iter().map(|incident| incident.id).collect(),
        page_info,
        total,
    })
}

#[component]
pub fn IncidentsPage(filter: IncidentsQuery) -> Element {
    let store = use_store();
    let pages = IncidentPages::use_pages(filter.clone());
    let incidents = pages.incidents(store);
    let first = pages.first;
    let total = first.data.read().as_ref().map(|page| page.total);
    let is_filtered = filter != IncidentsQuery::default();
    rsx! {
        div { class: "page",
            header { class: "head",
                div { class: "what", h1 { "Incidents" } }
                Filters { filter: filter.clone(), total }
            }
            match (total, &*first.problem.read()) {
                (None, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| first.refetch() } },
                (None, None) => rsx! { RowSkeletons { rows: 8 } },
                (Some(_), _) if incidents.is_empty() => rsx! {
                    EmptyState { title: if is_filtered { "No incidents match your filter" } else { "No incidents" },
                        p { "When a service slows down or fails, you will see it here, with the cause and duration." }
                    }
                },
                (Some(_), _) => rsx! {
                    for (heading , incidents) in group_by_day(incidents) {
                        section { key: "{heading}", class: "day", "aria-label": "{heading}",
                            h2 { "{heading}" }
                            for incident in incidents {
                                IncidentItem { key: "{incident.id}", incident }
                            }
                        }
                    }
                    if pages.end().is_some_and(|end| end.has_next_page) {
                        button {
                            class: "button",
                            r#type: "button",
                            disabled: (pages.loading_older)(),
                            onclick: move |_| pages.load_older(store, filter.clone()),
                            "Show older"
                        }
                    }
                },
            }
        }
    }
}

#[component]
fn Filters(filter: IncidentsQuery, #[props(!optional)] total: Option<i32>) -> Element {
    let store = use_store();
    let service = filter.service.map(|id| id.to_string()).unwrap_or_default();
    let state = key_of(&STATES, filter.state.as_ref()).to_owned();
    let kind = key_of(&KINDS, filter.kind.as_ref()).to_owned();
    let time = key_of(&TIMES, filter.time.as_ref()).to_owned();
    let change = |change: &dyn Fn(&mut IncidentsQuery)| {
        if let Route::Incidents { mut filter } = Route::current() {
            change(&mut filter);
            Route::Incidents { filter }.replace();
        }
    };
    rsx! {
        div { class: "tools",
            Select {
                label: "Service",
                options: service_options(store),
                value: service,
                onchange: move |key: String| change(&|filter| filter.service = key.parse().ok()),
            }
            Select {
                label: "State",
                options: options(&STATES, "Any state"),
                value: state,
                onchange: move |key: String| change(&|filter| filter.state = by_key(&STATES, &key)),
            }
            Select {
                label: "Type",
                options: options(&KINDS, "Any type"),
                value: kind,
                onchange: move |key: String| change(&|filter| filter.kind = by_key(&KINDS, &key)),
            }
            Select {
                label: "Time",
                options: options(&TIMES, "Any time"),
                value: time,
                onchange: move |key: String| change(&|filter| filter.time = by_key(&TIMES, &key)),
            }
            if let Some(total) = total {
                span { class: "dim number shown", role: "status", {format::count(usize::try_from(total).unwrap_or_default(), "incident")} }
            }
        }
    }
}

/// Returns the options of a filter, with `any` for no restriction.
fn options<T>(choices: &[(T, &str, &str)], any: &str) -> Vec<(String, String)> {
    let any = (String::new(), any.to_owned());
    let choices = choices
        .iter()
        .map(|(_, key, label)| ((*key).to_owned(), (*label).to_owned()));
    std::iter::once(any).chain(choices).collect()
}

/// Returns all services, by name.
fn service_options(store: Store) -> Vec<(String, String)> {
    let listed = store.services.listed.read();
    let mut services: Vec<_> = listed
        .iter()
        .map(|(id, service)| (id.to_string(), service.name.clone()))
        .collect();
    sort_by_name(&mut services, |(_, name)| name);
    services.insert(0, (String::new(), "Any service".to_owned()));
    services
}

/// Groups open incidents under one heading, and the others under the day on which they began, in
/// the given order.
fn group_by_day(incidents: Vec<Incident>) -> Vec<(String, Vec<Incident>)> {
    let (open, resolved): (Vec<_>, Vec<_>) = incidents
        .into_iter()
        .partition(|incident| incident.state == IncidentState::Open);
    let mut days: Vec<(String, Vec<Incident>)> = Vec::new();
    if !open.is_empty() {
        days.push(("Open now".to_owned(), open));
    }
    for incident in resolved {
        let heading = browser::local_time(incident.started_at, TimeStyle::LongDay);
        match days.last_mut() {
            Some((last, list)) if *last == heading => list.push(incident),
            _ => days.push((heading, vec![incident])),
        }
    }
    days
}

#[component]
fn IncidentItem(incident: Incident) -> Element {
    let status = incident.kind.status();
    rsx! {
        details { class: "incident {status.word()}",
            summary {
                {status_badge(status, false)}
                span { class: "name", "{incident.service.name}" }
                span { class: "cause dim",
                    if incident.acknowledged_at.is_some() {
                        b { "Acknowledged" }
                        " · "
                    }
                    {incident.cause.as_deref().map(|cause| format::split_cause(cause).0)}
                }
                span { class: "number dim", Timestamp { at: incident.started_at, style: TimeStyle::ShortTime } }
                span { class: "number", Elapsed { from: incident.started_at, until: incident.resolved_at } }
            }
            Timeline { events: incident.events.clone() }
            p { class: "links",
                Link { to: Route::service(incident.service.id), "Service" }
                Link { to: Route::Incident { id: incident.id }, {link_text(&incident)} }
            }
        }
    }
}

fn link_text(incident: &Incident) -> String {
    match usize::try_from(incident.note_count) {
        Ok(notes @ 1..) => format!("Open incident, {}", format::count(notes, "note")),
        _ => "Open incident".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{IncidentService, IncidentType};

    fn incident(number: u128, started: &str, state: IncidentState) -> Incident {
        Incident {
            id: Uuid::from_u128(number),
            kind: IncidentType::Downtime,
            state,
            started_at: Moment::parse(started).unwrap(),
            resolved_at: None,
            checks_failed: 2,
            cause: None,
            acknowledged_at: None,
            note_count: 0,
            service: IncidentService {
                id: Uuid::nil(),
                name: "API".into(),
            },
            events: Vec::new(),
        }
    }

    #[test]
    fn open_incidents_come_before_the_days() {
        use IncidentState::{Open, Resolved};
        let days = group_by_day(vec![
            incident(1, "2026-11-22T10:00:00Z", Resolved),
            incident(2, "2026-11-22T09:00:00Z", Resolved),
            incident(3, "2026-11-21T09:00:00Z", Open),
            incident(4, "2026-11-20T09:00:00Z", Resolved),
        ]);
        let headings: Vec<_> = days
            .iter()
            .map(|(heading, list)| (heading.as_str(), list.len()))
            .collect();
        assert_eq!(
            headings,
            [("Open now", 1), ("2026-11-22", 2), ("2026-11-20", 1)]
        );
    }
}
