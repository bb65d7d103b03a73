//! Liveness and readiness of this process.

use super::Server;
use crate::readiness::{Dependencies, word};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;

/// Reports that the process is alive.
pub(super) async fn health() -> Response {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })).into_response()
}

/// Reports whether the database and the coordination service respond, or did within the last
/// second; 503 if not.
pub(super) async fn ready(State(server): State<Arc<Server>>) -> Response {
    let Dependencies {
        database,
        coordination,
    } = server.readiness.check(&server.db, &server.live).await;
    let (status, ready) = match database && coordination {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    (
        status,
        Json(json!({ "status": ready, "database": word(database), "coordination": word(coordination) })),
    )
        .into_response()
}
