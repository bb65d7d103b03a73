//! The chart of response times: p50 and p95 as lines, incidents and maintenance as shaded periods.
//! Exact values under the pointer or by the arrow keys, zoom by dragging, and a table for screen
//! readers.

mod caption;
mod plot;
mod pointer;
mod points;
mod scale;
mod shaded_period;
mod table;

use crate::{
    api::{LatencyPoint, Moment},
    browser,
};
use dioxus::{html::input_data::MouseButton, prelude::*};
use plot::Plot;
use pointer::{PointerState, is_drag};
use points::{describe_point, describe_range};
pub use shaded_period::ShadedPeriod;
use std::rc::Rc;

/// The id of the SVG element.
const ID: &str = "response-times";

/// The chart of the response times between two times.
#[component]
pub fn LatencyChart(
    points: Rc<Vec<LatencyPoint>>,
    from: Moment,
    until: Moment,
    shaded_periods: Rc<Vec<ShadedPeriod>>,
    /// The range in words, as in "the last 24 h".
    range_label: String,
    /// Called with the range to zoom in to, or with `None` to zoom out.
    onzoom: EventHandler<Option<(Moment, Moment)>>,
) -> Element {
    let mut width = use_signal(|| 720.0_f64);
    let pointer = PointerState::use_state();
    let Some(plot) = Plot::new(&points, from, until, width()) else {
        return rsx! {
            p { class: "nothing dim", "No response times were measured in {range_label}." }
        };
    };
    let plot = Rc::new(plot);
    let last = plot.points.len().saturating_sub(1);
    let selected = (pointer.selected)();
    let focus = selected.and_then(|index| plot.points.get(index).copied());
    let (on_down, on_move, on_key) = (plot.clone(), plot.clone(), plot.clone());
    let scale = plot.scale;
    rsx! {
        figure { class: "chart", onresize: move |event| {
                if let Ok(size) = event.get_content_box_size() {
                    width.set(size.width.max(240.0));
                }
            },
            svg {
                id: ID,
                role: "slider",
                "aria-label": "Response times of {range_label}: {describe_range(&plot.points)}. Use the arrow keys to read values, Enter to zoom in, Escape to zoom out.",
                "aria-valuemin": "0",
                "aria-valuemax": "{last}",
                "aria-valuenow": "{selected.unwrap_or(last)}",
                "aria-valuetext": focus.map(|point| describe_point(&point)),
                tabindex: "0",
                width: "{width}",
                height: "{plot::HEIGHT}",
                view_box: "0 0 {width} {plot::HEIGHT}",
                onpointerdown: move |event| {
                    let x = scale.clamp(event.element_coordinates().x);
                    if event.trigger_button() == Some(MouseButton::Primary) {
                        browser::capture_pointer(ID, event.pointer_id());
                        pointer.set_drag(Some((x, x)));
                    }
                    pointer.move_to(&on_down, x);
                },
                onpointermove: move |event| pointer.move_to(&on_move, event.element_coordinates().x),
                onpointerup: move |_| {
                    if let Some((start, end)) = pointer.end_drag() {
                        pointer.select(None);
                        onzoom.call(Some(scale.range(start, end)));
                    }
                },
                onpointercancel: move |_| pointer.set_drag(None),
                // A lifted finger has left the chart too, but its value should stay readable.
                onpointerleave: move |event| {
                    if event.pointer_type() == "mouse" {
                        pointer.select(None);
                    }
                },
                onblur: move |_| pointer.select(None),
                onkeydown: move |event| pointer::handle_key(&event, pointer, &on_key, onzoom),
                {plot::render(&plot, &shaded_periods)}
                {plot::render_selection(&plot, (pointer.drag)().filter(is_drag), focus)}
                rect { class: "reach", width: "{width}", height: "{plot::HEIGHT}" }
            }
            {caption::render(focus, focus.and_then(|point| plot.status_at(&shaded_periods, point.at)))}
        }
        details { class: "as-table",
            summary { "Show as a table" }
            table::LatencyTable { points: plot.points.clone() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Status;

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
            let shaded_periods = vec![
                ShadedPeriod {
                    from: Moment(NOW.0 - 7_200_000),
                    until: None,
                    status: Status::Down,
                },
                ShadedPeriod {
                    from: Moment(NOW.0 - 90_000_000),
                    until: Some(Moment(NOW.0 - 89_000_000)),
                    status: Status::Degraded,
                },
            ];
            let from = Moment(NOW.0 - 86_400_000);
            rsx! {
                LatencyChart { points: Rc::new(points), from, until: NOW, shaded_periods: Rc::new(shaded_periods), range_label: "the last 24 h", onzoom: |_| {} }
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
    fn the_table_lists_the_measurements() {
        let html = render(vec![point(2, None), point(1, Some(1234.0))]);
        assert!(
            html.contains("1.23 s") && html.contains("2.47 s") && html.contains("120"),
            "{html}"
        );
    }

    #[test]
    fn without_measurements_the_chart_says_so() {
        let html = render(vec![point(1, None)]);
        assert!(
            html.contains("No response times were measured in the last 24 h"),
            "{html}"
        );
    }
}
