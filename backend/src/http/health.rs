//! Whether this process lives, and whether it can do its work.

use super::Server;
use crate::readiness::{Parts, word};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;

/// It answers: that is all.
pub(super) async fn health() -> Response {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })).into_response()
}

/// Asks the database and the live state; 503 unless both answer, or did within the last second.
pub(super) async fn ready(State(server): State<Arc<Server>>) -> Response {
    let Parts { database, live } = server.readiness.of(&server.db, &server.live).await;
    let (status, ready) = match database && live {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    (
        status,
        Json(json!({ "status": ready, "database": word(database), "live": word(live) })),
    )
        .into_response()
}
