//! Errors of the HTTP server. All paths below `/api/` use the format of GraphQL errors, so that a
//! client needs only one parser.

use crate::graphql::{RETRY_AFTER, RequestId};
use async_graphql::ServerError;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use sea_orm::DbErr;
use serde_json::json;
use std::borrow::Cow;

/// An error with a message for people. The middleware renders it, because it knows the request's
/// id.
#[derive(Debug, Clone)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    /// Seconds until a retry is allowed.
    retry_after: Option<u64>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    pub(super) fn bad_input(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_INPUT", message)
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("the request is larger than {} KiB", limit / 1024);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "BAD_INPUT", message)
    }

    pub(super) fn not_json() -> Self {
        let message = "send the request as JSON, with the header Content-Type: application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "BAD_INPUT", message)
    }

    pub(super) fn unauthenticated(message: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
    }

    pub(super) fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", message)
    }

    pub(super) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    pub(super) fn misdirected(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::MISDIRECTED_REQUEST, "FORBIDDEN", message)
    }

    pub(super) fn rate_limited(seconds: u64) -> Self {
        let message = format!("too many requests: try again in {seconds} s");
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", message);
        Self {
            retry_after: Some(seconds),
            ..error
        }
    }

    pub(super) fn path_not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "the API has nothing at this path",
        )
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "BAD_INPUT",
            "this path of the API does not support this method",
        )
    }

    pub(super) fn mutation_by_get() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "BAD_INPUT",
            "send mutations by POST: GET is for queries",
        )
    }

    pub(super) fn timed_out(seconds: u64) -> Self {
        let message = format!("the request took longer than {seconds} s and was stopped");
        Self::new(StatusCode::GATEWAY_TIMEOUT, "INTERNAL", message)
    }

    pub(super) fn internal() -> Self {
        let message =
            "an internal error occurred; the server's log has the cause under this request's id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", message)
    }

    /// Renders the response, with the id under which the log has details.
    pub(super) fn render(&self, id: &RequestId) -> Response {
        let mut extensions = json!({ "code": self.code, "requestId": id.0 });
        if let Some(seconds) = self.retry_after {
            extensions[RETRY_AFTER] = json!(seconds);
        }
        let error = json!({ "message": self.message, "extensions": extensions });
        let mut response = (self.status, Json(json!({ "errors": [error] }))).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    /// Converts to a GraphQL error.
    pub(super) fn to_graphql(&self, id: &RequestId) -> ServerError {
        let mut error = ServerError::new(self.message.as_ref(), None);
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("code", self.code);
        extensions.set("requestId", id.0.as_str());
        if let Some(seconds) = self.retry_after {
            extensions.set(RETRY_AFTER, seconds);
        }
        error
    }
}

/// The database failed. The cause is logged here and not shown to the client.
impl From<DbErr> for ApiError {
    fn from(error: DbErr) -> Self {
        tracing::error!(%error, "a request failed in the database");
        let message = "the database is not available at the moment: try again soon";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "INTERNAL", message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
