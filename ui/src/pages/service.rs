//! One service: how it is, since when, how it was, and what can be done.

mod checks;
mod head;
mod latency;
mod query;
mod vendor;

pub use query::{ServiceQuery, Shown};

use crate::{
    Route,
    api::{
        self, ById, GetService, History, Incident, IncidentFilter, ListIncidents,
        ListIncidentsVariables, Problem, ServiceDetail, Uptime, Window,
    },
    browser::{self, TimeStyle},
    components::{
        At, Empty, Go, PhaseBar, ProblemBox, RowSkeletons, Since, WideDayBar, status_mark,
    },
    format,
    hooks::{Asked, use_asked},
    pages::{IncidentsQuery, service_list::is_requested},
    store::{Entry, Loading, use_store},
};
use dioxus::prelude::*;
use std::rc::Rc;
use uuid::Uuid;

/// How often uptime is asked for anew.
const AGAIN_AFTER_MS: u32 = 60_000;
/// How many days the bar can show.
const DAYS: [usize; 2] = [30, 90];
/// How many incidents of a service are shown on its page.
const INCIDENTS: i32 = 20;
/// A certificate that ends sooner than this is worth a warning, in milliseconds.
const CERTIFICATE_SOON: i64 = 21 * 86_400_000;

/// The page of the service `id`.
#[component]
pub fn ServicePage(id: Uuid, view: ServiceQuery) -> Element {
    // A list of one, so that another service is another page and nothing of this one stays.
    rsx! {
        for id in [id] {
            ServiceView { key: "{id}", id, shown: view.shown }
        }
    }
}

#[component]
fn ServiceView(id: Uuid, shown: Shown) -> Element {
    let store = use_store();
    // Asked for again when the status changes, and from time to time: nothing streams percentages.
    let flips = store.entry(id).map_or(0, |entry| (entry.flips)());
    let detail = use_asked((id, flips), move |(id, _)| async move {
        let answer = api::request::<GetService>(ById { id }).await?;
        let detail = answer
            .service
            .ok_or_else(|| Problem::not_found("service"))?;
        store.fill_histories(vec![last_days(&detail, DAYS[0])]);
        Ok(detail)
    });
    use_future(move || async move {
        loop {
            browser::sleep(AGAIN_AFTER_MS).await;
            detail.again();
        }
    });
    let listed = store.listed.read().contains_key(&id);
    let ready = *store.loading.read() == Loading::Ready;
    match store.entry(id).filter(|_| listed) {
        Some(entry) => {
            rsx! { Known { entry, shown, detail: detail.data, problem: detail.problem } }
        }
        None => match &*detail.problem.read() {
            Some(problem) => rsx! {
                div { class: "page",
                    ProblemBox { problem: problem.clone(), onretry: move |()| detail.again() }
                    Go { class: "button", to: Route::home(), "Go to the dashboard" }
                }
            },
            None if ready && detail.data.read().is_some() => rsx! {
                div { class: "page",
                    Empty { title: "This service was deleted", alone: true,
                        Go { class: "button", to: Route::home(), "Go to the dashboard" }
                    }
                }
            },
            None => rsx! {
                div { class: "page", RowSkeletons { rows: 6 } }
            },
        },
    }
}

#[component]
fn Known(
    entry: Entry,
    shown: Shown,
    detail: Signal<Option<ServiceDetail>>,
    problem: Signal<Option<Problem>>,
) -> Element {
    let requested = is_requested(entry.service.read().schedule);
    let incidents = use_incidents(entry);
    rsx! {
        article { class: "page service",
            head::Head { entry }
            if let Some(problem) = &*problem.read() {
                ProblemBox { problem: problem.clone() }
            }
            if !requested {
                vendor::VendorSays { entry }
            }
            Uptimes { entry, detail }
            if requested {
                latency::Latency { entry, shown }
                LastCheck { entry }
            }
            Incidents { id: entry.id, incidents }
            checks::Checks { entry }
        }
    }
}

/// The service's incidents; asked for again when one opens or ends.
fn use_incidents(entry: Entry) -> Asked<Vec<Incident>> {
    let store = use_store();
    let open = store
        .open
        .read()
        .get(&entry.id)
        .map(|incident| (incident.id, incident.kind));
    use_asked((entry.id, open), move |(id, _)| async move {
        let filter = IncidentFilter {
            service_id: Some(id),
            ..Default::default()
        };
        let page = api::request::<ListIncidents>(ListIncidentsVariables {
            filter,
            first: INCIDENTS,
            after: None,
        })
        .await?;
        let incidents: Vec<_> = page
            .incidents
            .edges
            .into_iter()
            .map(|edge| edge.node)
            .collect();
        store.fill_incidents(&incidents);
        Ok(incidents)
    })
}

