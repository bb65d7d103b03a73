//! The uptime of the last days, one bar per day.

use crate::{
    api::{History, Moment, Status, UptimeDay},
    browser::{self, TimeStyle},
    components::tooltip::{Tooltip, use_tooltip},
    format,
};
use dioxus::prelude::*;
use std::rc::Rc;

const STEP: usize = 5;
const WIDTH: usize = 4;
const HEIGHT: usize = 20;
const DAY_MS: i64 = 86_400_000;

/// One bar per day, oldest first, with a tooltip. Days of the same status share a path, which makes
/// five nodes of thirty.
#[component]
pub fn DayBar(
    history: ReadSignal<Option<Rc<History>>>,
    /// The number of incidents on each day, if known.
    #[props(default)]
    incidents: Rc<Vec<i32>>,
    /// The width in pixels; 5 per day if absent.
    width: Option<f64>,
) -> Element {
    let tooltip = use_tooltip();
    let current = history.read();
    let days = current
        .as_ref()
        .map(|history| history.uptime_days.as_slice())
        .unwrap_or_default();
    #[allow(clippy::cast_precision_loss, reason = "below a thousand")]
    let natural_width = (days.len().max(1) * STEP - 1) as f64;

    let show = move |event: MouseEvent| {
        let (element, client) = (event.element_coordinates(), event.client_coordinates());
        let scale = width
            .filter(|width| *width > 0.0)
            .map_or(1.0, |width| width / natural_width);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a pixel in the bar"
        )]
        let index = (element.x.max(0.0) / scale) as usize / STEP;
        let current = history.peek();
        let Some(day) = current
            .as_ref()
            .and_then(|history| history.uptime_days.get(index))
        else {
            return tooltip.hide();
        };
        #[allow(clippy::cast_precision_loss, reason = "below a thousand")]
        let middle = client.x - element.x + (index * STEP + WIDTH / 2) as f64 * scale;
        let lines = tooltip_lines(day, incidents.get(index).copied());
        tooltip.show(Tooltip {
            lines,
            x: middle,
            y: client.y - element.y,
        });
    };
    rsx! {
        svg {
            class: "bar",
            role: "img",
            "aria-label": describe(days),
            view_box: "0 0 {natural_width} {HEIGHT}",
            preserve_aspect_ratio: "none",
            width: "{natural_width}",
            height: "{HEIGHT}",
            onmousemove: show,
            onmouseleave: move |_| tooltip.hide(),
            for (class , path) in bar_paths(days) {
                path { key: "{class}", class, d: path }
            }
            rect { class: "reach", width: "{natural_width}", height: "{HEIGHT}" }
        }
    }
}

/// The same, as wide as its container.
#[component]
pub fn WideDayBar(history: ReadSignal<Option<Rc<History>>>, incidents: Rc<Vec<i32>>) -> Element {
    let mut width = use_signal(|| 0.0_f64);
    rsx! {
        div {
            class: "days-wide",
            onresize: move |event| {
                if let Ok(size) = event.get_content_box_size() {
                    width.set(size.width);
                }
            },
            DayBar { history, incidents, width: width() }
        }
    }
}

/// Returns the bars of each CSS class as one path.
fn bar_paths(days: &[UptimeDay]) -> Vec<(&'static str, String)> {
    let mut paths: Vec<(&'static str, String)> = Vec::new();
    for (index, day) in days.iter().enumerate() {
        let class = day_class(day);
        let bar = format!("M{} 0h{WIDTH}v{HEIGHT}h-{WIDTH}z", index * STEP);
        match paths.iter_mut().find(|(known, _)| *known == class) {
            Some((_, path)) => path.push_str(&bar),
            None => paths.push((class, bar)),
        }
    }
    paths
}

fn day_class(day: &UptimeDay) -> &'static str {
    if day.coverage_percent <= 0.0 {
        "none"
    } else {
        day.status.word()
    }
}

