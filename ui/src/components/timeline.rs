//! What happened in the course of an incident.

use crate::{api::IncidentEvent, browser::TimeStyle, components::At};
use dioxus::prelude::*;

/// The events, oldest first.
#[component]
pub fn Timeline(events: Vec<IncidentEvent>) -> Element {
    rsx! {
        ol { class: "timeline",
            for (number , event) in events.iter().enumerate() {
                li { key: "{number}", class: "event {event.kind.to_ascii_lowercase()}",
                    At { at: event.at, style: TimeStyle::Time }
                    span { "{event.message}" }
                }
            }
        }
    }
}
