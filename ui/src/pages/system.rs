//! How this installation does, for those who run it: whether checks are made, and in time.

use crate::{
    api::{self, GetSystem, Problem, Scheduling, System},
    browser,
    components::{Ago, At, ProblemBox, RowSkeletons},
    format,
    hooks::use_asked,
};
use dioxus::prelude::*;
use std::fmt::Write as _;

/// How often it is asked for anew.
const AGAIN_AFTER_MS: u32 = 10_000;
const STEP: i64 = 5;
const WIDTH: i64 = 4;
const HEIGHT: f64 = 20.0;
const MINUTES: i64 = 60;

/// The page.
#[component]
pub fn SystemPage() -> Element {
    let asked = use_asked((), |()| async {
        let answer = api::request::<GetSystem>(()).await?;
        answer.system.ok_or_else(|| Problem::not_found("page"))
    });
    use_future(move || async move {
        loop {
            browser::sleep(AGAIN_AFTER_MS).await;
            asked.again();
        }
    });
    rsx! {
        div { class: "page narrow",
            header { class: "head",
                div { class: "what", h1 { "System" } }
            }
            match (&*asked.data.read(), &*asked.problem.read()) {
                (Some(system), _) => told(system),
                (None, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| asked.again() } },
                (None, None) => rsx! { RowSkeletons { rows: 6 } },
            }
        }
    }
}

fn told(system: &System) -> Element {
    let strokes = strokes(&system.minutes);
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
                    "aria-label": "Lateness of checks by minute; minutes with missed slots stand out",
                    view_box: "0 0 {width} {HEIGHT}",
                    preserve_aspect_ratio: "none",
                    for (class , path) in strokes {
                        path { key: "{class}", class, d: path }
                    }
                }
            }
            p { class: "dim ends",
                span { "lateness an hour ago" }
                span { "now" }
            }
        }
        section { class: "card", "aria-label": "Workers",
            h2 { "Workers" }
            match &system.workers {
                None => rsx! { p { "Redis does not answer: nobody knows who is at work." } },
                Some(workers) if workers.is_empty() => rsx! { p { "None is at work: nothing is checked." } },
                Some(workers) => rsx! {
                    ul { class: "lines",
                        for worker in workers {
                            li { key: "{worker.id}",
                                span { class: "name", "{worker.host}" }
                                span { class: "dim", "{worker.version}" }
                                span { class: "dim number", "since " At { at: worker.started_at } }
                                span { class: "dim number", "heard of " Ago { at: worker.heard_at } }
                            }
                        }
                    }
                },
            }
        }
    }
}

/// Label, value and remark of each figure.
fn tiles(system: &System) -> [[String; 3]; 5] {
    let hour = &system.last_hour;
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let time = |ms: Option<f64>| or_none(ms.map(format::response_time));
    let overdue = match system.overdue_ms {
        Some(ms) if ms >= 1000 => format!("overdue for {}", format::duration(ms.into())),
        Some(_) => "nothing is overdue".to_owned(),
        None => "Redis does not answer".to_owned(),
    };
    [
        [
            "Checks a second".to_owned(),
            or_none(system.checks_per_second.map(|rate| format!("{rate:.1}"))),
            format!("{} in the last hour", hour.checks),
        ],
        [
            "99 % begin within".to_owned(),
            time(hour.p99_ms),
            match hour.p50_ms {
                Some(_) => format!(
                    "half within {}, all within {}",
                    time(hour.p50_ms),
                    format::response_time(hour.max_ms.into())
                ),
                None => "nothing was checked".to_owned(),
            },
        ],
        [
            "Missed slots".to_owned(),
            hour.missed_slots.to_string(),
            "in the last hour".to_owned(),
        ],
        [
            "In the queue".to_owned(),
            or_none(system.queued.map(|queued| queued.to_string())),
            overdue,
        ],
        [
            system.database.clone(),
            format::bytes(system.database_bytes),
            format!("PulseCheck {}", system.version),
        ],
    ]
}

/// One stroke a minute, as high as checks were late; those with missed slots by themselves.
fn strokes(minutes: &[Scheduling]) -> [(&'static str, String); 2] {
    let mut paths = [("up", String::new()), ("down", String::new())];
    let highest = minutes
        .iter()
        .filter_map(|minute| minute.p99_ms)
        .fold(1.0, f64::max);
    let Some(last) = minutes.last() else {
        return paths;
    };
    for minute in minutes {
        let place = MINUTES - 1 - last.since.since(minute.since) / 60_000;
        let late = minute.p99_ms.unwrap_or_default() / highest * (HEIGHT - 1.0) + 1.0;
        let (_, path) = &mut paths[usize::from(minute.missed_slots > 0)];
        let _ = write!(
            path,
            "M{} {HEIGHT}v-{late:.1}h{WIDTH}V{HEIGHT}z",
            place * STEP
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
    fn minutes_stand_at_their_time_and_those_with_missed_slots_by_themselves() {
        let minutes = [
            minute(100, Some(95.0), 0),
            minute(102, None, 3),
            minute(103, Some(190.0), 0),
        ];
        let [(_, well), (class, missed)] = strokes(&minutes);
        assert_eq!(well, "M280 20v-10.5h4V20zM295 20v-20.0h4V20z");
        assert_eq!((class, missed.as_str()), ("down", "M290 20v-1.0h4V20z"));
        assert_eq!(strokes(&[])[0].1, "");
    }
}
