//! The timeline of an incident.

use crate::{api::IncidentEvent, browser::TimeStyle, components::time::Timestamp, format};
use dioxus::prelude::*;

/// The events, oldest first.
#[component]
pub fn Timeline(events: Vec<IncidentEvent>) -> Element {
    rsx! {
        ol { class: "timeline",
            for (index , event) in events.iter().enumerate() {
                li { key: "{index}", class: "event {event.kind.to_ascii_lowercase()}",
                    Timestamp { at: event.at, style: TimeStyle::Time }
                    span { {format::capitalise(&event.message)} }
                }
            }
        }
    }
}
