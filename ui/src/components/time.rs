//! Times: a point in time, or a ticking duration, with the exact time on hover.

use crate::{
    api::Moment,
    browser::{self, TimeStyle},
    format,
    store::use_store,
};
use dioxus::prelude::*;

/// How long ago something was. Ticks by itself, without rendering its parent.
#[component]
pub fn TimeAgo(at: Moment) -> Element {
    let now = (use_store().clock)();
    rsx! {
        time { datetime: "{at}", title: browser::local_time(at, TimeStyle::Exact), {format::ago(now.since(at))} }
    }
}

/// The duration between two times. Without an end it lasts until now, and ticks.
#[component]
pub fn Elapsed(from: Moment, #[props(!optional)] until: Option<Moment>) -> Element {
    let store = use_store();
    let until = until.unwrap_or_else(|| (store.clock)());
    rsx! {
        time { datetime: "{from}", title: browser::local_time(from, TimeStyle::Exact), {format::duration(until.since(from))} }
    }
}

/// A point in time, in the user's time zone.
#[component]
pub fn Timestamp(at: Moment, #[props(default = TimeStyle::DayTime)] style: TimeStyle) -> Element {
    rsx! {
        time { datetime: "{at}", title: browser::local_time(at, TimeStyle::Exact), {browser::local_time(at, style)} }
    }
}
