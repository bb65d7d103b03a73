//! `GET /api/account/export`: everything of the viewer's, as one JSON file, while it is being read.

use super::address::Sender;
use super::error::ApiError;
use super::{Server, identify, too_often};
use crate::use_cases::{self, Error};
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use std::sync::Arc;

pub(super) async fn export(
    State(server): State<Arc<Server>>,
    Extension(from): Extension<Sender>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    server.rates.request(from.0).map_err(too_often)?;
    let viewer = identify::viewer(&server, &headers).await?;
    let viewer = viewer.ok_or_else(|| ApiError::unauthenticated("sign in first"))?;
    server.rates.export(viewer.user_id).map_err(too_often)?;
    let now = use_cases::now();
    let parts = server
        .ops
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
