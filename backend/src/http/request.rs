//! What happens around every request: an id, one log line, a bound on its time, and an answer even when a handler
//! panics.

use super::calendar;
use super::error::ApiError;
use super::headers;
use crate::graphql::RequestId;
use crate::metrics;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;
use http::HeaderValue;
use http::header::{ALLOW, SET_COOKIE};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};
use tracing::{Instrument as _, Span, field};

/// The most that a request may take, from its headers to the answer's.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

const HEADER: &str = "x-request-id";

/// Ties an answer to the lines in the log that its request caused: 16 hexadecimal digits. Always made here: one that a
/// client could choose would let it forge or confuse log lines.
fn new_id() -> RequestId {
    RequestId(format!("{:016x}", rand::random::<u64>()))
}

/// The outermost layer; `secure` says whether browsers reach this server over https.
pub(super) async fn around(
    State(secure): State<bool>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = new_id();
    request.extensions_mut().insert(id.clone());
    let path = loggable(request.uri().path());
    let span = tracing::info_span!("request", id = id.0, method = %request.method(), path, status = field::Empty);
    async {
        let started = Instant::now();
        let handled = AssertUnwindSafe(tokio::time::timeout(TIMEOUT, next.run(request)))
            .catch_unwind()
            .await;
        let mut response = match handled {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => {
                tracing::warn!("a request took longer than {} s", TIMEOUT.as_secs());
                ApiError::too_slow(TIMEOUT.as_secs()).into_response()
            }
            Err(panic) => {
                tracing::error!(panic = reason(&*panic), "a request's handler panicked");
                ApiError::internal().into_response()
            }
        };
        if let Some(error) = response.extensions_mut().remove::<ApiError>() {
            let refused = std::mem::replace(&mut response, error.render(&id));
            for name in [SET_COOKIE, ALLOW] {
                for value in refused.headers().get_all(&name) {
                    response.headers_mut().append(name.clone(), value.clone());
                }
            }
        }
        headers::add(response.headers_mut(), secure);
        let value = HeaderValue::from_str(&id.0).expect("hexadecimal digits are a header value");
        response.headers_mut().insert(HEADER, value);
        let (status, took) = (response.status().as_u16(), started.elapsed());
        metrics::answered(status, took);
        Span::current().record("status", status);
        tracing::debug!(ms = took.as_millis(), "request answered");
        response
    }
    .instrument(span)
    .await
}

/// A path as a line of the log can show it: no more than that, and no secret. Never the query: it may hold a sign-in
/// link's token.
fn loggable(path: &str) -> String {
    if path.starts_with(calendar::PREFIX) {
        return format!("{}(secret)", calendar::PREFIX);
    }
    path.chars().take(200).collect()
}

fn reason(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use serde_json::Value;
    use tower::ServiceExt as _;

    async fn panics() -> &'static str {
        panic!("a secret of the inside")
    }

    async fn answer(path: &str) -> (u16, http::HeaderMap, Value) {
        let router = Router::new()
            .route("/panics", get(panics))
            .route("/hangs", get(std::future::pending::<&'static str>))
            .layer(from_fn_with_state(true, around));
        let response = router
            .oneshot(Request::get(path).body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        (
            parts.status.as_u16(),
            parts.headers,
            serde_json::from_slice(&body).unwrap(),
        )
    }

    #[test]
    fn no_secret_of_a_path_is_logged() {
        assert_eq!(loggable("/api/calendar/abc.ics"), "/api/calendar/(secret)");
        assert_eq!(loggable("/api/graphql"), "/api/graphql");
        assert_eq!(loggable(&"x".repeat(999)).len(), 200);
    }

    #[tokio::test]
    async fn a_panic_becomes_an_answer_that_tells_nothing_but_the_id() {
        let (status, headers, body) = answer("/panics").await;
        assert_eq!(
            (status, &body["errors"][0]["extensions"]["code"]),
            (500, &"INTERNAL".into())
        );
        assert_eq!(
            body["errors"][0]["extensions"]["requestId"],
            headers[HEADER].to_str().unwrap()
        );
        assert!(!body.to_string().contains("secret"));
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_answered_all_the_same() {
        let (status, _, body) = answer("/hangs").await;
        assert_eq!(status, 504);
        assert_eq!(
            body["errors"][0]["message"],
            "the request took longer than 30 s and was stopped"
        );
    }
}
