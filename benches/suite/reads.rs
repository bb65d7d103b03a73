//! How fast pages are read when there is a long history behind them: a thousand services of one user with ninety days of
//! sums and five million single checks, asked over HTTP by one client, one request after another.

mod seed;

use crate::api::Api;
use crate::program::Program;
use crate::row::Row;
use crate::storage::{Layout, Storage};
use serde_json::{Value, json};

/// What the dashboard asks when it is opened.
const DASHBOARD: &str = "query Dashboard {
  services {
    id name category kind paused target
    current { status since checkedAt responseTimeMs statusCode message }
    uptime(window: MONTH) { percent degradedPercent coveragePercent }
    uptimeDays(days: 30) { date status percent coveragePercent }
    openIncident { id type state startedAt cause }
  }
  incidents(filter: { state: OPEN }) { totalCount edges { node { id type startedAt cause service { id } } } }
}";

/// What the page of one service asks.
const SERVICE: &str = "query Service($id: UUID!) {
  service(id: $id) {
    id name category kind paused target checkIntervalSeconds
    current { status since checkedAt responseTimeMs statusCode message }
    day: uptime(window: DAY) { percent degradedPercent coveragePercent }
    week: uptime(window: WEEK) { percent degradedPercent coveragePercent }
    month: uptime(window: MONTH) { percent degradedPercent coveragePercent }
    quarter: uptime(window: QUARTER) { percent degradedPercent coveragePercent }
    uptimeDays(days: 90) { date status percent coveragePercent }
    latency(window: MONTH) { at p50Ms p95Ms maxMs checks }
    incidents(first: 20) { totalCount edges { node { id type state startedAt resolvedAt cause } } }
  }
}";

const TIMES: usize = 300;

pub(crate) async fn measure() -> Vec<Row> {
    let mut rows = Vec::new();
    for layout in Layout::BOTH {
        let storage = Storage::new(layout).await;
        seed::fill(&storage).await;
        let mut program =
            Program::start(&storage, (layout == Layout::Postgres).then_some("api"), &[]);
        let api = Api::of(&mut program, seed::TOKEN).await;
        let dashboard = api.time(DASHBOARD, TIMES, |_| Value::Null).await;
        let services = api.ask("{ services { id } }", &Value::Null).await["data"]["services"]
            .as_array()
            .unwrap()
            .clone();
        assert_eq!(services.len(), seed::SERVICES);
        // A step that meets every service in an order of no meaning.
        let service = api
            .time(
                SERVICE,
                TIMES,
                |i| json!({ "id": services[i * 379 % services.len()]["id"] }),
            )
            .await;
        for (measure, times, aim) in [
            (
                "dashboard: 1,000 services, 90 days, 5,000,000 checks",
                &dashboard,
                "p50 < 15 ms, p99 < 50 ms",
            ),
            (
                "page of one service: 4 windows, 90 days, latency, incidents",
                &service,
                "p99 < 20 ms",
            ),
        ] {
            let (result, figures) = (times.say(), times.figures());
            rows.push(
                Row {
                    measure: measure.into(),
                    layout: layout.name(),
                    result,
                    aim,
                    figures,
                }
                .say(),
            );
        }
    }
    rows
}
