//! Middleware of every request: id, trace span, timeout, a response even if the handler panics, and
//! the headers and error bodies of all responses.

use super::calendar;
use super::error::ApiError;
use super::headers;
use crate::graphql::RequestId;
use crate::metrics;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, SET_COOKIE};
use http::{HeaderName, HeaderValue, StatusCode};
use std::any::Any;
use std::time::Duration;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId as HttpRequestId, SetRequestIdLayer,
};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tracing::{Span, field};

/// Maximum time from a request's headers to its response's headers.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Target of the spans of requests, for filters.
pub const REQUEST_SPAN_TARGET: &str = module_path!();

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Maximum number of characters of a path in the log.
const MAX_LOGGED_PATH: usize = 200;

/// Adds the middleware to `router`; `secure` says whether browsers reach this server over https.
pub(super) fn wrap(router: Router, secure: bool) -> Router {
    let trace = TraceLayer::new_for_http()
        .make_span_with(make_span)
        .on_request(())
        .on_response(record_response)
        .on_body_chunk(())
        .on_eos(())
        .on_failure(());
    router.layer(
        ServiceBuilder::new()
            .map_request(remove_client_id)
            .layer(SetRequestIdLayer::new(REQUEST_ID, RandomId))
            .layer(trace)
            .layer(PropagateRequestIdLayer::new(REQUEST_ID))
            .layer(from_fn_with_state(secure, finish_response))
            .layer(TimeoutLayer::with_status_code(
                StatusCode::GATEWAY_TIMEOUT,
                REQUEST_TIMEOUT,
            ))
            .layer(CatchPanicLayer::custom(on_panic)),
    )
}

/// Removes an id that the client chose, because it could be used to forge log lines.
fn remove_client_id(mut request: Request) -> Request {
    request.headers_mut().remove(REQUEST_ID);
    request
}

/// Makes ids of 16 hexadecimal digits.
#[derive(Debug, Clone, Copy)]
struct RandomId;

impl MakeRequestId for RandomId {
    fn make_request_id<B>(&mut self, _: &http::Request<B>) -> Option<HttpRequestId> {
        let id = format!("{:016x}", rand::random::<u64>());
        HeaderValue::from_str(&id).ok().map(HttpRequestId::new)
    }
}

fn request_id(request: &Request) -> RequestId {
    let id = request.extensions().get::<HttpRequestId>();
    let id = id.and_then(|id| id.header_value().to_str().ok());
    RequestId(id.unwrap_or_default().to_owned())
}

fn make_span(request: &Request) -> Span {
    let id = request_id(request).0;
    let path = loggable_path(request.uri().path());
    tracing::info_span!("request", id, method = %request.method(), path, status = field::Empty)
}

fn record_response<B>(response: &http::Response<B>, took: Duration, span: &Span) {
    let status = response.status().as_u16();
    metrics::record_response(status, took);
    span.record("status", status);
    tracing::debug!(ms = took.as_millis(), "sent response");
}

/// Renders errors, which need the request's id, and adds the headers of every response.
async fn finish_response(State(secure): State<bool>, mut request: Request, next: Next) -> Response {
    let id = request_id(&request);
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    let mut error = response.extensions_mut().remove::<ApiError>();
    // Only the timeout layer uses this status.
    if error.is_none() && response.status() == StatusCode::GATEWAY_TIMEOUT {
        let seconds = REQUEST_TIMEOUT.as_secs();
        tracing::warn!(seconds, "request timed out");
        error = Some(ApiError::timed_out(seconds));
    }
    if let Some(error) = error {
        let unrendered = std::mem::replace(&mut response, error.render(&id));
        for name in [SET_COOKIE, ALLOW] {
            for value in unrendered.headers().get_all(&name) {
                response.headers_mut().append(name.clone(), value.clone());
            }
        }
    }
    headers::add(response.headers_mut(), secure);
    response
}

#[allow(clippy::needless_pass_by_value, reason = "the layer hands it over")]
fn on_panic(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied();
    let reason = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let reason = reason.unwrap_or("(no message)");
    tracing::error!(panic = reason, "request handler panicked");
    ApiError::internal().into_response()
}

/// Shortens a path for the log and hides secrets in it. The query is never logged, because it may
/// contain the token of a sign-in link.
fn loggable_path(path: &str) -> String {
    if path.starts_with(calendar::PATH_PREFIX) {
        return format!("{}(secret)", calendar::PATH_PREFIX);
    }
    path.chars().take(MAX_LOGGED_PATH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use serde_json::Value;
    use tower::ServiceExt as _;

    async fn panics() -> &'static str {
        panic!("an internal secret")
    }

    async fn get_response(path: &str) -> (u16, http::HeaderMap, Value) {
        let router = Router::new()
            .route("/panics", get(panics))
            .route("/hangs", get(std::future::pending::<&'static str>));
        let request = Request::get(path)
            .header(REQUEST_ID, "chosen by the client")
            .body(Body::empty())
            .unwrap();
        let response = wrap(router, true).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        (
            parts.status.as_u16(),
            parts.headers,
            serde_json::from_slice(&body).unwrap(),
        )
    }

    #[test]
    fn secrets_in_paths_are_not_logged() {
        assert_eq!(
            loggable_path("/api/calendar/abc.ics"),
            "/api/calendar/(secret)"
        );
        assert_eq!(loggable_path("/api/graphql"), "/api/graphql");
        assert_eq!(loggable_path(&"x".repeat(999)).len(), 200);
    }

    #[tokio::test]
    async fn a_panic_becomes_an_error_that_shows_only_the_id() {
        let (status, headers, body) = get_response("/panics").await;
        assert_eq!(status, 500);
        assert_eq!(body["errors"][0]["extensions"]["code"], "INTERNAL");
        let id = headers[REQUEST_ID].to_str().unwrap();
        assert_eq!(body["errors"][0]["extensions"]["requestId"], id);
        assert_eq!(id.len(), 16, "the client's own id is not used: {id}");
        assert!(!body.to_string().contains("secret"));
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_gets_a_response() {
        let (status, _, body) = get_response("/hangs").await;
        assert_eq!(status, 504);
        assert_eq!(
            body["errors"][0]["message"],
            "the request took longer than 30 s and was stopped"
        );
    }
}
