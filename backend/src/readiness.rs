//! Whether the database and the live state answer. Shared by everything that tells it: the API's own address, and that
//! beside the metrics, which workers have too.

use coordination::Coordination;
use sea_orm::DatabaseConnection;
use std::fmt::Display;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A part that has not answered by then does not answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// For how long an answer is good: however many ask, the database and the live state are asked about once a second.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// What was found lately.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(Instant, Parts)>>);

/// Whether each part answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// The database.
    pub database: bool,
    /// The live state.
    pub live: bool,
}

impl Readiness {
    /// Asks both, unless that was done within the last second.
    pub async fn of(&self, db: &DatabaseConnection, live: &Coordination) -> Parts {
        let ask = async || {
            let (database, live) =
                tokio::join!(part("database", db.ping()), part("live", live.ping()));
            Parts { database, live }
        };
        self.get(Instant::now, ask).await
    }

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

/// A part in the answer's body.
#[must_use]
pub const fn word(answers: bool) -> &'static str {
    if answers { "ok" } else { "failing" }
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
                    Parts {
                        database,
                        live: true,
                    }
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
