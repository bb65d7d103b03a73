//! The browser's own functions, through `web_sys`.

mod document;
mod events;
mod global;
mod http;
mod notifications;
mod socket;
mod time;

pub(crate) use document::*;
pub(crate) use events::*;
pub(crate) use http::{post, post_keepalive};
pub(crate) use notifications::*;
pub(crate) use socket::*;
pub(crate) use time::*;

use global::window;
use js_sys::{JsString, Reflect};
use std::future::Future;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::Storage;

/// Converts to lower case. The browser has the case tables of all alphabets; Rust's would have to
/// be downloaded.
pub(crate) fn lowercase(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        JsString::from(text).to_lower_case().into()
    }
}

/// Converts to upper case.
pub(crate) fn uppercase(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_uppercase()
    } else {
        JsString::from(text).to_upper_case().into()
    }
}

/// Runs `task` independently of the component that started it.
pub(crate) fn spawn(task: impl Future<Output = ()> + 'static) {
    wasm_bindgen_futures::spawn_local(task);
}

/// Returns a random number from 0 (inclusive) to 1 (exclusive).
pub(crate) fn random() -> f64 {
    js_sys::Math::random()
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// Returns a setting that was saved in this browser.
pub(crate) fn load_setting(name: &str) -> Option<String> {
    storage()?
        .get_item(&format!("pulsecheck.{name}"))
        .ok()
        .flatten()
}

/// Saves a setting in this browser, or removes it. Without storage it is lost on reload.
pub(crate) fn save_setting(name: &str, value: Option<&str>) {
    let Some(storage) = storage() else { return };
    let name = format!("pulsecheck.{name}");
    let _ = match value {
        Some(value) => storage.set_item(&name, value),
        None => storage.remove_item(&name),
    };
}

/// Copies text to the clipboard. Returns whether that was possible.
pub(crate) async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    // Missing on pages that were not loaded over HTTPS or from this machine.
    if Reflect::get(&navigator, &JsValue::from_str("clipboard"))
        .is_ok_and(|clipboard| clipboard.is_undefined())
    {
        return false;
    }
    JsFuture::from(navigator.clipboard().write_text(text))
        .await
        .is_ok()
}
