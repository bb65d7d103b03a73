//! The state of the installation, for its operators: the scheduler and the workers.

use crate::{
    api::{self, GetSystem, Problem, Scheduling, System, Worker},
    components::{ProblemBox, RowSkeletons, TimeAgo, Timestamp},
    format,
    hooks::{use_polling, use_query},
};
use dioxus::prelude::*;
use std::fmt::Write as _;

/// How often the page is refetched.
const POLL_MS: u32 = 10_000;
const STEP: i64 = 5;
const WIDTH: i64 = 4;
const HEIGHT: f64 = 20.0;
const MINUTES: i64 = 60;

#[component]
pub fn SystemPage() -> Element {
    let query = use_query((), |()| async {
        let response = api::request::<GetSystem>(()).await?;
        response.system.ok_or_else(|| Problem::not_found("page"))
    });
    use_polling(query, POLL_MS);
    rsx! {
        div { class: "page narrow",
            header { class: "head",
                div { class: "what", h1 { "System" } }
            }
            match (&*query.data.read(), &*query.problem.read()) {
                (Some(system), _) => rsx! {
                    {render_scheduling(system)}
                    {render_workers(system.workers.as_deref())}
                },
                (None, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| query.refetch() } },
                (None, None) => rsx! { RowSkeletons { rows: 6 } },
            }
        }
    }
}

fn render_scheduling(system: &System) -> Element {
    let bars = lateness_bars(&system.minutes);
    let width = MINUTES * STEP - 1;
    rsx! {
        section { class: "card", "aria-label": "Scheduling",
            div { class: "tiles",
                for [label , value , remark] in tiles(system) {
                    div { key: "{label}", class: "tile",
                        span { class: "label", "{label}" }
                        b { class: "number", "{value}" }
                        span { class: "dim number", "{remark}" }
                    }
                }
            }
            div { class: "days-wide",
                svg {
                    class: "bar",
                    role: "img",
                    "aria-label": "Check delay per minute. Minutes with missed slots are highlighted.",
                    view_box: "0 0 {width} {HEIGHT}",
                    preserve_aspect_ratio: "none",
                    for (class , path) in bars {
                        path { key: "{class}", class, d: path }
                    }
                }
            }
            p { class: "dim ends",
                span { "check delay, 60 min ago" }
                span { "now" }
            }
        }
    }
}

fn render_workers(workers: Option<&[Worker]>) -> Element {
    rsx! {
        section { class: "card", "aria-label": "Workers",
            h2 { "Workers" }
            match workers {
                None => rsx! { p { "Worker status is unavailable, because Redis does not respond." } },
                Some([]) => rsx! { p { "No workers are connected. Checks are not running." } },
                Some(workers) => rsx! {
                    ul { class: "lines",
                        for worker in workers {
                            li { key: "{worker.id}",
                                span { class: "name", "{worker.host}" }
                                span { class: "dim", "{worker.version}" }
                                span { class: "dim number", "since " Timestamp { at: worker.started_at } }
                                span { class: "dim number", "last seen " TimeAgo { at: worker.heard_at } }
                            }
                        }
                    }
                },
            }
        }
    }
}

/// Returns label, value and remark of each tile.
fn tiles(system: &System) -> [[String; 3]; 5] {
    let hour = &system.last_hour;
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let time = |ms: Option<f64>| or_dash(ms.map(format::response_time));
    let overdue = match system.overdue_ms {
        Some(ms) if ms >= 1000 => format!("overdue for {}", format::duration(ms.into())),
        Some(_) => "none overdue".to_owned(),
        None => "Redis does not respond".to_owned(),
    };
    [
        [
            "Checks per second".to_owned(),
            or_dash(system.checks_per_second.map(|rate| format!("{rate:.1}"))),
            format!("{} in the last hour", hour.checks),
        ],
        [
            "Check delay p99".to_owned(),
            time(hour.p99_ms),
            match hour.p50_ms {
                Some(_) => format!(
                    "median {}, max {}",
                    time(hour.p50_ms),
                    format::response_time(hour.max_ms.into())
                ),
                None => "no checks".to_owned(),
            },
        ],
        [
            "Missed slots".to_owned(),
            hour.missed_slots.to_string(),
            "in the last hour".to_owned(),
        ],
        [
            "Queued".to_owned(),
            or_dash(system.queued.map(|queued| queued.to_string())),
            overdue,
        ],
        [
            system.database.clone(),
            format::bytes(system.database_bytes),
            format!("PulseCheck {}", system.version),
        ],
    ]
}

/// Returns a bar per minute, as high as the checks were late; minutes with missed slots in a path
/// of their own.
fn lateness_bars(minutes: &[Scheduling]) -> [(&'static str, String); 2] {
    let mut paths = [("up", String::new()), ("down", String::new())];
    let highest = minutes
        .iter()
        .filter_map(|minute| minute.p99_ms)
        .fold(1.0, f64::max);
    let Some(last) = minutes.last() else {
        return paths;
    };
    for minute in minutes {
        let index = MINUTES - 1 - last.since.since(minute.since) / 60_000;
        let height = minute.p99_ms.unwrap_or_default() / highest * (HEIGHT - 1.0) + 1.0;
        let (_, path) = &mut paths[usize::from(minute.missed_slots > 0)];
        let _ = write!(
            path,
            "M{} {HEIGHT}v-{height:.1}h{WIDTH}V{HEIGHT}z",
            index * STEP
        );
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Moment;

    fn minute(number: i64, p99_ms: Option<f64>, missed_slots: i32) -> Scheduling {
        let since = Moment(number * 60_000);
        Scheduling {
            since,
            checks: 60,
            missed_slots,
            p50_ms: p99_ms,
            p99_ms,
            max_ms: 7,
        }
    }

    #[test]
    fn minutes_with_missed_slots_have_their_own_path() {
        let minutes = [
            minute(100, Some(95.0), 0),
            minute(102, None, 3),
            minute(103, Some(190.0), 0),
        ];
        let [(_, on_time), (class, missed)] = lateness_bars(&minutes);
        assert_eq!(on_time, "M280 20v-10.5h4V20zM295 20v-20.0h4V20z");
        assert_eq!((class, missed.as_str()), ("down", "M290 20v-1.0h4V20z"));
        assert_eq!(lateness_bars(&[])[0].1, "");
    }
}
