//! The dashboard in the browser.
//!
//! `api` asks the server, `live` listens to it, `store` holds what both said, `pages` fetch and compose, `components`
//! take props and send events, `format` writes for people, and only `browser` touches what a browser alone has.

pub mod api;
mod backoff;
pub mod browser;
pub mod components;
pub mod format;
mod hooks;
pub mod list;
mod live;
pub mod pages;
pub mod palette;
mod routes;
mod shortcuts;
pub mod store;

pub use pages::App;
pub use routes::Route;

/// Starts the dashboard in the page's element `main`, in place of the skeleton that the page brings along.
#[cfg(target_arch = "wasm32")]
pub fn launch() {
    browser::clear("main");
    dioxus::web::launch::launch_cfg(App, dioxus::web::Config::new());
}

/// There is no page outside a browser.
#[cfg(not(target_arch = "wasm32"))]
pub fn launch() {}
