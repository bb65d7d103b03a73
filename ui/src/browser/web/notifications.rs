//! Desktop notifications.

use super::document::icon_path;
use super::global::{document, window};
use js_sys::Reflect;
use wasm_bindgen::{JsCast, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Notification, NotificationOptions, NotificationPermission};

/// Shows a desktop notification with the icon of the status `worst`, unless the page has the focus.
pub(crate) fn notify(worst: &str, text: &str) {
    if document().has_focus().unwrap_or_default()
        || Notification::permission() != NotificationPermission::Granted
    {
        return;
    }
    let options = NotificationOptions::new();
    options.set_body(text);
    options.set_icon(&icon_path(worst));
    options.set_tag("status");
    // Fails on platforms where only a service worker may show notifications.
    let Ok(notification) = Notification::new_with_options("PulseCheck", &options) else {
        return;
    };
    let clicked = Closure::once_into_js(move || {
        let _ = window().focus();
    });
    notification.set_onclick(Some(clicked.unchecked_ref()));
}

/// Asks for permission to show notifications, unless it was granted before. Returns whether it is
/// granted.
pub(crate) async fn request_notification_permission() -> bool {
    // Missing on pages that were not loaded over HTTPS or from this machine.
    if Reflect::get(&window(), &"Notification".into()).is_ok_and(|api| api.is_undefined()) {
        return false;
    }
    let Ok(request) = Notification::request_permission() else {
        return false;
    };
    JsFuture::from(request)
        .await
        .is_ok_and(|permission| permission.as_string().as_deref() == Some("granted"))
}
