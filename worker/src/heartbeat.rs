//! A file whose age tells a container's probe whether the worker works: written while the scheduler's loop turns and the
//! database answers.

use crate::stats::Stats;
use sea_orm::DatabaseConnection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Writes `file` every `every`, until it is dropped.
pub(crate) async fn run(db: DatabaseConnection, stats: Arc<Stats>, file: &Path, every: Duration) {
    let mut turns = None;
    let mut failing = false;
    loop {
        let now = stats.turns.load(Relaxed);
        let progress = turns.replace(now) != Some(now);
        if progress && matches!(timeout(PATIENCE, db.ping()).await, Ok(Ok(()))) {
            let written =
                tokio::fs::write(file, format!("{}\n", chrono::Utc::now().to_rfc3339())).await;
            match written {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    tracing::error!(file = %file.display(), %error, "the heartbeat cannot be written");
                }
                Err(_) => {}
            }
        }
        sleep(every).await;
    }
}
