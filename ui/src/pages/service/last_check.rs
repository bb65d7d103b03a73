//! The phases of the last check, and the expiry of the certificate.

use crate::{
    browser::TimeStyle,
    components::{PhaseBar, Timestamp},
    format,
    store::{Entry, use_store},
};
use dioxus::prelude::*;

const DAY_MS: i64 = 86_400_000;
/// A certificate that expires within this time is highlighted.
const EXPIRES_SOON_MS: i64 = 21 * DAY_MS;

#[component]
pub(super) fn LastCheck(entry: Entry) -> Element {
    let clock = use_store().clock;
    let current = entry.current.read();
    let Some(current) = &*current else {
        return VNode::empty();
    };
    rsx! {
        section { class: "card", "aria-label": "Last check",
            h2 { "Last check" }
            PhaseBar { phases: current.phases, total: current.response_time_ms }
            if let Some(expires_at) = current.certificate_expires_at {
                p { class: if expires_at.since(clock()) < EXPIRES_SOON_MS { "certificate soon" } else { "certificate dim" },
                    if expires_at < clock() {
                        "Certificate expired on "
                    } else {
                        "Certificate valid for {format::duration(expires_at.since(clock()) / DAY_MS * DAY_MS)}, until "
                    }
                    Timestamp { at: expires_at, style: TimeStyle::Day }
                }
            }
        }
    }
}
