//! A service: status, uptime, response times, last check, incidents and checks.

mod checks;
mod header;
mod incidents;
mod last_check;
mod latency;
mod uptime;
mod vendor;

use crate::{
    Route,
    api::{self, ById, GetService, Problem, ServiceDetail},
    components::{EmptyState, Link, ProblemBox, RowSkeletons},
    hooks::{QueryState, use_polling, use_query},
    monitor_kind::sends_requests,
    router::{ChartRange, ServiceQuery},
    store::{Entry, Loading, use_store},
};
use dioxus::prelude::*;
use uuid::Uuid;

/// How often the uptime is refetched.
const UPTIME_POLL_MS: u32 = 60_000;

#[component]
pub fn ServicePage(id: Uuid, view: ServiceQuery) -> Element {
    // The key makes another service another page, which keeps no state of this one.
    rsx! {
        for id in [id] {
            ServiceView { key: "{id}", id, chart_range: view.chart_range }
        }
    }
}

#[component]
fn ServiceView(id: Uuid, chart_range: ChartRange) -> Element {
    let store = use_store();
    let detail = use_detail(id);
    let is_listed = store.services.listed.read().contains_key(&id);
    let is_ready = *store.services.loading.read() == Loading::Ready;
    if let Some(entry) = store.services.entry(id).filter(|_| is_listed) {
        return rsx! { ServiceContent { entry, chart_range, detail } };
    }
    let is_deleted = is_ready && detail.data.read().is_some();
    rsx! {
        div { class: "page",
            match &*detail.problem.read() {
                Some(problem) => rsx! {
                    ProblemBox { problem: problem.clone(), onretry: move |()| detail.refetch() }
                    Link { class: "button", to: Route::home(), "Go to the dashboard" }
                },
                None if is_deleted => rsx! {
                    EmptyState { title: "This service was deleted", alone: true,
                        Link { class: "button", to: Route::home(), "Go to the dashboard" }
                    }
                },
                None => rsx! { RowSkeletons { rows: 6 } },
            }
        }
    }
}

/// Loads the details now, when the status changes, and from time to time, because percentages are
/// not streamed.
fn use_detail(id: Uuid) -> QueryState<ServiceDetail> {
    let store = use_store();
    let status_revision = store
        .services
        .entry(id)
        .map_or(0, |entry| (entry.status_revision)());
    let detail = use_query((id, status_revision), move |(id, _)| async move {
        let response = api::request::<GetService>(ById { id }).await?;
        let detail = response
            .service
            .ok_or_else(|| Problem::not_found("service"))?;
        let history = uptime::last_days(&detail, uptime::DAYS[0]);
        store.services.insert_histories(vec![history]);
        Ok(detail)
    });
    use_polling(detail, UPTIME_POLL_MS);
    detail
}

#[component]
fn ServiceContent(
    entry: Entry,
    chart_range: ChartRange,
    detail: QueryState<ServiceDetail>,
) -> Element {
    let sends_requests = sends_requests(entry.service.read().schedule);
    rsx! {
        article { class: "page service",
            header::Header { entry }
            if let Some(problem) = &*detail.problem.read() {
                ProblemBox { problem: problem.clone() }
            }
            if !sends_requests {
                vendor::VendorSection { entry }
            }
            uptime::UptimeSection { entry, detail: detail.data }
            if sends_requests {
                latency::LatencySection { entry, chart_range }
                last_check::LastCheck { entry }
            }
            incidents::IncidentsSection { entry }
            checks::Checks { entry }
        }
    }
}
