//! A status as shape, colour and word. The colour is never the only signal.

use crate::api::{Current, Status};
use dioxus::prelude::*;

/// Draws the shape without the word.
pub fn status_mark(status: Status, paused: bool) -> Element {
    let class = if paused {
        "mark paused".to_owned()
    } else {
        format!("mark {}", status.word())
    };
    rsx! {
        svg { class, view_box: "0 0 12 12", width: "12", height: "12", "aria-hidden": "true",
            if paused {
                path { d: "M2.5 2h2.5v8h-2.5zM7 2h2.5v8h-2.5z" }
            } else {
                match status {
                    Status::Up => rsx! { circle { cx: "6", cy: "6", r: "5" } },
                    Status::Degraded => rsx! { path { d: "M6 .8 11.6 11H.4z" } },
                    Status::Down => rsx! { rect { x: "1", y: "1", width: "10", height: "10", rx: "1" } },
                    Status::Maintenance => rsx! { path { d: "M6 .2 11.8 6 6 11.8.2 6z" } },
                    Status::Unknown => rsx! {
                        circle { cx: "6", cy: "6", r: "4.2", fill: "none", stroke: "currentColor", stroke_width: "1.6" }
                    },
                }
            }
        }
    }
}

/// Draws the shape with the word.
pub fn status_badge(status: Status, paused: bool) -> Element {
    let (class, word) = if paused {
        ("paused", "Paused")
    } else {
        (status.word(), status.label())
    };
    rsx! {
        span { class: "badge {class}",
            {status_mark(status, paused)}
            span { class: "word", {word} }
        }
    }
}

/// Draws the status of a service by its last check. Before the first one it is being checked.
pub fn service_badge(current: Option<&Current>, paused: bool) -> Element {
    match current {
        Some(current) => status_badge(current.status, paused),
        None if paused => status_badge(Status::Unknown, true),
        None => rsx! {
            span { class: "badge unknown checking",
                {status_mark(Status::Unknown, false)}
                span { class: "word", "Checking…" }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_a_result_is_being_checked() {
        let html = dioxus_ssr::render_element(service_badge(None, false));
        assert!(
            html.contains("Checking…") && !html.contains("Unknown"),
            "{html}"
        );
        let html = dioxus_ssr::render_element(service_badge(None, true));
        assert!(html.contains("Paused"), "{html}");
    }

    #[test]
    fn every_status_has_a_word_and_a_shape_of_its_own() {
        let rendered: Vec<_> = Status::WORST_FIRST
            .map(|status| dioxus_ssr::render_element(status_badge(status, false)))
            .into();
        for (status, html) in Status::WORST_FIRST.iter().zip(&rendered) {
            assert!(html.contains(&format!(">{}<", status.label())), "{html}");
        }
        let shape = |html: &String| {
            html.split("aria-hidden=true>")
                .nth(1)
                .or(html.split("aria-hidden=\"true\">").nth(1))
                .map(str::to_owned)
        };
        let shapes: std::collections::BTreeSet<_> = rendered.iter().filter_map(shape).collect();
        assert_eq!(shapes.len(), 5, "{rendered:?}");
    }

    #[test]
    fn a_paused_service_is_shown_as_paused() {
        let html = dioxus_ssr::render_element(status_badge(Status::Down, true));
        assert!(html.contains("Paused") && !html.contains("Down"), "{html}");
    }
}
