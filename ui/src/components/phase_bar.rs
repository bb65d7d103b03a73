//! How long each phase of a check took.

use crate::{api::Phases, format};
use dioxus::prelude::*;

/// The phases in proportion to their durations, with a legend.
#[component]
pub fn PhaseBar(phases: Phases, total: Option<i32>) -> Element {
    let parts = parts(phases, total);
    let sum: i32 = parts.iter().map(|(.., millis)| millis).sum();
    if parts.is_empty() || sum <= 0 {
        return rsx! { p { class: "dim", "No phase was measured." } };
    }
    let mut start = 0;
    let rects: Vec<_> = parts
        .iter()
        .map(|(class, _, millis)| {
            let from = start;
            start += millis;
            (*class, from, *millis)
        })
        .collect();
    rsx! {
        svg { class: "phases", view_box: "0 0 {sum} 8", preserve_aspect_ratio: "none", "aria-hidden": "true",
            for (class , from , millis) in rects {
                rect { key: "{class}", class, x: "{from}", width: "{millis}", height: "8" }
            }
        }
        dl { class: "legend",
            for (class , label , millis) in parts {
                div { key: "{class}", class: "phase {class}",
                    dt { {label} }
                    dd { {format::response_time(f64::from(millis))} }
                }
            }
        }
    }
}

/// Returns CSS class, label and duration of each phase.
fn parts(phases: Phases, total: Option<i32>) -> Vec<(&'static str, &'static str, i32)> {
    let mut parts: Vec<_> = [
        ("dns", "DNS", phases.dns_ms),
        ("connect", "Connect", phases.connect_ms),
        ("tls", "TLS", phases.tls_ms),
        ("first-byte", "First byte", phases.first_byte_ms),
    ]
    .into_iter()
    .filter_map(|(class, label, millis)| Some((class, label, millis?)))
    .collect();
    let known: i32 = parts.iter().map(|(.., millis)| millis).sum();
    if let Some(rest) = total.map(|total| total - known).filter(|rest| *rest > 0) {
        parts.push(("rest", "Body", rest));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_time_is_the_body() {
        let phases = Phases {
            dns_ms: Some(5),
            connect_ms: Some(10),
            tls_ms: None,
            first_byte_ms: Some(30),
        };
        let labels: Vec<_> = parts(phases, Some(50))
            .into_iter()
            .map(|(_, label, millis)| (label, millis))
            .collect();
        assert_eq!(
            labels,
            [("DNS", 5), ("Connect", 10), ("First byte", 30), ("Body", 5)]
        );
        assert_eq!(parts(phases, Some(45)).len(), 3);
        assert!(parts(Phases::default(), None).is_empty());
    }
}