fn tooltip_lines(day: &UptimeDay, incidents: Option<i32>) -> Vec<String> {
    let mut lines = day_lines(&day.date);
    match day.percent.filter(|_| day.coverage_percent > 0.0) {
        None => lines.push("No data".to_owned()),
        Some(percent) => {
            lines.push(format!("{} uptime", format::percent(percent)));
            if let Some(degraded) = day.degraded_percent.filter(|degraded| *degraded >= 0.01) {
                lines.push(format!("{} degraded", format::percent(degraded)));
            }
            if day.status != Status::Up {
                lines.push(format!("At worst {}", day.status.word()));
            }
            if day.coverage_percent < 99.5 {
                lines.push(format!(
                    "{} coverage",
                    format::percent(day.coverage_percent)
                ));
            }
        }
    }
    if let Some(incidents) = incidents.and_then(|incidents| usize::try_from(incidents).ok()) {
        lines.push(if incidents == 0 {
            "No incidents".to_owned()
        } else {
            format::count(incidents, "incident")
        });
    }
    lines
}

/// Names a day of the bar, which is one in UTC, and in other zones when it begins and ends there.
fn day_lines(date: &str) -> Vec<String> {
    let mut lines = vec![format!("{date} (UTC day)")];
    if let Some(start) = Moment::parse(&format!("{date}T00:00:00Z")) {
        let begins = browser::local_time(start, TimeStyle::DayTime);
        if begins != browser::local_time(start, TimeStyle::UtcDayTime) {
            let ends = browser::local_time(Moment(start.0 + DAY_MS), TimeStyle::DayTime);
            lines.push(format!("{begins} to {ends} in your time zone"));
        }
    }
    lines
}

/// Describes the bar for screen readers.
fn describe(days: &[UptimeDay]) -> String {
    let count = |wanted: Status| {
        days.iter()
            .filter(|day| day.coverage_percent > 0.0 && day.status == wanted)
            .count()
    };
    let mut parts = Vec::new();
    for status in [Status::Down, Status::Degraded] {
        if count(status) > 0 {
            parts.push(format!(
                "{} {}",
                format::count(count(status), "day"),
                status.word()
            ));
        }
    }
    let summary = if parts.is_empty() {
        "no downtime".to_owned()
    } else {
        parts.join(", ")
    };
    format!("Last {}: {summary}", format::count(days.len(), "day"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(status: Status, percent: Option<f64>, coverage: f64) -> UptimeDay {
        let degraded_percent = percent.map(|_| {
            if status == Status::Degraded {
                12.5
            } else {
                0.0
            }
        });
        UptimeDay {
            date: "2026-11-22".into(),
            status,
            percent,
            degraded_percent,
            coverage_percent: coverage,
        }
    }

    #[test]
    fn the_tooltip_shows_what_is_special_about_a_day() {
        assert_eq!(
            tooltip_lines(&day(Status::Up, Some(100.0), 100.0), None),
            ["2026-11-22 (UTC day)", "100 % uptime"]
        );
        assert_eq!(
            tooltip_lines(&day(Status::Up, Some(100.0), 100.0), Some(0)),
            ["2026-11-22 (UTC day)", "100 % uptime", "No incidents"]
        );
        assert_eq!(
            tooltip_lines(&day(Status::Degraded, Some(100.0), 100.0), Some(1)),
            [
                "2026-11-22 (UTC day)",
                "100 % uptime",
                "12.5 % degraded",
                "At worst degraded",
                "1 incident"
            ]
        );
        assert_eq!(
            tooltip_lines(&day(Status::Down, Some(97.5), 50.0), Some(3)),
            [
                "2026-11-22 (UTC day)",
                "97.5 % uptime",
                "At worst down",
                "50 % coverage",
                "3 incidents"
            ]
        );
        assert_eq!(
            tooltip_lines(&day(Status::Unknown, None, 0.0), None),
            ["2026-11-22 (UTC day)", "No data"]
        );
    }

    #[test]
    fn days_of_the_same_status_share_a_path() {
        let days = [
            day(Status::Up, Some(100.0), 100.0),
            day(Status::Down, Some(0.0), 100.0),
            day(Status::Up, Some(100.0), 100.0),
        ];
        let paths = bar_paths(&days);
        assert_eq!(paths.len(), 2);
        assert_eq!(paths[0], ("up", "M0 0h4v20h-4zM10 0h4v20h-4z".to_owned()));
        assert_eq!(describe(&days), "Last 3 days: 1 day down");
    }
}
