//! Whether the database and the coordination backend answer. Serves the API's `/api/ready` and the
//! `/ready` of the metrics listener, which workers have too.

use coordination::Coordination;
use sea_orm::DatabaseConnection;
use std::fmt::Display;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A dependency that has not answered a ping within this time counts as failing.
const PING_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a result is reused, so that frequent probes ping about once a second.
const RESULT_TTL: Duration = Duration::from_secs(1);

/// Caches the latest result.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(Instant, Dependencies)>>);

/// Whether each dependency answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependencies {
    /// PostgreSQL or SQLite.
    pub database: bool,
    /// Redis; in one process its replacement in memory.
    pub coordination: bool,
}

impl Readiness {
    /// Pings both dependencies, or returns the result of the last second.
    pub async fn check(&self, db: &DatabaseConnection, live: &Coordination) -> Dependencies {
        let ping = async || {
            let (database, coordination) = tokio::join!(
                is_answering("database", db.ping()),
                is_answering("coordination", live.ping())
            );
            Dependencies {
                database,
                coordination,
            }
        };
        self.get_or_ping(Instant::now, ping).await
    }

    /// Concurrent callers wait for one ping and share its result.
    async fn get_or_ping(
        &self,
        now: impl Fn() -> Instant,
        ping: impl AsyncFnOnce() -> Dependencies,
    ) -> Dependencies {
        let mut latest = self.0.lock().await;
        if let Some((since, dependencies)) = *latest
            && now().duration_since(since) < RESULT_TTL
        {
            return dependencies;
        }
        // Boxed, because the future is large and seldom needed.
        let dependencies = Box::pin(ping()).await;
        *latest = Some((now(), dependencies));
        dependencies
    }
}

/// The word for a dependency in the body of a response.
#[must_use]
pub const fn word(answers: bool) -> &'static str {
    if answers { "ok" } else { "failing" }
}

async fn is_answering<E: Display>(
    dependency: &str,
    ping: impl Future<Output = Result<(), E>>,
) -> bool {
    match tokio::time::timeout(PING_TIMEOUT, ping).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(dependency, %error, "not ready");
            false
        }
        Err(_) => {
            tracing::warn!(
                dependency,
                "not ready: no answer within {} s",
                PING_TIMEOUT.as_secs()
            );
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn many_callers_ping_once_a_second() {
        let (readiness, pings) = (Readiness::default(), AtomicUsize::new(0));
        let check = |database| {
            readiness.get_or_ping(Instant::now, {
                let pings = &pings;
                async move || {
                    pings.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    Dependencies {
                        database,
                        coordination: true,
                    }
                }
            })
        };
        let all = futures::future::join_all((0..1_000).map(|_| check(true))).await;
        assert!(all.iter().all(|result| result.database));
        assert!(check(false).await.database, "the result is reused");
        assert_eq!(pings.load(Ordering::SeqCst), 1);
        tokio::time::advance(RESULT_TTL).await;
        assert!(!check(false).await.database);
        assert_eq!(pings.load(Ordering::SeqCst), 2);
    }
}
