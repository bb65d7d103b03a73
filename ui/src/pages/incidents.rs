//! Incidents of every service: open ones first, then day by day.

use crate::{
    Route,
    api::{
        self, Incident, IncidentFilter, IncidentState, IncidentType, ListIncidents,
        ListIncidentsVariables, Moment, PageInfo, Window,
    },
    browser::{self, TimeStyle},
    components::{At, Choice, Empty, Go, ProblemBox, RowSkeletons, Since, Timeline, status_badge},
    format,
    hooks::use_asked,
    store::{Store, use_store},
};
use dioxus::prelude::*;
use std::fmt;
use uuid::Uuid;

const PAGE: i32 = 50;

/// How the incidents are filtered, as it stands in the address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IncidentsQuery {
    /// Only open, or only resolved ones.
    pub state: Option<IncidentState>,
    /// Only those that came to this.
    pub kind: Option<IncidentType>,
    /// Only those that lasted into this window, which ends now.
    pub time: Option<Window>,
    /// Only those of this service.
    pub service: Option<Uuid>,
}

const STATES: [(IncidentState, &str, &str); 2] = [
    (IncidentState::Open, "open", "Open"),
    (IncidentState::Resolved, "resolved", "Resolved"),
];
const KINDS: [(IncidentType, &str, &str); 2] = [
    (IncidentType::Downtime, "downtime", "Downtime"),
    (IncidentType::Degraded, "degraded", "Degraded"),
];
const TIMES: [(Window, &str, &str); 4] = [
    (Window::Day, "24h", "Last 24 h"),
    (Window::Week, "7d", "Last 7 d"),
    (Window::Month, "30d", "Last 30 d"),
    (Window::Quarter, "90d", "Last 90 d"),
];

fn key_of<T: PartialEq>(
    choices: &[(T, &'static str, &'static str)],
    value: Option<&T>,
) -> &'static str {
    choices
        .iter()
        .find(|(choice, ..)| Some(choice) == value)
        .map_or("", |(_, key, _)| key)
}

fn by_key<T: Copy>(choices: &[(T, &str, &str)], key: &str) -> Option<T> {
    choices
        .iter()
        .find(|(_, known, _)| *known == key)
        .map(|(choice, ..)| *choice)
}

fn options<T>(choices: &[(T, &str, &str)], any: &str) -> Vec<(String, String)> {
    let any = (String::new(), any.to_owned());
    std::iter::once(any)
        .chain(
            choices
                .iter()
                .map(|(_, key, label)| ((*key).to_owned(), (*label).to_owned())),
        )
        .collect()
}

impl fmt::Display for IncidentsQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("state", key_of(&STATES, self.state.as_ref()).to_owned()),
            ("type", key_of(&KINDS, self.kind.as_ref()).to_owned()),
            ("time", key_of(&TIMES, self.time.as_ref()).to_owned()),
            (
                "service",
                self.service.map(|id| id.to_string()).unwrap_or_default(),
            ),
        ];
        let parts: Vec<_> = parts
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        f.write_str(&parts.join("&"))
    }
}

impl From<&str> for IncidentsQuery {
    fn from(text: &str) -> Self {
        let mut query = Self::default();
        for (key, value) in text.split('&').filter_map(|part| part.split_once('=')) {
            match key {
                "state" => query.state = by_key(&STATES, value),
                "type" => query.kind = by_key(&KINDS, value),
                "time" => query.time = by_key(&TIMES, value),
                "service" => query.service = value.parse().ok(),
                _ => {}
            }
        }
        query
    }
}

