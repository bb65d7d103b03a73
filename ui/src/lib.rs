//! The dashboard in the browser.
//!
//! `api` sends requests, `live` receives updates, `store` holds the data of both. `pages` fetch and
//! compose, `components` take props and send events, `format` formats for people, and only
//! `browser` uses the browser's own functions.

pub mod api;
mod backoff;
pub mod browser;
pub mod components;
pub mod format;
pub mod fuzzy_search;
mod hooks;
pub mod list;
mod live;
mod monitor_kind;
mod name_order;
pub mod pages;
pub mod router;
pub mod store;

pub use pages::App;
pub use router::Route;

/// Starts the dashboard in the element `main`, in place of the skeleton in the HTML.
#[cfg(target_arch = "wasm32")]
pub fn launch() {
    browser::clear("main");
    dioxus::web::launch::launch_cfg(App, dioxus::web::Config::new());
}

/// Does nothing: outside of a browser there is no page.
#[cfg(not(target_arch = "wasm32"))]
pub fn launch() {}
