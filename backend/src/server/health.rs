//! Whether this process lives, and whether it can do its work.

use super::Server;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

/// A part that has not answered by then does not answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// It answers: that is all.
pub(super) async fn health() -> Response {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })).into_response()
}

/// Asks the database and the live state; 503 unless both answer.
pub(super) async fn ready(State(server): State<Arc<Server>>) -> Response {
    let (database, live) = tokio::join!(part("database", server.db.ping()), part("live", server.live.ping()));
    let (status, word) = match database && live {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    let say = |answers| if answers { "ok" } else { "failing" };
    (status, Json(json!({ "status": word, "database": say(database), "live": say(live) }))).into_response()
}

async fn part<E: Display>(part: &str, ping: impl Future<Output = Result<(), E>>) -> bool {
    match tokio::time::timeout(PATIENCE, ping).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(part, %error, "not ready");
            false
        }
        Err(_) => {
            tracing::warn!(part, "not ready: no answer within {} s", PATIENCE.as_secs());
            false
        }
    }
}