/// Uptime over every window with how much of it was watched, and the days.
#[component]
fn Uptimes(entry: Entry, detail: Signal<Option<ServiceDetail>>) -> Element {
    let mut days = use_signal(|| DAYS[0]);
    // Until its own days are here, those that the list has asked for are shown.
    let history = use_memo(move || match &*detail.read() {
        Some(detail) => Some(Rc::new(last_days(detail, days()))),
        None => entry.history.read().clone(),
    });
    let detail = detail.read();
    let incidents = detail
        .as_ref()
        .map(|detail| last(&detail.incident_days, days()).to_vec());
    let incidents = Rc::new(incidents.unwrap_or_default());
    let windows: [(Window, Option<Uptime>); 4] = match &*detail {
        Some(detail) => [
            (Window::Day, Some(detail.day)),
            (Window::Week, Some(detail.week)),
            (Window::Month, Some(detail.month)),
            (Window::Quarter, Some(detail.quarter)),
        ],
        None => Window::ALL.map(|window| (window, None)),
    };
    rsx! {
        section { class: "card", "aria-label": "Uptime",
            div { class: "tiles",
                for (window , uptime) in windows {
                    div { key: "{window.label()}", class: "tile",
                        span { class: "label", {window.label()} }
                        match uptime {
                            None => rsx! { span { class: "skeleton w1" } },
                            Some(uptime) => rsx! {
                                b { class: "number", {format::percent_or_none(uptime.percent)} }
                                span { class: "dim number",
                                    if let Some(degraded) = uptime.degraded_percent.filter(|degraded| *degraded >= 0.01) {
                                        "{format::percent(degraded)} degraded"
                                    } else if uptime.coverage_percent < 0.5 {
                                        "watched since lately"
                                    } else if uptime.coverage_percent < 99.5 {
                                        "{format::percent(uptime.coverage_percent)} watched"
                                    } else {
                                        "watched throughout"
                                    }
                                }
                            },
                        }
                    }
                }
            }
            WideDayBar { history, incidents }
            div { class: "dim ends",
                div { class: "segments", role: "group", "aria-label": "Days",
                    for choice in DAYS {
                        button {
                            key: "{choice}",
                            r#type: "button",
                            "aria-pressed": if choice == days() { "true" } else { "false" },
                            onclick: move |_| days.set(choice),
                            "{choice} days"
                        }
                    }
                }
                span { "today" }
            }
        }
    }
}

fn last_days(detail: &ServiceDetail, days: usize) -> History {
    let uptime_days = last(&detail.uptime_days, days).to_vec();
    History {
        id: detail.id,
        uptime: detail.month,
        uptime_days,
        hourly_p50_ms: Vec::new(),
    }
}

fn last<T>(list: &[T], count: usize) -> &[T] {
    &list[list.len().saturating_sub(count)..]
}

/// Where the time of the last check went, and how long the certificate holds.
#[component]
fn LastCheck(entry: Entry) -> Element {
    let now = use_store().clock;
    let current = entry.current.read();
    let Some(current) = &*current else {
        return VNode::empty();
    };
    let certificate = current.certificate_expires_at;
    rsx! {
        section { class: "card", "aria-label": "Last check",
            h2 { "Last check" }
            PhaseBar { phases: current.phases, total: current.response_time_ms }
            if let Some(ends) = certificate {
                p { class: if ends.since(now()) < CERTIFICATE_SOON { "certificate soon" } else { "certificate dim" },
                    if ends < now() {
                        "Certificate ended on "
                    } else {
                        "Certificate holds for {format::duration(ends.since(now()) / 86_400_000 * 86_400_000)}, until "
                    }
                    At { at: ends, style: TimeStyle::Day }
                }
            }
        }
    }
}

#[component]
fn Incidents(id: Uuid, incidents: Asked<Vec<Incident>>) -> Element {
    let all = Route::Incidents {
        filter: IncidentsQuery {
            service: Some(id),
            ..Default::default()
        },
    };
    rsx! {
        section { class: "card", "aria-label": "Incidents",
            div { class: "card-head",
                h2 { "Incidents" }
                Go { to: all, "All of this service" }
            }
            match (&*incidents.data.read(), &*incidents.problem.read()) {
                (None, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| incidents.again() } },
                (None, None) => rsx! { RowSkeletons { rows: 2 } },
                (Some(list), _) if list.is_empty() => rsx! { p { class: "dim", "None so far." } },
                (Some(list), _) => rsx! {
                    ul { class: "incident-list",
                        for incident in list {
                            li { key: "{incident.id}",
                                {status_mark(incident.kind.status(), false)}
                                Go { class: "name", to: Route::Incident { id: incident.id }, {incident.cause.as_deref().map_or(incident.kind.status().label(), |cause| format::cause(cause).0)} }
                                span { class: "dim number", At { at: incident.started_at } }
                                span { class: "number", Since { from: incident.started_at, until: incident.resolved_at } }
                            }
                        }
                    }
                },
            }
        }
    }
}
