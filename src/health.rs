//! Liveness and readiness of this process, on the metrics listener, which is the only listener of
//! a worker. The API also serves them under `/api`.

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use backend::readiness::{Dependencies, Readiness, word};
use coordination::Coordination;
use sea_orm::DatabaseConnection;
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use worker::Stats;

/// Time without scheduler progress after which the process is reported as not live.
const SCHEDULER_STALL_LIMIT: Duration = Duration::from_secs(60);

/// State behind the health endpoints.
pub(crate) struct Health {
    db: DatabaseConnection,
    live: Coordination,
    worker: Option<Arc<Stats>>,
    readiness: Readiness,
    /// Last observed progress of the scheduler, and when it was first observed.
    turned: Mutex<(u64, Instant)>,
}

impl Health {
    pub(crate) fn new(
        db: DatabaseConnection,
        live: Coordination,
        worker: Option<Arc<Stats>>,
    ) -> Self {
        Self {
            db,
            live,
            worker,
            readiness: Readiness::default(),
            turned: Mutex::new((0, Instant::now())),
        }
    }

    pub(crate) fn routes(self) -> Router {
        let health = Arc::new(self);
        let ready = Arc::clone(&health);
        Router::new()
            .route("/live", get(async move || health.live(Instant::now())))
            .route("/ready", get(async move || ready.ready().await))
    }

    /// Liveness: 503 if the scheduler is stuck, which only a restart can fix.
    fn live(&self, now: Instant) -> Response {
        let turns = self.worker.as_ref().map(|stats| stats.turns.load(Relaxed));
        let stuck = turns.is_some_and(|turns| {
            let mut turned = self.turned.lock().unwrap_or_else(PoisonError::into_inner);
            if turned.0 != turns {
                *turned = (turns, now);
            }
            now.duration_since(turned.1) > SCHEDULER_STALL_LIMIT
        });
        let status = if stuck {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        };
        (
            status,
            Json(json!({ "status": if stuck { "stuck" } else { "ok" } })),
        )
            .into_response()
    }

    /// Readiness: 503 unless database and Redis answer and the worker can record results.
    async fn ready(&self) -> Response {
        let Dependencies {
            database,
            coordination,
        } = self.readiness.check(&self.db, &self.live).await;
        let recording = self
            .worker
            .as_ref()
            .map(|stats| !stats.unable.load(Relaxed));
        let ready = database && coordination && recording.unwrap_or(true);
        let mut body = json!({
            "status": if ready { "ready" } else { "not ready" }, "database": word(database), "coordination": word(coordination)
        });
        if let Some(recording) = recording {
            body["recording"] = word(recording).into();
        }
        (
            if ready {
                StatusCode::OK
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            },
            Json(body),
        )
            .into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_scheduler_that_stands_still_for_a_minute_does_not_live() {
        let stats = Arc::new(Stats::default());
        let health = Health::new(
            DatabaseConnection::default(),
            Coordination::memory(),
            Some(Arc::clone(&stats)),
        );
        let begun = Instant::now();
        let status = |seconds| {
            health
                .live(begun + Duration::from_secs(seconds))
                .status()
                .as_u16()
        };
        assert_eq!((status(0), status(59)), (200, 200));
        stats.turns.store(7, Relaxed);
        assert_eq!((status(70), status(125), status(131)), (200, 200, 503));
        stats.turns.store(8, Relaxed);
        assert_eq!(status(140), 200);
    }
}
