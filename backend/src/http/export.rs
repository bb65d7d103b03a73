//! `GET /api/account/export`: streams all data of the viewer as one JSON file.

use super::client_ip::ClientIp;
use super::error::ApiError;
use super::{Server, identify, rate_limited};
use crate::use_cases::{self, Error};
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use std::sync::Arc;

pub(super) async fn export(
    State(server): State<Arc<Server>>,
    Extension(client): Extension<ClientIp>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    server.rates.request(client.0).map_err(rate_limited)?;
    let viewer = identify::viewer(&server, &headers).await?;
    let viewer = viewer.ok_or_else(|| ApiError::unauthenticated("sign in first"))?;
    server.rates.export(viewer.user_id).map_err(rate_limited)?;
    let now = use_cases::now();
    let parts = server
        .use_cases
        .export(&viewer, now)
        .await
        .map_err(|error| match error {
            Error::Internal(cause) => ApiError::from((*cause).clone()),
            _ => ApiError::unauthenticated("sign in first"),
        })?;
    let name = format!(
        "attachment; filename=\"pulsecheck-{}.json\"",
        now.format("%Y-%m-%d")
    );
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}
