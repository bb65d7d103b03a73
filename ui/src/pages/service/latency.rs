//! The response times over a window, or zoomed in to a range.

use crate::{
    Route,
    api::{
        self, GetLatency, IncidentFilter, LatencyPoint, LatencyVariables, Moment, Problem, Status,
    },
    browser::{self, TimeStyle},
    components::{LatencyChart, ProblemBox, ShadedPeriod},
    hooks::{QueryState, use_polling, use_query},
    router::{CHART_WINDOWS, ChartRange},
    store::Entry,
};
use dioxus::prelude::*;
use std::rc::Rc;

/// How often the chart is refetched.
const CHART_POLL_MS: u32 = 60_000;

/// The data of the chart.
struct ChartData {
    requested_at: Moment,
    points: Rc<Vec<LatencyPoint>>,
    shaded_periods: Rc<Vec<ShadedPeriod>>,
}

impl ChartData {
    /// Returns the beginning and the end of the chart for `range`, which may differ from the range
    /// of this data. A window is shown as long as its label says, however new the service is.
    fn bounds(&self, range: ChartRange) -> (Moment, Moment) {
        range.bounds(self.requested_at)
    }
}

async fn load_chart(
    id: uuid::Uuid,
    created_at: Moment,
    range: ChartRange,
) -> Result<ChartData, Problem> {
    let requested_at = browser::now();
    let (from, to) = range.bounds(requested_at);
    let filter = IncidentFilter {
        service_id: Some(id),
        from: Some(from),
        to: Some(to),
        ..Default::default()
    };
    let variables = LatencyVariables {
        id,
        from,
        to,
        filter,
    };
    let response = api::request::<GetLatency>(variables).await?;
    let service = response
        .service
        .ok_or_else(|| Problem::not_found("service"))?;
    let incidents = response.incidents.into_nodes();
    let incidents = incidents.into_iter().map(|incident| ShadedPeriod {
        from: incident.started_at,
        until: incident.resolved_at,
        status: incident.kind.status(),
    });
    let maintenances = service.maintenances.into_iter().filter_map(|maintenance| {
        Some(ShadedPeriod {
            from: maintenance.scheduled_for?,
            until: maintenance.scheduled_until,
            status: Status::Maintenance,
        })
    });
    Ok(ChartData {
        requested_at,
        points: Rc::new(since_creation(service.latency_between, created_at)),
        shaded_periods: Rc::new(maintenances.chain(incidents).collect()),
    })
}

/// Moves the beginning of the first measured point to the creation of the service, if it lies before:
/// a service has no response times from before it existed, but a point sums up some time.
fn since_creation(points: Vec<LatencyPoint>, created_at: Moment) -> Vec<LatencyPoint> {
    let points = points.into_iter().map(|point| match point.p50_ms {
        Some(_) => LatencyPoint {
            at: point.at.max(created_at),
            ..point
        },
        None => point,
    });
    points.collect()
}

/// Loads the chart now, when the range or the status changes, and from time to time.
fn use_chart(entry: Entry, range: ChartRange) -> QueryState<ChartData> {
    let id = entry.id;
    let created_at = entry.service.peek().created_at;
    let status_revision = (entry.status_revision)();
    let chart = use_query((range, status_revision), move |(range, _)| {
        load_chart(id, created_at, range)
    });
    use_polling(chart, CHART_POLL_MS);
    chart
}

#[component]
pub(super) fn LatencySection(entry: Entry, chart_range: ChartRange) -> Element {
    let chart = use_chart(entry, chart_range);
    let show = |range: ChartRange| Route::current().with_chart_range(range).replace();
    let zoom = move |range: Option<(Moment, Moment)>| {
        let now = browser::now();
        show(match range {
            Some((from, until)) => ChartRange::zoom_in(from, until, now),
            None => chart_range.zoom_out(now),
        });
    };
    rsx! {
        section { class: "card", "aria-label": "Response time",
            div { class: "card-head",
                h2 { "Response time" }
                div { class: "tools",
                    if let ChartRange::Between(from, until) = chart_range {
                        span { class: "dim number", {format!("{} – {}", format_time(from), format_time(until))} }
                        button { class: "button", r#type: "button", onclick: move |_| zoom(None), "Zoom out" }
                    }
                    div { class: "segments", role: "group", "aria-label": "Window",
                        for window in CHART_WINDOWS {
                            button {
                                key: "{window.label()}",
                                r#type: "button",
                                "aria-pressed": if chart_range == ChartRange::Last(window) { "true" } else { "false" },
                                onclick: move |_| show(ChartRange::Last(window)),
                                {window.label()}
                            }
                        }
                    }
                }
            }
            match (&*chart.data.read(), &*chart.problem.read()) {
                (Some(data), _) => {
                    let (from, until) = data.bounds(chart_range);
                    let (points, shaded_periods) = (data.points.clone(), data.shaded_periods.clone());
                    rsx! { LatencyChart { points, from, until, shaded_periods, range_label: range_label(chart_range), onzoom: zoom } }
                }
                (None, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| chart.refetch() } },
                (None, None) => rsx! { div { class: "skeleton chart-skeleton" } },
            }
        }
    }
}

fn range_label(range: ChartRange) -> String {
    match range {
        ChartRange::Last(window) => format!("the last {}", window.label()),
        ChartRange::Between(from, until) => format!(
            "the time from {} to {}",
            format_time(from),
            format_time(until)
        ),
    }
}

fn format_time(at: Moment) -> String {
    browser::local_time(at, TimeStyle::DayTime)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Window;

    #[test]
    fn the_chart_of_a_new_service_is_as_long_as_its_label_says() {
        let until = Moment(1_795_356_190_000);
        let created_at = Moment(until.0 - 60_000);
        let point = |minutes_ago: i64, p50_ms| LatencyPoint {
            at: Moment(until.0 - minutes_ago * 60_000),
            p50_ms,
            p95_ms: p50_ms,
            max_ms: p50_ms,
            checks: 1,
        };
        let points = since_creation(
            vec![point(10, None), point(5, Some(80.0)), point(0, Some(90.0))],
            created_at,
        );
        let times: Vec<i64> = points.iter().map(|point| until.since(point.at)).collect();
        assert_eq!(
            times,
            [600_000, 60_000, 0],
            "none is from before it existed"
        );
        let data = ChartData {
            requested_at: until,
            points: Rc::new(points),
            shaded_periods: Rc::default(),
        };
        let (from, to) = data.bounds(ChartRange::Last(Window::Day));
        assert_eq!((to, to.since(from)), (until, Window::Day.millis()));
    }

    #[test]
    fn another_range_is_shown_before_its_points_arrive() {
        let at = Moment(1_795_356_190_000);
        let data = ChartData {
            requested_at: at,
            points: Rc::default(),
            shaded_periods: Rc::default(),
        };
        let week = ChartRange::Last(Window::Week);
        assert_eq!(data.bounds(week), week.bounds(at));
        assert_eq!(range_label(week), "the last 7 d");
        let zoomed = ChartRange::Between(Moment(at.0 - 3_600_000), at);
        assert_eq!(data.bounds(zoomed), (Moment(at.0 - 3_600_000), at));
        assert_eq!(
            range_label(zoomed),
            "the time from 2026-11-22 13:03 to 2026-11-22 14:03"
        );
    }
}
