//! Response times over a window of choice, or a closer look at a part of it.

use super::query::{Shown, WINDOWS};
use crate::{
    Route,
    api::{
        self, GetLatency, IncidentFilter, LatencyPoint, LatencyVariables, Moment, Problem, Status,
        Window,
    },
    browser::{self, TimeStyle},
    components::{LatencyChart, ProblemBox, Shade},
    hooks::use_asked,
    store::Entry,
};
use dioxus::prelude::*;
use std::rc::Rc;

/// How often the chart is drawn with newer points.
const AGAIN_AFTER_MS: u32 = 60_000;

/// What was told.
struct Told {
    /// In answer to what.
    shown: Shown,
    /// When it was asked for.
    at: Moment,
    points: Rc<Vec<LatencyPoint>>,
    shades: Rc<Vec<Shade>>,
}

/// The chart with its choice of windows.
#[component]
pub(super) fn Latency(entry: Entry, shown: Shown) -> Element {
    let id = entry.id;
    // A change of status may have opened or ended an incident.
    let flips = (entry.flips)();
    let asked = use_asked((shown, flips), move |(shown, _)| async move {
        let at = browser::now();
        let (from, to) = shown.times(at);
        let filter = IncidentFilter {
            service_id: Some(id),
            from: Some(from),
            to: Some(to),
            ..Default::default()
        };
        let answer = api::request::<GetLatency>(LatencyVariables {
            id,
            from,
            to,
            filter,
        })
        .await?;
        let service = answer
            .service
            .ok_or_else(|| Problem::not_found("service"))?;
        let incidents = answer.incidents.edges.into_iter().map(|edge| Shade {
            from: edge.node.started_at,
            until: edge.node.resolved_at,
            status: edge.node.kind.status(),
        });
        let maintenances = service.maintenances.into_iter().filter_map(|maintenance| {
            let until = maintenance.scheduled_until;
            Some(Shade {
                from: maintenance.scheduled_for?,
                until,
                status: Status::Maintenance,
            })
        });
        let shades = Rc::new(maintenances.chain(incidents).collect());
        Ok(Told {
            shown,
            at,
            points: Rc::new(service.latency_between),
            shades,
        })
    });
    use_future(move || async move {
        loop {
            browser::sleep(AGAIN_AFTER_MS).await;
            asked.again();
        }
    });
    let show = move |shown: Shown| {
        Route::here().with_shown(shown).open_instead();
    };
    let zoom = move |marked: Option<(Moment, Moment)>| {
        let now = browser::now();
        show(match marked {
            Some((from, until)) => Shown::closer(from, until, now),
            None => shown.wider(now),
        });
    };
    rsx! {
        section { class: "card", "aria-label": "Response time",
            div { class: "card-head",
                h2 { "Response time" }
                div { class: "tools",
                    if let Shown::Between(from, until) = shown {
                        span { class: "dim number", {format!("{} – {}", moment(from), moment(until))} }
                        button { class: "button", r#type: "button", onclick: move |_| zoom(None), "Zoom out" }
                    }
                    div { class: "segments", role: "group", "aria-label": "Window",
                        for window in WINDOWS {
                            button {
                                key: "{window.label()}",
                                r#type: "button",
                                "aria-pressed": if shown == Shown::Last(window) { "true" } else { "false" },
                                onclick: move |_| show(Shown::Last(window)),
                                {window.label()}
                            }
                        }
                    }
                }
            }
            match (&*asked.data.read(), &*asked.problem.read()) {
                (Some(told), _) => {
                    let (from, until) = told.times(shown);
                    let (points, shades) = (told.points.clone(), told.shades.clone());
                    rsx! { LatencyChart { points, from, until, shades, when: when(shown), onzoom: zoom } }
                }
                (None, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| asked.again() } },
                (None, None) => rsx! { div { class: "skeleton chart-skeleton" } },
            }
        }
    }
}

impl Told {
    /// What the picture spans when `shown` is to be shown: at once, even if this is the answer to something else.
    fn times(&self, shown: Shown) -> (Moment, Moment) {
        let (from, until) = shown.times(self.at);
        let first = self
            .points
            .iter()
            .find(|point| point.p50_ms.is_some())
            .map(|point| point.at);
        match (shown, first) {
            (Shown::Last(window), Some(first)) if shown == self.shown => {
                (beginning(window, until, first), until)
            }
            _ => (from, until),
        }
    }
}

/// Where the picture begins: with the window, or shortly before the first measurement when most of the window lies before it.
fn beginning(window: Window, until: Moment, first: Moment) -> Moment {
    const LEAST: i64 = 30 * 60_000;
    let measured = until.since(first);
    let span = if measured < window.millis() / 2 {
        (measured + measured / 20).max(LEAST)
    } else {
        window.millis()
    };
    Moment(until.0 - span)
}

fn when(shown: Shown) -> String {
    match shown {
        Shown::Last(window) => format!("the last {}", window.label()),
        Shown::Between(from, until) => {
            format!("the time from {} to {}", moment(from), moment(until))
        }
    }
}

fn moment(at: Moment) -> String {
    browser::local_time(at, TimeStyle::DayTime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_young_service_fills_the_picture() {
        let until = Moment(1_795_356_190_000);
        let ago = |minutes: i64| Moment(until.0 - minutes * 60_000);
        assert_eq!(beginning(Window::Day, until, ago(1)), ago(30));
        assert_eq!(beginning(Window::Day, until, ago(100)), ago(105));
        assert_eq!(beginning(Window::Day, until, ago(13 * 60)), ago(24 * 60));
    }

    #[test]
    fn another_stretch_is_shown_before_its_points_have_come() {
        let at = Moment(1_795_356_190_000);
        let told = Told {
            shown: Shown::default(),
            at,
            points: Rc::default(),
            shades: Rc::default(),
        };
        let week = Shown::Last(Window::Week);
        assert_eq!(told.times(week), week.times(at));
        assert_eq!(when(week), "the last 7 d");
        let closer = Shown::Between(Moment(at.0 - 3_600_000), at);
        assert_eq!(told.times(closer), (Moment(at.0 - 3_600_000), at));
        assert_eq!(
            when(closer),
            "the time from 2026-11-22 13:03 to 2026-11-22 14:03"
        );
    }
}
