//! Registers this worker, so that people see which workers there are, and so that they stagger their
//! polls. Nothing else depends on it: claims are leases.

use crate::poll_stagger::PollStagger;
use chrono::SubsecRound;
use coordination::{Coordination, CoordinationError, Worker, WorkerPresence};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A worker is listed for so many intervals after it registered last.
const LISTED_INTERVALS: u32 = 12;
/// After so many silent intervals a worker has no poll slots.
const ALIVE_INTERVALS: u32 = 3;

/// Registers the worker `id` on `host` every `every`, updates `stagger` by the other workers, and
/// deregisters in the end.
pub(crate) async fn run(
    live: Coordination,
    id: Uuid,
    host: String,
    stagger: PollStagger,
    every: Duration,
    closing: CancellationToken,
) {
    let mut registered = None;
    loop {
        match register(&live, id, &host, &mut registered, every * LISTED_INTERVALS).await {
            Ok(workers) => stagger.update(id, &workers, every * ALIVE_INTERVALS),
            Err(error) => {
                tracing::debug!(%error, "failed to register this worker, retrying");
            }
        }
        tokio::select! {
            () = sleep(every) => {}
            () = closing.cancelled() => break,
        }
    }
    if let Err(error) = live.deregister_worker(id).await {
        tracing::debug!(%error, "failed to deregister this worker");
    }
}

/// Registers the worker and returns all that are registered. Its start is a time of the coordination
/// state, which may be away at first.
async fn register(
    live: &Coordination,
    id: Uuid,
    host: &str,
    registered: &mut Option<Worker>,
    lasting: Duration,
) -> Result<Vec<WorkerPresence>, CoordinationError> {
    let worker = match registered {
        Some(worker) => worker,
        None => registered.insert(Worker {
            id,
            host: host.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: live.now().await?.trunc_subsecs(3),
        }),
    };
    live.register_worker(worker, lasting).await?;
    live.workers().await
}
