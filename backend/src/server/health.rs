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
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A part that has not answered by then does not answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// It answers: that is all.
pub(super) async fn health() -> Response {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })).into_response()
}

/// For how long an answer is good: however many ask, the database and the live state are asked about once a second.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// What was found lately.
#[derive(Debug, Default)]
pub(super) struct Readiness(Mutex<Option<(Instant, Parts)>>);

/// Whether each part answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts {
    database: bool,
    live: bool,
}

impl Readiness {
    /// Asks anew unless that was done a moment ago. Those who come meanwhile wait for the same answer.
    async fn get(&self, now: impl Fn() -> Instant, ask: impl AsyncFnOnce() -> Parts) -> Parts {
        let mut known = self.0.lock().await;
        if let Some((since, parts)) = *known
            && now().duration_since(since) < GOOD_FOR
        {
            return parts;
        }
        // Boxed: asking a database takes much room, and is seldom done.
        let parts = Box::pin(ask()).await;
        *known = Some((now(), parts));
        parts
    }
}

/// Asks the database and the live state; 503 unless both answer, or did within the last second.
pub(super) async fn ready(State(server): State<Arc<Server>>) -> Response {
    let ask = async || {
        let (database, live) = tokio::join!(part("database", server.db.ping()), part("live", server.live.ping()));
        Parts { database, live }
    };
    let Parts { database, live } = server.readiness.get(Instant::now, ask).await;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn however_many_ask_the_parts_are_asked_once_a_second() {
        let (readiness, asked) = (Readiness::default(), AtomicUsize::new(0));
        let ask = |database| {
            readiness.get(Instant::now, {
                let asked = &asked;
                async move || {
                    asked.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    Parts { database, live: true }
                }
            })
        };
        let all = futures::future::join_all((0..1_000).map(|_| ask(true))).await;
        assert!(all.iter().all(|parts| parts.database));
        assert!(ask(false).await.database, "as it was a moment ago");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        tokio::time::advance(GOOD_FOR).await;
        assert!(!ask(false).await.database);
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}
