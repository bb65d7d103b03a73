//! The bar that is shown while the connection is lost.

use crate::{
    browser::{self, TimeStyle},
    store::{Connection, use_store},
};
use dioxus::prelude::*;

#[component]
pub(super) fn ConnectionBar() -> Element {
    let connection = use_store().connection;
    let text = match ((connection.state)(), (connection.cached_since)()) {
        (_, Some(cached_since)) => format!(
            "Offline. Showing data from {}.",
            browser::local_time(cached_since, TimeStyle::DayTime)
        ),
        (Connection::Lost(since), None) => format!(
            "Connection lost at {}. Showing the last known state.",
            browser::local_time(since, TimeStyle::Time)
        ),
        (_, None) => return VNode::empty(),
    };
    rsx! {
        div { class: "lost", role: "status", "{text} Reconnecting…" }
    }
}
