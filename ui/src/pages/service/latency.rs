//! Response times over a window of choice.

use crate::{
    api::{self, GetLatency, Incident, LatencyVariables, Problem, Window},
    browser,
    components::{LatencyChart, ProblemBox, Shade},
    hooks::use_asked,
};
use cynic::QueryBuilder;
use dioxus::prelude::*;
use std::rc::Rc;
use uuid::Uuid;

/// How often the chart is drawn with newer points.
const AGAIN_AFTER_MS: u32 = 60_000;
const WINDOWS: [Window; 3] = [Window::Day, Window::Week, Window::Month];

/// The chart with its choice of windows.
#[component]
pub(super) fn Latency(id: Uuid, incidents: Signal<Option<Vec<Incident>>>) -> Element {
    let mut window = use_signal(Window::default);
    let asked = use_asked((id, window()), |(id, window)| async move {
        let answer = api::request(GetLatency::build(LatencyVariables { id, window })).await?;
        let points = answer.service.ok_or_else(|| Problem::not_found("service"))?.latency;
        Ok((window, browser::now(), Rc::new(points)))
    });
    use_future(move || async move {
        loop {
            browser::sleep(AGAIN_AFTER_MS).await;
            asked.again();
        }
    });
    let shades: Vec<Shade> = incidents
        .read()
        .iter()
        .flatten()
        .map(|incident| Shade {
            from: incident.started_at,
            until: incident.resolved_at,
            status: incident.kind.status(),
        })
        .collect();
    rsx! {
        section { class: "card", "aria-label": "Response time",
            div { class: "card-head",
                h2 { "Response time" }
                div { class: "segments", role: "group", "aria-label": "Window",
                    for choice in WINDOWS {
                        button {
                            key: "{choice.label()}",
                            r#type: "button",
                            "aria-pressed": if choice == window() { "true" } else { "false" },
                            onclick: move |_| window.set(choice),
                            {choice.label()}
                        }
                    }
                }
            }
            match (&*asked.data.read(), &*asked.problem.read()) {
                (Some((window, until, points)), _) => rsx! {
                    LatencyChart { points: points.clone(), window: *window, until: *until, shades }
                },
                (None, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| asked.again() } },
                (None, None) => rsx! { div { class: "skeleton chart-skeleton" } },
            }
        }
    }
}