/// The page.
#[component]
pub fn IncidentsPage(filter: IncidentsQuery) -> Element {
    let store = use_store();
    let open = store
        .open
        .read()
        .values()
        .map(|incident| (incident.id, incident.kind))
        .collect::<Vec<_>>();
    let mut older = use_signal(|| (Vec::<Uuid>::new(), None::<PageInfo>));
    let wanted = filter.clone();
    let ask = move |wanted: IncidentsQuery, after: Option<String>| async move {
        let filter = IncidentFilter {
            service_id: wanted.service,
            kind: wanted.kind,
            state: wanted.state,
            from: wanted
                .time
                .map(|window| Moment(browser::now().0 - window.millis())),
            to: None,
        };
        let page = api::request::<ListIncidents>(ListIncidentsVariables {
            filter,
            first: PAGE,
            after,
        })
        .await?
        .incidents;
        let incidents: Vec<_> = page.edges.into_iter().map(|edge| edge.node).collect();
        store.fill_incidents(&incidents);
        Ok((
            incidents
                .iter()
                .map(|incident| incident.id)
                .collect::<Vec<_>>(),
            page.page_info,
            page.total_count,
        ))
    };
    // Asked for again when one opens or ends: whether it belongs here is the server's to say.
    let asked = use_asked((wanted.clone(), open), move |(filter, _)| async move {
        let page = ask(filter, None).await;
        older.set((Vec::new(), None));
        page
    });
    let mut asking = use_signal(|| false);
    let more = move |_| {
        let filter = wanted.clone();
        async move {
            let end = older
                .peek()
                .1
                .clone()
                .or_else(|| asked.data.peek().as_ref().map(|(_, info, _)| info.clone()));
            asking.set(true);
            match ask(filter, end.and_then(|end| end.end_cursor)).await {
                Ok((ids, info, _)) => {
                    let mut older = older.write();
                    older.0.extend(ids);
                    older.1 = Some(info);
                }
                Err(problem) => {
                    let problem: api::Problem = problem;
                    store.say_failed("Could not load older incidents", &problem);
                }
            }
            asking.set(false);
        }
    };
    let data = asked.data.read();
    let older_now = older.read();
    let more_left = older_now
        .1
        .as_ref()
        .or(data.as_ref().map(|(_, info, _)| info))
        .is_some_and(|info| info.has_next_page);
    let incidents = store.incidents.read();
    let shown: Vec<Incident> = data
        .iter()
        .flat_map(|(ids, ..)| ids.iter())
        .chain(older_now.0.iter())
        .filter_map(|id| incidents.get(id).cloned())
        .collect();
    let go = |filter: IncidentsQuery| {
        Route::Incidents { filter }.open_instead();
    };
    let (by_service, by_state, by_kind, by_time) = (
        filter.clone(),
        filter.clone(),
        filter.clone(),
        filter.clone(),
    );
    rsx! {
        div { class: "page",
            header { class: "head",
                div { class: "what", h1 { "Incidents" } }
                div { class: "tools",
                    Choice {
                        label: "Service",
                        options: services(store),
                        value: filter.service.map(|id| id.to_string()).unwrap_or_default(),
                        onchange: move |key: String| go(IncidentsQuery { service: key.parse().ok(), ..by_service.clone() }),
                    }
                    Choice {
                        label: "State",
                        options: options(&STATES, "Any state"),
                        value: key_of(&STATES, filter.state.as_ref()).to_owned(),
                        onchange: move |key: String| go(IncidentsQuery { state: by_key(&STATES, &key), ..by_state.clone() }),
                    }
                    Choice {
                        label: "Type",
                        options: options(&KINDS, "Any type"),
                        value: key_of(&KINDS, filter.kind.as_ref()).to_owned(),
                        onchange: move |key: String| go(IncidentsQuery { kind: by_key(&KINDS, &key), ..by_kind.clone() }),
                    }
                    Choice {
                        label: "Time",
                        options: options(&TIMES, "Any time"),
                        value: key_of(&TIMES, filter.time.as_ref()).to_owned(),
                        onchange: move |key: String| go(IncidentsQuery { time: by_key(&TIMES, &key), ..by_time.clone() }),
                    }
                    if let Some((.., total)) = &*data {
                        span { class: "dim number shown", role: "status", {format::count(usize::try_from(*total).unwrap_or_default(), "incident")} }
                    }
                }
            }
            match (&*data, &*asked.problem.read()) {
                (None, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| asked.again() } },
                (None, None) => rsx! { RowSkeletons { rows: 8 } },
                (Some(_), _) if shown.is_empty() => rsx! {
                    Empty { title: if filter == IncidentsQuery::default() { "No incidents" } else { "No incident matches" },
                        p { "When a service is slow or down, it is told here: since when, why, and for how long." }
                    }
                },
                (Some(_), _) => rsx! {
                    for (heading , incidents) in by_day(shown) {
                        section { key: "{heading}", class: "day", "aria-label": "{heading}",
                            h2 { "{heading}" }
                            for incident in incidents {
                                OneIncident { key: "{incident.id}", incident }
                            }
                        }
                    }
                    if more_left {
                        button { class: "button", r#type: "button", disabled: asking(), onclick: more, "Show older" }
                    }
                },
            }
        }
    }
}

