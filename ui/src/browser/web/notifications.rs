//! Desktop notifications. Nothing here throws: where they are not possible, nothing is shown.

use super::document::icon_path;
use super::global::{document, window};
use crate::browser::Notification as Content;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;

/// Shows a desktop notification, unless the page has the focus. A click on it opens its page.
pub(crate) fn notify(content: Content) {
    let is_granted = || {
        let permission = Reflect::get(&api()?, &"permission".into()).ok()?;
        Some(permission.as_string()? == "granted")
    };
    if document().has_focus().unwrap_or_default() || is_granted() != Some(true) {
        return;
    }
    wasm_bindgen_futures::spawn_local(async move {
        if show_by_worker(&content).await.is_none() {
            show_by_page(&content);
        }
    });
}

/// Shows it through the service worker, which is the only way on Android, and handles the click even
/// if this page is closed meanwhile. `None` when there is no worker.
async fn show_by_worker(content: &Content) -> Option<()> {
    let container = get(&window().navigator(), "serviceWorker")?;
    let registration = call(&container, "getRegistration", &[])?;
    let registration = JsFuture::from(registration.dyn_into::<Promise>().ok()?)
        .await
        .ok()?;
    // Before its first activation a worker cannot show anything.
    get(&registration, "active")?;
    let shown = call(
        &registration,
        "showNotification",
        &[content.title.as_str().into(), options(content).into()],
    )?;
    JsFuture::from(shown.dyn_into::<Promise>().ok()?)
        .await
        .ok()
        .map(drop)
}

/// Shows it from the page. The constructor throws where only a service worker may show notifications.
fn show_by_page(content: &Content) -> Option<()> {
    let arguments: [JsValue; 2] = [content.title.as_str().into(), options(content).into()];
    let constructor = api()?.dyn_into::<Function>().ok()?;
    let notification = Reflect::construct(&constructor, &arguments.iter().collect()).ok()?;
    let url = content.url.clone();
    let clicked = Closure::once_into_js(move || {
        let _ = window().focus();
        open(&url);
    });
    Reflect::set(&notification, &"onclick".into(), &clicked)
        .ok()
        .map(drop)
}

/// Navigates as the browser's own buttons do, which the router follows.
fn open(url: &str) {
    super::document::push_url(url);
    if let Ok(event) = web_sys::Event::new("popstate") {
        let _ = window().dispatch_event(&event);
    }
}

fn options(content: &Content) -> Object {
    let data = Object::new();
    let _ = Reflect::set(&data, &"url".into(), &content.url.as_str().into());
    let options = Object::new();
    for (name, value) in [
        ("body", content.body.as_str().into()),
        ("icon", icon_path(content.status).into()),
        ("tag", content.tag.as_str().into()),
        // Without it a second outage of a service replaces the first notification silently.
        ("renotify", JsValue::TRUE),
        ("data", data.into()),
    ] {
        let _ = Reflect::set(&options, &name.into(), &value);
    }
    options
}

/// The browser's `Notification`. Missing on pages that were not loaded over HTTPS or from this
/// machine.
fn api() -> Option<JsValue> {
    get(&window(), "Notification")
}

fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &name.into()).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// Calls a method; `None` when it is missing or throws.
fn call(object: &JsValue, name: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let method = get(object, name)?.dyn_into::<Function>().ok()?;
    Reflect::apply(&method, object, &arguments.iter().collect()).ok()
}

/// Asks for permission to show notifications, unless it was granted before. Returns whether it is
/// granted.
pub(crate) async fn request_notification_permission() -> bool {
    let request = api().and_then(|api| call(&api, "requestPermission", &[]));
    let Some(Ok(request)) = request.map(JsCast::dyn_into::<Promise>) else {
        return false;
    };
    JsFuture::from(request)
        .await
        .is_ok_and(|permission| permission.as_string().as_deref() == Some("granted"))
}
