//! Says that this worker is at work, so that people see which there are and that they take turns. Nothing else depends on
//! it: claims are leases.

use crate::turns::Turns;
use chrono::SubsecRound;
use coordination::{Coordination, CoordinationError, Worker, WorkerPresence};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// After so many announcements that did not come it is listed no more.
const FORGIVEN: u32 = 12;
/// And after so many it has no turn any more.
const FRESH: u32 = 3;

/// Announces the worker `id` on `host` every `every`, tells `turns` who else is there, and takes its leave in the end. While
/// the live state is away nobody could be told anyway.
pub(crate) async fn run(
    live: Coordination,
    id: Uuid,
    host: String,
    turns: Turns,
    every: Duration,
    closing: CancellationToken,
) {
    let mut known = None;
    loop {
        match announce(&live, id, &host, &mut known, every * FORGIVEN).await {
            Ok(workers) => turns.learn(id, &workers, every * FRESH),
            Err(error) => {
                tracing::debug!(%error, "the live state could not be told that this worker is at work")
            }
        }
        tokio::select! {
            () = sleep(every) => {}
            () = closing.cancelled() => break,
        }
    }
    if let Err(error) = live.deregister_worker(id).await {
        tracing::debug!(%error, "the live state could not be told that this worker ends");
    }
}

/// Its beginning is a time of the live state, which may be away at first. Answers who is at work.
async fn announce(
    live: &Coordination,
    id: Uuid,
    host: &str,
    known: &mut Option<Worker>,
    lasting: Duration,
) -> Result<Vec<WorkerPresence>, CoordinationError> {
    let worker = match known {
        Some(worker) => worker,
        None => known.insert(Worker {
            id,
            host: host.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: live.now().await?.trunc_subsecs(3),
        }),
    };
    live.register_worker(worker, lasting).await?;
    live.workers().await
}
