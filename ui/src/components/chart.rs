//! Response times over a window: p50 and p95 as lines, incidents shaded, exact values under the pointer, a table for those
//! who do not see it.

mod scale;

use crate::{
    api::{LatencyPoint, Moment, Status, Window},
    browser::{self, TimeStyle},
    format,
};
use dioxus::prelude::*;
use scale::{Scale, beginning, line, time_ticks, value_ticks};
use std::rc::Rc;

const HEIGHT: f64 = 208.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 22.0;
const LEFT: f64 = 52.0;

/// A stretch of time that is shaded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shade {
    /// Its beginning.
    pub from: Moment,
    /// Its end; `None` while it lasts.
    pub until: Option<Moment>,
    /// As which status.
    pub status: Status,
}

/// The chart of `window`, which ends at `until`.
#[component]
pub fn LatencyChart(points: Rc<Vec<LatencyPoint>>, window: Window, until: Moment, shades: Vec<Shade>) -> Element {
    let mut width = use_signal(|| 720.0_f64);
    let mut chosen = use_signal(|| None::<usize>);
    let values = points.clone();
    let highest = values.iter().filter_map(|point| point.p95_ms.or(point.p50_ms)).fold(0.0, f64::max);
    if highest <= 0.0 {
        return rsx! {
            p { class: "nothing dim", "No answers were measured in the last {window.label()}." }
        };
    }
    let ticks = value_ticks(highest);
    let first = values.iter().find(|point| point.p50_ms.is_some()).map_or(until, |point| point.at);
    let from = beginning(window, until, first);
    let scale = Scale {
        left: LEFT,
        right: width(),
        top: TOP,
        bottom: HEIGHT - BOTTOM,
        from,
        until,
        highest: ticks.last().copied().unwrap_or(highest),
    };
    let p50 = line(&scale, values.iter().map(|point| (point.at, point.p50_ms)));
    let p95 = line(&scale, values.iter().map(|point| (point.at, point.p95_ms)));
    let count = values.len();
    let focus = chosen().and_then(|index| values.get(index).copied());

    let choose = move |event: MouseEvent| {
        let x = event.element_coordinates().x;
        let near = nearest(&scale, &points, x);
        if *chosen.peek() != near {
            chosen.set(near);
        }
    };
    let step = move |event: KeyboardEvent| {
        let at = chosen.peek().unwrap_or(count.saturating_sub(1));
        let next = match event.key() {
            Key::ArrowLeft => at.saturating_sub(1),
            Key::ArrowRight => (at + 1).min(count.saturating_sub(1)),
            Key::Home => 0,
            Key::End => count.saturating_sub(1),
            _ => return,
        };
        event.prevent_default();
        chosen.set(Some(next));
    };
    rsx! {
        figure { class: "chart", onresize: move |event| {
                if let Ok(size) = event.get_content_box_size() {
                    width.set(size.width.max(240.0));
                }
            },
            svg {
                role: "img",
                "aria-label": "Response times of the last {window.label()}: {told_in_short(&values)}. Left and right arrow tell single values.",
                tabindex: "0",
                width: "{width}",
                height: "{HEIGHT}",
                view_box: "0 0 {width} {HEIGHT}",
                onmousemove: choose,
                onmouseleave: move |_| chosen.set(None),
                onblur: move |_| chosen.set(None),
                onkeydown: step,
                for shade in &shades {
                    {shaded(&scale, *shade)}
                }
                for value in &ticks {
                    g { key: "{value}", class: "tick",
                        line { x1: "{LEFT}", x2: "{width}", y1: "{scale.y(*value):.1}", y2: "{scale.y(*value):.1}" }
                        text { x: "{LEFT - 8.0}", y: "{scale.y(*value) + 4.0:.1}", text_anchor: "end", {format::response_time(*value)} }
                    }
                }
                for at in time_ticks(from, until) {
                    text { key: "{at}", class: "tick", x: "{scale.x(at):.1}", y: "{HEIGHT - 4.0}", text_anchor: "middle",
                        {browser::local_time(at, if until.since(from) <= 36 * 3_600_000 { TimeStyle::ShortTime } else { TimeStyle::Day })}
                    }
                }
                path { class: "p95", d: "{p95}" }
                path { class: "p50", d: "{p50}" }
                for point in alone(&values) {
                    circle { key: "{point.at}", class: "p50", cx: "{scale.x(point.at):.1}", cy: "{scale.y(point.p50_ms.unwrap_or_default()):.1}", r: "2" }
                }
                if let Some(point) = focus {
                    line { class: "cross", x1: "{scale.x(point.at):.1}", x2: "{scale.x(point.at):.1}", y1: "{TOP}", y2: "{HEIGHT - BOTTOM}" }
                    if let Some(value) = point.p95_ms {
                        circle { class: "p95", cx: "{scale.x(point.at):.1}", cy: "{scale.y(value):.1}", r: "3" }
                    }
                    if let Some(value) = point.p50_ms {
                        circle { class: "p50", cx: "{scale.x(point.at):.1}", cy: "{scale.y(value):.1}", r: "3" }
                    }
                }
                rect { class: "reach", width: "{width}", height: "{HEIGHT}" }
            }
            figcaption { "aria-live": "polite",
                if let Some(point) = focus {
                    span { class: "when", {browser::local_time(point.at, TimeStyle::DayTime)} }
                    span { class: "key p50", "p50 " b { {told(point.p50_ms)} } }
                    span { class: "key p95", "p95 " b { {told(point.p95_ms)} } }
                    span { class: "key", "slowest " b { {told(point.max_ms)} } }
                    span { class: "dim", {format::count(usize::try_from(point.checks).unwrap_or_default(), "check")} }
                } else {
                    span { class: "key p50", "p50: half of the answers were faster" }
                    span { class: "key p95", "p95: nearly all were" }
                }
            }
        }
        details { class: "as-table",
            summary { "Show as a table" }
            Values { points: values.clone() }
        }
    }
}

