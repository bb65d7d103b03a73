//! What only a browser has: network, clock, time zone, storage, document.
//!
//! The only module that uses `web_sys`. On the host, where tests render components to strings,
//! there is no network and no document, and the time zone is UTC.

#[cfg(not(target_arch = "wasm32"))]
mod host;
mod key;
mod notification;
mod response;
mod time_style;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use host::*;
pub(crate) use key::Key;
pub(crate) use notification::Notification;
pub(crate) use response::HttpResponse;
pub use time_style::TimeStyle;
#[cfg(target_arch = "wasm32")]
pub(crate) use web::*;
