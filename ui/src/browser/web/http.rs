//! HTTP requests.

use super::global::window;
use crate::{
    api::Moment,
    browser::response::{HttpResponse, NetworkError},
};
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, RequestInit, Response};

/// The timeout of a request. Longer than the slowest operation of the server, which is a test of a
/// slow target.
const REQUEST_TIMEOUT_MS: u32 = 45_000;

/// Aborts a request when its future is dropped.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Posts a GraphQL operation, given by name and body, to `path` on this origin; without one, an
/// empty body.
pub(crate) async fn post(
    path: &str,
    operation: Option<(&str, &str)>,
) -> Result<HttpResponse, NetworkError> {
    fetch(path, operation).await.map_err(|_| NetworkError)
}

async fn fetch(path: &str, operation: Option<(&str, &str)>) -> Result<HttpResponse, JsValue> {
    let abort = AbortOnDrop(AbortController::new()?);
    let controller = abort.0.clone();
    let timeout =
        gloo_timers::callback::Timeout::new(REQUEST_TIMEOUT_MS, move || controller.abort());
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_signal(Some(&abort.0.signal()));
    if let Some((name, body)) = operation {
        init.set_body(&JsValue::from_str(body));
        let headers = web_sys::Headers::new()?;
        headers.set("content-type", "application/json")?;
        headers.set(
            "accept",
            "application/graphql-response+json, application/json",
        )?;
        // The service worker recognises by this header which responses to cache.
        headers.set("x-operation-name", name)?;
        init.set_headers(&headers);
    }
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(path, &init))
        .await?
        .unchecked_into();
    let text = JsFuture::from(response.text()?).await?;
    drop(timeout);
    // The service worker sets it when it answers in place of the server.
    let cached_at = response
        .headers()
        .get("x-cached-at")
        .ok()
        .flatten()
        .and_then(|at| Moment::parse(&at));
    Ok(HttpResponse {
        status: response.status(),
        body: text.as_string().unwrap_or_default(),
        cached_at,
    })
}

/// Posts a JSON body to `path` in a way that outlives the page.
pub(crate) fn post_keepalive(path: &str, body: &str) {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&JsValue::from_str(body));
    let Ok(headers) = web_sys::Headers::new() else {
        return;
    };
    let _ = headers.set("content-type", "application/json");
    init.set_headers(&headers);
    let _ = Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE);
    let _ = window().fetch_with_str_and_init(path, &init);
}