/// Every service by its name.
fn services(store: Store) -> Vec<(String, String)> {
    let listed = store.listed.read();
    let mut services: Vec<_> = listed
        .iter()
        .map(|(id, service)| (id.to_string(), service.name.clone()))
        .collect();
    services.sort_by_cached_key(|(_, name)| browser::lowercase(name));
    services.insert(0, (String::new(), "Any service".to_owned()));
    services
}

/// Open ones under one heading, the others under the day on which they began, in the order given.
fn by_day(incidents: Vec<Incident>) -> Vec<(String, Vec<Incident>)> {
    let (open, resolved): (Vec<_>, Vec<_>) = incidents
        .into_iter()
        .partition(|incident| incident.state == IncidentState::Open);
    let mut days: Vec<(String, Vec<Incident>)> = Vec::new();
    if !open.is_empty() {
        days.push(("Open now".to_owned(), open));
    }
    for incident in resolved {
        let heading = day(incident.started_at);
        match days.last_mut() {
            Some((known, list)) if *known == heading => list.push(incident),
            _ => days.push((heading, vec![incident])),
        }
    }
    days
}

fn day(at: Moment) -> String {
    browser::local_time(at, TimeStyle::LongDay)
}

#[component]
fn OneIncident(incident: Incident) -> Element {
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
                    {incident.cause.as_deref().map(|cause| format::cause(cause).0)}
                }
                span { class: "number dim", At { at: incident.started_at, style: TimeStyle::ShortTime } }
                span { class: "number", Since { from: incident.started_at, until: incident.resolved_at } }
            }
            Timeline { events: incident.events.clone() }
            p { class: "links",
                Go { to: Route::service(incident.service.id), "Service" }
                Go { to: Route::Incident { id: incident.id }, {notes_of(&incident)} }
            }
        }
    }
}

/// What leads to the page of an incident.
fn notes_of(incident: &Incident) -> String {
    match usize::try_from(incident.note_count) {
        Ok(notes @ 1..) => format!("Link to this incident, {}", format::count(notes, "note")),
        _ => "Link to this incident".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::IncidentService;

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
    fn open_incidents_stand_before_the_days() {
        use IncidentState::{Open, Resolved};
        let days = by_day(vec![
            incident(1, "2026-11-22T10:00:00Z", Resolved),
            incident(2, "2026-11-22T09:00:00Z", Resolved),
            incident(3, "2026-11-21T09:00:00Z", Open),
            incident(4, "2026-11-20T09:00:00Z", Resolved),
        ]);
        let told: Vec<_> = days
            .iter()
            .map(|(heading, list)| (heading.as_str(), list.len()))
            .collect();
        assert_eq!(
            told,
            [("Open now", 1), ("2026-11-22", 2), ("2026-11-20", 1)]
        );
    }

    #[test]
    fn the_filter_is_read_as_it_is_written() {
        let query = IncidentsQuery {
            state: Some(IncidentState::Open),
            kind: Some(IncidentType::Degraded),
            time: Some(Window::Week),
            service: Some(Uuid::from_u128(5)),
        };
        assert_eq!(IncidentsQuery::from(query.to_string().as_str()), query);
        assert_eq!(
            IncidentsQuery::from("state=lost&x&time=8d&service=7"),
            IncidentsQuery::default()
        );
    }
}
