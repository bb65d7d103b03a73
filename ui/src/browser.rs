//! Everything that only a browser has: network, clock, time zone, storage, document.
//!
//! The only module that touches `web_sys`. On the host, where components are rendered to strings in tests, there is no
//! network and no document, and the time zone is UTC.

#[cfg(not(target_arch = "wasm32"))]
mod host;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(not(target_arch = "wasm32"))]
use host as imp;
#[cfg(target_arch = "wasm32")]
use web as imp;

#[cfg(target_arch = "wasm32")]
pub(crate) use imp::{Arrival, Socket, clear};
pub(crate) use imp::{
    address, bring_into_sight, close_dialog, close_popover, copy, drag, focus, focus_if_lost,
    focus_if_there, hold_pointer, host_of, in_dialog, in_rows, is_typing, listen, listen_keys,
    listen_sight, local_time, locales, lowercase, may_notify, notify, now, number, open_dialog,
    origin, post, post_at_the_end, push_address, random, reload, remember, remembered,
    replace_address, set_icon, set_list_width, set_theme, set_title, set_zone, show, sight, sleep,
    spawn, uppercase, zones,
};

use crate::api::Moment;

/// What came back from a request.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The HTTP status code.
    pub(crate) status: u16,
    /// The body as text.
    pub(crate) body: String,
    /// When this was answered, if it is an answer that the browser kept for times without a connection.
    pub(crate) kept: Option<Moment>,
}

/// No answer came.
#[derive(Debug)]
pub(crate) struct NoAnswer;

/// How an instant is written for people, in their language and time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeStyle {
    /// `14:03:10`
    Time,
    /// `14:03`
    ShortTime,
    /// `22 Nov, 14:03`
    DayTime,
    /// `22 Nov, 14:03:10`
    DaySecond,
    /// `22 Nov`
    Day,
    /// `Sunday, 22 November`
    LongDay,
    /// `22 Nov 2026, 14:03:10 CET`
    Exact,
}

/// A key that was pressed, as the shortcuts need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// As the browser names it: `a`, `Enter`, `ArrowDown`.
    pub(crate) name: String,
    /// Whether Control, Alt or Meta was held.
    pub(crate) modified: bool,
    /// Whether Control or Meta was held, and nothing else.
    pub(crate) command: bool,
}
