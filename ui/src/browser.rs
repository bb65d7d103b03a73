//! What only a browser has: network, clock, time zone, storage, document.
//!
//! The only module that uses `web_sys`. On the host, where tests render components to strings,
//! there is no network and no document, and the time zone is UTC.

#[cfg(not(target_arch = "wasm32"))]
mod host;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use host::*;
#[cfg(target_arch = "wasm32")]
pub(crate) use web::*;

use crate::api::Moment;

/// The response to a request.
#[derive(Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// When it was cached, if the service worker answered in place of the server.
    pub(crate) cached_at: Option<Moment>,
}

/// There was no response.
#[derive(Debug)]
pub(crate) struct NetworkError;

/// The format of a time in the user's language and time zone.
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

/// A pressed key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// The browser's name of the key: `a`, `Enter`, `ArrowDown`.
    pub(crate) name: String,
    /// Whether Control, Alt or Meta was held.
    pub(crate) modified: bool,
    /// Whether Control or Meta was held, and nothing else.
    pub(crate) command: bool,
}
