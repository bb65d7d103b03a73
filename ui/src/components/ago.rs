//! Instants: as a time of day, as a distance that ticks, always with the exact instant on hover.

use crate::{
    api::Moment,
    browser::{self, TimeStyle},
    format,
    store::use_store,
};
use dioxus::prelude::*;

/// How long ago `at` was; ticks. Draws itself only, not what it stands in.
#[component]
pub fn Ago(at: Moment) -> Element {
    let now = (use_store().clock)();
    rsx! {
        time { datetime: "{at}", title: browser::local_time(at, TimeStyle::Exact), {format::ago(now.since(at))} }
    }
}

/// How much time has passed from `from` until `until`, or until now; ticks while it is open.
#[component]
pub fn Since(from: Moment, #[props(!optional)] until: Option<Moment>) -> Element {
    let store = use_store();
    let until = until.unwrap_or_else(|| (store.clock)());
    rsx! {
        time { datetime: "{from}", title: browser::local_time(from, TimeStyle::Exact), {format::duration(until.since(from))} }
    }
}

/// The instant itself, in the person's time zone.
#[component]
pub fn At(at: Moment, #[props(default = TimeStyle::DayTime)] style: TimeStyle) -> Element {
    rsx! {
        time { datetime: "{at}", title: browser::local_time(at, TimeStyle::Exact), {browser::local_time(at, style)} }
    }
}
