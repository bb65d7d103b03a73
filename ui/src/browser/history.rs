//! The addresses that were visited, as the router needs them.
//!
//! In place of the one that comes with Dioxus: it keeps the empty query of an address out of sight, leaves the page where it
//! is when an address is only replaced, and does not bring half of a document interface along.

use super::web::{listen_to, window};
use dioxus_history::History;
use std::sync::Arc;
use wasm_bindgen::JsValue;

/// The browser's own history.
pub(crate) struct PageHistory;

fn tidy(address: &str) -> &str {
    address.strip_suffix('?').unwrap_or(address)
}

impl History for PageHistory {
    fn current_route(&self) -> String {
        let location = window().location();
        let [path, query, hash] =
            [location.pathname(), location.search(), location.hash()].map(Result::unwrap_or_default);
        format!("{path}{query}{hash}")
    }

    fn go_back(&self) {
        if let Ok(history) = window().history() {
            let _ = history.back();
        }
    }

    fn go_forward(&self) {
        if let Ok(history) = window().history() {
            let _ = history.forward();
        }
    }

    fn push(&self, route: String) {
        if tidy(&route) == self.current_route() {
            return;
        }
        if let Ok(history) = window().history() {
            let _ = history.push_state_with_url(&JsValue::NULL, "", Some(tidy(&route)));
            window().scroll_to_with_x_and_y(0.0, 0.0);
        }
    }

    fn replace(&self, route: String) {
        if let Ok(history) = window().history() {
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(tidy(&route)));
        }
    }

    fn external(&self, url: String) -> bool {
        window().location().set_href(&url).is_ok()
    }

    fn updater(&self, callback: Arc<dyn Fn() + Send + Sync>) {
        // For as long as the page lives.
        std::mem::forget(listen_to(window().into(), "popstate", move |_| callback()));
    }
}
