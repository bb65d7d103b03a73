//! Writes a file whose age tells a container's liveness probe whether the worker works: it is written
//! while the scheduler's loop runs and the database answers.

use crate::stats::Stats;
use sea_orm::DatabaseConnection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// Writes `file` every `every`, until it is dropped.
pub(crate) async fn run(db: DatabaseConnection, stats: Arc<Stats>, file: &Path, every: Duration) {
    let mut last_iterations = None;
    let mut is_failing = false;
    loop {
        let iterations = stats.turns.load(Relaxed);
        let has_progress = last_iterations.replace(iterations) != Some(iterations);
        if has_progress && matches!(timeout(PING_TIMEOUT, db.ping()).await, Ok(Ok(()))) {
            let written =
                tokio::fs::write(file, format!("{}\n", chrono::Utc::now().to_rfc3339())).await;
            match written {
                Ok(()) => is_failing = false,
                Err(error) if !is_failing => {
                    is_failing = true;
                    tracing::error!(file = %file.display(), %error, "failed to write the heartbeat file");
                }
                Err(_) => {}
            }
        }
        sleep(every).await;
    }
}
