//! Response times over a stretch of time: p50 and p95 as lines, what happened meanwhile as shades, exact values under the
//! pointer or the arrow keys, a closer look by dragging, a table for those who do not see it.

mod scale;

use crate::{
    api::{LatencyPoint, Moment, Status},
    browser::{self, TimeStyle},
    components::status_badge,
    format,
};
use dioxus::{html::input_data::MouseButton, prelude::*};
use scale::{Scale, line, time_ticks, value_ticks};
use std::rc::Rc;

const HEIGHT: f64 = 208.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 22.0;
const LEFT: f64 = 52.0;
/// The picture's element.
const ID: &str = "response-times";
/// Who moves the pointer by fewer pixels has not dragged.
const DRAG: f64 = 8.0;

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

/// Where the hands are: pixels and places in the list of points.
#[derive(Clone, Copy)]
struct Hands {
    chosen: Signal<Option<usize>>,
    /// From where to where something is marked.
    held: Signal<Option<(f64, f64)>>,
}

impl Hands {
    fn choose(mut self, place: Option<usize>) {
        if *self.chosen.peek() != place {
            self.chosen.set(place);
        }
    }

    fn hold(mut self, marked: Option<(f64, f64)>) {
        if *self.held.peek() != marked {
            self.held.set(marked);
        }
    }

    /// The pointer is at `x`.
    fn point(self, scale: &Scale, points: &[LatencyPoint], x: f64) {
        self.choose(nearest(scale, points, x));
        let held = *self.held.peek();
        if let Some((start, _)) = held {
            self.hold(Some((start, x.clamp(LEFT, scale.right))));
        }
    }
}

