//! Measures how fast the dashboard's own documents are served with a long history behind them: a
//! thousand services of one user with ninety days of rollups and five million checks, requested over
//! HTTP by one client, one request after another.

mod seed;

use crate::api::{Api, Times};
use crate::figures::Sorted;
use crate::program::Program;
use crate::row::Row;
use crate::storage::{Layout, Storage};
use chrono::{Duration, Utc};
use serde_json::{Value, json};
use std::time::Instant;

const LIST_SERVICES: &str = include_str!("../../ui/documents/ListServices.graphql");
const LIST_UPTIMES: &str = include_str!("../../ui/documents/ListUptimes.graphql");
const LIST_HISTORIES: &str = include_str!("../../ui/documents/ListHistories.graphql");
const LIST_INCIDENTS: &str = include_str!("../../ui/documents/ListIncidents.graphql");
const LIST_VENDOR_ANNOUNCEMENTS: &str =
    include_str!("../../ui/documents/ListVendorAnnouncements.graphql");
const GET_SERVICE: &str = include_str!("../../ui/documents/GetService.graphql");
const GET_LATENCY: &str = include_str!("../../ui/documents/GetLatency.graphql");
const LIST_CHECKS: &str = include_str!("../../ui/documents/ListChecks.graphql");

/// Number of services whose history the dashboard loads at a time.
const HISTORY_BATCH: usize = 40;

const TIMES: usize = 300;
const LIST_TIMES: usize = 50;

const AIM: &str = "p99 < 50 ms";

pub(crate) async fn measure() -> Vec<Row> {
    let mut rows = Vec::new();
    for layout in Layout::BOTH {
        let storage = Storage::new(layout).await;
        seed::fill(&storage).await;
        let mut program =
            Program::start(&storage, (layout == Layout::Postgres).then_some("api"), &[]);
        let api = Api::of(&mut program, seed::TOKEN).await;
        let complete_list = time_complete_list(&api).await;
        let ids = service_ids(&api).await;
        // Steps that meet every service in an arbitrary order.
        let id = |i: usize| json!({ "id": ids[i * 379 % ids.len()] });
        let batch = |i: usize| {
            let batches = ids.len() / HISTORY_BATCH;
            let start = i * 7 % batches * HISTORY_BATCH;
            json!({ "filter": { "ids": ids[start..start + HISTORY_BATCH] } })
        };
        let checks = |i: usize| json!({ "id": id(i)["id"], "first": 100, "after": null });
        let (from, to) = (Utc::now() - Duration::days(30), Utc::now());
        let month = |i: usize| {
            let filter = json!({ "serviceId": id(i)["id"], "from": from, "to": to });
            json!({ "id": id(i)["id"], "from": from, "to": to, "filter": filter })
        };
        let times = [
            (
                "ListServices, first page",
                api.time(LIST_SERVICES, TIMES, |_| json!({ "after": null }))
                    .await,
            ),
            (
                "ListUptimes, first page",
                api.time(LIST_UPTIMES, TIMES, |_| json!({ "after": null }))
                    .await,
            ),
            (
                "ListHistories, 40 services",
                api.time(LIST_HISTORIES, TIMES, batch).await,
            ),
            (
                "ListIncidents",
                api.time(
                    LIST_INCIDENTS,
                    TIMES,
                    |_| json!({ "filter": {}, "first": 50, "after": null }),
                )
                .await,
            ),
            (
                "ListVendorAnnouncements",
                api.time(LIST_VENDOR_ANNOUNCEMENTS, TIMES, |_| Value::Null)
                    .await,
            ),
            ("GetService", api.time(GET_SERVICE, TIMES, id).await),
            (
                "GetLatency, 30 days",
                api.time(GET_LATENCY, TIMES, month).await,
            ),
            ("ListChecks", api.time(LIST_CHECKS, TIMES, checks).await),
        ];
        rows.push(row(
            layout,
            "all pages of 1,000 services".into(),
            &complete_list,
            "p99 < 300 ms",
        ));
        for (document, times) in &times {
            rows.push(row(layout, (*document).into(), times, AIM));
        }
    }
    rows
}

fn row(layout: Layout, measure: String, times: &Times, aim: &'static str) -> Row {
    Row {
        measure,
        layout: layout.name(),
        result: times.say(),
        aim,
        figures: times.figures(),
    }
    .say()
}

/// Times loading all pages of the list of services, one after another as the dashboard does.
async fn time_complete_list(api: &Api) -> Times {
    let mut all = Vec::new();
    let mut bytes = 0;
    for _ in 0..=LIST_TIMES {
        let started = Instant::now();
        let mut after = Value::Null;
        bytes = 0;
        loop {
            let page = api.ask(LIST_SERVICES, &json!({ "after": after })).await;
            bytes += page.to_string().len();
            let info = &page["data"]["servicesPage"]["pageInfo"];
            if info["hasNextPage"] == false {
                break;
            }
            after = info["endCursor"].clone();
        }
        all.push(started.elapsed());
    }
    let first = all.remove(0);
    Times {
        first,
        others: Sorted::of(all),
        bytes,
    }
}

async fn service_ids(api: &Api) -> Vec<Value> {
    let all = api.ask("{ services { id } }", &Value::Null).await;
    let services = all["data"]["services"].as_array().unwrap();
    assert_eq!(services.len(), seed::SERVICES);
    services
        .iter()
        .map(|service| service["id"].clone())
        .collect()
}