/// The values as a table.
#[component]
fn Values(points: Rc<Vec<LatencyPoint>>) -> Element {
    rsx! {
        div { class: "scroll", tabindex: "0", role: "region", "aria-label": "Response times",
            table { class: "table",
                thead {
                    tr {
                        th { scope: "col", "From" }
                        th { scope: "col", class: "number", "p50" }
                        th { scope: "col", class: "number", "p95" }
                        th { scope: "col", class: "number", "Slowest" }
                        th { scope: "col", class: "number", "Checks" }
                    }
                }
                tbody {
                    for point in points.iter().filter(|point| point.checks > 0) {
                        tr { key: "{point.at}",
                            td { class: "number left", {browser::local_time(point.at, TimeStyle::DayTime)} }
                            td { class: "number", {told(point.p50_ms)} }
                            td { class: "number", {told(point.p95_ms)} }
                            td { class: "number", {told(point.max_ms)} }
                            td { class: "number", "{point.checks}" }
                        }
                    }
                }
            }
        }
    }
}

fn shaded(scale: &Scale, shade: Shade) -> Element {
    let until = shade.until.unwrap_or(scale.until).min(scale.until);
    if until <= scale.from || shade.from >= scale.until {
        return VNode::empty();
    }
    let (x1, x2) = (scale.x(shade.from.max(scale.from)), scale.x(until));
    rsx! {
        rect {
            key: "{shade.from}",
            class: "shade {shade.status.word()}",
            x: "{x1:.1}",
            y: "{TOP}",
            width: "{(x2 - x1).max(2.0):.1}",
            height: "{scale.bottom - scale.top}",
        }
    }
}

/// Measurements without a neighbour, through which no line goes.
fn alone(points: &[LatencyPoint]) -> Vec<LatencyPoint> {
    let measured = |index: usize| points.get(index).is_some_and(|point| point.p50_ms.is_some());
    let lonely = |index: usize| measured(index) && !measured(index + 1) && (index == 0 || !measured(index - 1));
    points.iter().enumerate().filter(|(index, _)| lonely(*index)).map(|(_, point)| *point).collect()
}

fn nearest(scale: &Scale, points: &[LatencyPoint], x: f64) -> Option<usize> {
    let distance = |point: &LatencyPoint| (scale.x(point.at) - x).abs();
    let measured = points.iter().enumerate().filter(|(_, point)| point.p50_ms.is_some());
    measured.min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b))).map(|(index, _)| index)
}

fn told(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), format::response_time)
}

fn told_in_short(points: &[LatencyPoint]) -> String {
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    for value in points.iter().filter_map(|point| point.p50_ms) {
        (low, high) = (low.min(value), high.max(value));
    }
    format!("p50 between {} and {}", format::response_time(low.min(high)), format::response_time(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_795_356_190_000);

    fn point(hours_ago: i64, p50: Option<f64>) -> LatencyPoint {
        let checks = i32::from(p50.is_some()) * 120;
        LatencyPoint {
            at: Moment(NOW.0 - hours_ago * 3_600_000),
            p50_ms: p50,
            p95_ms: p50.map(|v| v * 2.0),
            max_ms: p50,
            checks,
        }
    }

    fn render(points: Vec<LatencyPoint>) -> String {
        #[component]
        fn Page(points: Vec<LatencyPoint>) -> Element {
            let points = Rc::new(points);
            let shade = Shade { from: Moment(NOW.0 - 7_200_000), until: None, status: Status::Down };
            rsx! {
                LatencyChart { points, window: Window::Day, until: NOW, shades: vec![shade] }
            }
        }
        let mut dom = VirtualDom::new_with_props(Page, PageProps { points });
        dom.rebuild_in_place();
        dioxus_ssr::render(&dom)
    }

    #[test]
    fn a_gap_in_the_measurements_is_a_gap_in_the_line() {
        let html = render(vec![
            point(4, Some(80.0)),
            point(3, Some(90.0)),
            point(2, None),
            point(1, Some(85.0)),
            point(0, Some(81.0)),
        ]);
        let line = html.split("class=\"p50\" d=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert_eq!(line.matches('M').count(), 2, "{line}");
        assert!(html.contains("shade down"), "{html}");
        assert!(html.contains("p50 between 80 ms and 90 ms"), "{html}");
    }

    #[test]
    fn the_table_holds_what_was_measured() {
        let html = render(vec![point(2, None), point(1, Some(1234.0))]);
        assert!(html.contains("1.23 s") && html.contains("2.47 s") && html.contains("120"), "{html}");
    }

    #[test]
    fn without_measurements_the_chart_says_so() {
        assert!(render(vec![point(1, None)]).contains("No answers were measured in the last 24 h"));
    }
}