/// The chart of what lies between two times.
#[component]
pub fn LatencyChart(
    points: Rc<Vec<LatencyPoint>>,
    from: Moment,
    until: Moment,
    shades: Rc<Vec<Shade>>,
    /// When that is, as in "the last 24 h".
    when: String,
    /// A closer look at what was marked, or `None`: one step back.
    onzoom: EventHandler<Option<(Moment, Moment)>>,
) -> Element {
    let mut width = use_signal(|| 720.0_f64);
    let hands = Hands {
        chosen: use_signal(|| None),
        held: use_signal(|| None),
    };
    // While finer points are on their way, those of a longer stretch are here.
    let values: Rc<Vec<LatencyPoint>> = Rc::new(within(&points, from, until));
    let highest = values
        .iter()
        .filter_map(|point| point.p95_ms.or(point.p50_ms))
        .fold(0.0, f64::max);
    if highest <= 0.0 {
        return rsx! {
            p { class: "nothing dim", "No answers were measured in {when}." }
        };
    }
    let ticks = value_ticks(highest);
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
    // Beside each other without touching.
    let room = if width() < 480.0 { 4 } else { 8 };
    let last = values.len().saturating_sub(1);
    let chosen = (hands.chosen)();
    let focus = chosen.and_then(|index| values.get(index).copied());
    let marked = (hands.held)().filter(is_dragged);
    let during = focus.and_then(|point| shade_at(&shades, point.at, step(&values), until));
    let style = if until.since(from) <= 36 * 3_600_000 {
        TimeStyle::ShortTime
    } else {
        TimeStyle::Day
    };

    let (touched, pointed, pressed) = (values.clone(), values.clone(), values.clone());
    let zoom = move |start: f64, end: f64| {
        hands.choose(None);
        onzoom.call(Some((scale.at(start.min(end)), scale.at(start.max(end)))));
    };
    let key = move |event: KeyboardEvent| {
        let at = hands.chosen.peek().unwrap_or(last);
        let next = match event.key() {
            Key::ArrowLeft => at.saturating_sub(1),
            Key::ArrowRight => (at + 1).min(last),
            Key::Home => 0,
            Key::End => last,
            Key::Enter => {
                let middle = pressed
                    .get(at)
                    .map_or(scale.right, |point| scale.x(point.at));
                let quarter = (scale.right - scale.left) / 4.0;
                event.prevent_default();
                return zoom(middle - quarter, middle + quarter);
            }
            Key::Escape => {
                hands.hold(None);
                return onzoom.call(None);
            }
            _ => return,
        };
        event.prevent_default();
        hands.choose(Some(next));
    };
    rsx! {
        figure { class: "chart", onresize: move |event| {
                if let Ok(size) = event.get_content_box_size() {
                    width.set(size.width.max(240.0));
                }
            },
            svg {
                id: ID,
                role: "slider",
                "aria-label": "Response times of {when}: {told_in_short(&values)}. Arrow keys tell single values, Enter looks closer, Escape goes back.",
                "aria-valuemin": "0",
                "aria-valuemax": "{last}",
                "aria-valuenow": "{chosen.unwrap_or(last)}",
                "aria-valuetext": focus.map(|point| spoken(&point)),
                tabindex: "0",
                width: "{width}",
                height: "{HEIGHT}",
                view_box: "0 0 {width} {HEIGHT}",
                onpointerdown: move |event| {
                    let x = event.element_coordinates().x.clamp(LEFT, scale.right);
                    if event.trigger_button() == Some(MouseButton::Primary) {
                        browser::hold_pointer(ID, event.pointer_id());
                        hands.hold(Some((x, x)));
                    }
                    hands.point(&scale, &touched, x);
                },
                onpointermove: move |event| hands.point(&scale, &pointed, event.element_coordinates().x),
                onpointerup: move |_| {
                    let held = *hands.held.peek();
                    hands.hold(None);
                    if let Some((start, end)) = held.filter(is_dragged) {
                        zoom(start, end);
                    }
                },
                onpointercancel: move |_| hands.hold(None),
                // A finger that is lifted has left as well, and one wants to read what it pointed at.
                onpointerleave: move |event| {
                    if event.pointer_type() == "mouse" {
                        hands.choose(None);
                    }
                },
                onblur: move |_| hands.choose(None),
                onkeydown: key,
                for (number , shade) in shades.iter().enumerate() {
                    {shaded(&scale, number, *shade)}
                }
                for value in &ticks {
                    g { key: "{value}", class: "tick",
                        line { x1: "{LEFT}", x2: "{width}", y1: "{scale.y(*value):.1}", y2: "{scale.y(*value):.1}" }
                        text { x: "{LEFT - 8.0}", y: "{scale.y(*value) + 4.0:.1}", text_anchor: "end", {format::response_time(*value)} }
                    }
                }
                for at in time_ticks(from, until, room) {
                    text { key: "{at}", class: "tick", x: "{scale.x(at):.1}", y: "{HEIGHT - 4.0}", text_anchor: "middle",
                        {browser::local_time(at, style)}
                    }
                }
                path { class: "p95", d: "{p95}" }
                path { class: "p50", d: "{p50}" }
                for point in alone(&values) {
                    circle { key: "{point.at}", class: "p50", cx: "{scale.x(point.at):.1}", cy: "{scale.y(point.p50_ms.unwrap_or_default()):.1}", r: "2" }
                }
                if let Some((start, end)) = marked {
                    rect {
                        class: "marked",
                        x: "{start.min(end):.1}",
                        y: "{TOP}",
                        width: "{(end - start).abs():.1}",
                        height: "{scale.bottom - scale.top}",
                    }
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
            figcaption {
                if let Some(point) = focus {
                    span { class: "when", {browser::local_time(point.at, TimeStyle::DayTime)} }
                    span { class: "key p50", "p50 " b { {told(point.p50_ms)} } }
                    span { class: "key p95", "p95 " b { {told(point.p95_ms)} } }
                    span { class: "key", "slowest " b { {told(point.max_ms)} } }
                    span { class: "dim", {checks(&point)} }
                    if let Some(status) = during {
                        {status_badge(status, false)}
                    }
                } else {
                    span { class: "key p50", "p50: half of the answers were faster" }
                    span { class: "key p95", "p95: nearly all were" }
                    span { class: "key hint", "Drag to look closer" }
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

fn is_dragged((start, end): &(f64, f64)) -> bool {
    (end - start).abs() >= DRAG
}

/// The points that begin between two times, and the one that had begun by the first.
fn within(points: &[LatencyPoint], from: Moment, until: Moment) -> Vec<LatencyPoint> {
    let earliest = Moment(from.0 - step(points));
    points
        .iter()
        .filter(|point| point.at > earliest && point.at <= until)
        .copied()
        .collect()
}

/// How long a point is, in milliseconds.
fn step(points: &[LatencyPoint]) -> i64 {
    match points {
        [first, second, ..] => second.at.since(first.at),
        _ => 60_000,
    }
}

/// What was going on in the `step` milliseconds from `at` on.
fn shade_at(shades: &[Shade], at: Moment, step: i64, until: Moment) -> Option<Status> {
    let touches = |shade: &&Shade| shade.from.0 < at.0 + step && shade.until.unwrap_or(until) >= at;
    shades
        .iter()
        .filter(touches)
        .map(|shade| shade.status)
        .max_by_key(|status| status.severity())
}

fn shaded(scale: &Scale, number: usize, shade: Shade) -> Element {
    let until = shade.until.unwrap_or(scale.until).min(scale.until);
    if until <= scale.from || shade.from >= scale.until {
        return VNode::empty();
    }
    let (x1, x2) = (scale.x(shade.from.max(scale.from)), scale.x(until));
    rsx! {
        rect {
            key: "{number}",
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
    let measured = |index: usize| {
        points
            .get(index)
            .is_some_and(|point| point.p50_ms.is_some())
    };
    let lonely = |index: usize| {
        measured(index) && !measured(index + 1) && (index == 0 || !measured(index - 1))
    };
    points
        .iter()
        .enumerate()
        .filter(|(index, _)| lonely(*index))
        .map(|(_, point)| *point)
        .collect()
}

fn nearest(scale: &Scale, points: &[LatencyPoint], x: f64) -> Option<usize> {
    let distance = |point: &LatencyPoint| (scale.x(point.at) - x).abs();
    let measured = points
        .iter()
        .enumerate()
        .filter(|(_, point)| point.p50_ms.is_some());
    measured
        .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)))
        .map(|(index, _)| index)
}

fn checks(point: &LatencyPoint) -> String {
    format::count(usize::try_from(point.checks).unwrap_or_default(), "check")
}

/// A point for those who do not see it.
fn spoken(point: &LatencyPoint) -> String {
    let when = browser::local_time(point.at, TimeStyle::DayTime);
    format!(
        "{when}: p50 {}, p95 {}, {}",
        told(point.p50_ms),
        told(point.p95_ms),
        checks(point)
    )
}

fn told(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), format::response_time)
}

fn told_in_short(points: &[LatencyPoint]) -> String {
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    for value in points.iter().filter_map(|point| point.p50_ms) {
        (low, high) = (low.min(value), high.max(value));
    }
    format!(
        "p50 between {} and {}",
        format::response_time(low.min(high)),
        format::response_time(high)
    )
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
            let shades = vec![
                Shade {
                    from: Moment(NOW.0 - 7_200_000),
                    until: None,
                    status: Status::Down,
                },
                Shade {
                    from: Moment(NOW.0 - 90_000_000),
                    until: Some(Moment(NOW.0 - 89_000_000)),
                    status: Status::Degraded,
                },
            ];
            let from = Moment(NOW.0 - 86_400_000);
            rsx! {
                LatencyChart { points: Rc::new(points), from, until: NOW, shades: Rc::new(shades), when: "the last 24 h", onzoom: |_| {} }
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
        let line = html
            .split("class=\"p50\" d=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap();
        assert_eq!(line.matches('M').count(), 2, "{line}");
        assert!(
            html.contains("shade down") && !html.contains("shade degraded"),
            "{html}"
        );
        assert!(
            html.contains("of the last 24 h: p50 between 80 ms and 90 ms"),
            "{html}"
        );
    }

    #[test]
    fn the_table_holds_what_was_measured() {
        let html = render(vec![point(2, None), point(1, Some(1234.0))]);
        assert!(
            html.contains("1.23 s") && html.contains("2.47 s") && html.contains("120"),
            "{html}"
        );
    }

    #[test]
    fn without_measurements_the_chart_says_so() {
        assert!(render(vec![point(1, None)]).contains("No answers were measured in the last 24 h"));
    }

    #[test]
    fn only_points_in_sight_are_drawn_and_the_one_that_reaches_in() {
        let points: Vec<_> = (0..10).rev().map(|ago| point(ago, Some(80.0))).collect();
        let half = |hours: i64| Moment(NOW.0 - hours * 3_600_000 - 1_800_000);
        let seen = within(&points, half(5), half(2));
        assert_eq!(
            seen.iter()
                .map(|point| point.at.since(NOW) / -3_600_000)
                .collect::<Vec<_>>(),
            [6, 5, 4, 3]
        );
    }

    #[test]
    fn a_value_is_told_with_what_went_on_meanwhile() {
        let at = |minutes: i64| Moment(NOW.0 - minutes * 60_000);
        let shade = |from, until, status| Shade {
            from: at(from),
            until,
            status,
        };
        let shades = [
            shade(60, Some(at(50)), Status::Degraded),
            shade(55, Some(at(52)), Status::Down),
            shade(5, None, Status::Maintenance),
        ];
        let told = |minutes| shade_at(&shades, at(minutes), 120_000, NOW);
        assert_eq!(
            [told(63), told(61), told(54), told(49)],
            [None, Some(Status::Degraded), Some(Status::Down), None]
        );
        assert_eq!([told(8), told(1)], [None, Some(Status::Maintenance)]);
        assert_eq!(
            spoken(&point(1, Some(80.0))),
            "2026-11-22 13:03: p50 80 ms, p95 160 ms, 120 checks"
        );
    }
}
