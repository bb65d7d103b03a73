//! Publishes what is committed to the coordination state: completes claims, stores latest statuses
//! and publishes events. While that is away, keeps what it has and retries; what it has to drop then
//! costs freshness only.

use crate::retry_backoff::RetryBackoff;
use chrono::{DateTime, Utc};
use coordination::{CachedStatus, Claim, Coordination, CoordinationError, Event};
use tokio::sync::mpsc;
use tokio::time::sleep;
use uuid::Uuid;

/// How many announcements may wait while one is sent.
const QUEUE: usize = 64;
/// Maximum number of completions, statuses and events that are kept for a retry.
const MAX_PENDING: usize = 20_000;

/// What became true by a commit.
#[derive(Debug, Default)]
pub(crate) struct Announcement {
    /// Claims that are over, and when their services are due next.
    pub(crate) completions: Vec<(Claim, DateTime<Utc>)>,
    /// Services whose latest status is void; dropped before `latest` is stored.
    pub(crate) forgotten: Vec<Uuid>,
    /// Stored before `events` are published, so that a query after an event returns the new status.
    pub(crate) latest: Vec<CachedStatus>,
    pub(crate) events: Vec<Event>,
}

/// Sends announcements to the task that publishes them.
#[derive(Debug, Clone)]
pub(crate) struct Announcer(mpsc::Sender<Announcement>);

impl Announcer {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Announcement>) {
        let (announcements, queue) = mpsc::channel(QUEUE);
        (Self(announcements), queue)
    }

    pub(crate) async fn send(&self, announcement: Announcement) {
        // Fails only when the worker is ending and the publishing task has given up.
        let _ = self.0.send(announcement).await;
    }

    /// Completes one claim: its service is due next at `next`.
    pub(crate) async fn complete(&self, claim: Claim, next: DateTime<Utc>) {
        self.send(Announcement {
            completions: vec![(claim, next)],
            ..Announcement::default()
        })
        .await;
    }
}

/// Publishes what comes from `queue` until all senders are gone.
pub(crate) async fn run(live: Coordination, mut queue: mpsc::Receiver<Announcement>) {
    let mut outage = RetryBackoff::new("Publishing results");
    while let Some(mut pending) = queue.recv().await {
        loop {
            while let Ok(more) = queue.try_recv() {
                pending.merge(more);
            }
            match publish(&live, &mut pending).await {
                Ok(()) => break outage.end(),
                Err(error) => {
                    let wait = outage.begin(&error);
                    pending.drop_oldest();
                    sleep(wait).await;
                }
            }
        }
    }
}

/// Publishes everything, or leaves in `pending` what could not be published. Tries every part even if
/// one fails: some Redis nodes may be away while others are not.
async fn publish(live: &Coordination, pending: &mut Announcement) -> Result<(), CoordinationError> {
    let completed = match live.complete(&pending.completions).await {
        Ok(_) => {
            pending.completions.clear();
            Ok(())
        }
        Err(error) => Err(error),
    };
    let forgotten = live
        .evict_statuses(&pending.forgotten)
        .await
        .map(|()| pending.forgotten.clear());
    // Not before: forgetting a service later would drop its new status too.
    let stored = match forgotten {
        Ok(()) => live
            .cache_statuses(&pending.latest)
            .await
            .map(|()| pending.latest.clear()),
        error => error,
    };
    let published = live
        .publish(&pending.events)
        .await
        .map(|()| pending.events.clear());
    completed.and(stored).and(published)
}

impl Announcement {
    fn merge(&mut self, more: Self) {
        self.completions.extend(more.completions);
        self.latest
            .retain(|latest| !more.forgotten.contains(&latest.service_id));
        self.forgotten.extend(more.forgotten);
        self.latest.extend(more.latest);
        self.events.extend(more.events);
    }

    fn drop_oldest(&mut self) {
        fn trim<T>(pending: &mut Vec<T>) {
            pending.drain(..pending.len().saturating_sub(MAX_PENDING));
        }
        trim(&mut self.completions);
        trim(&mut self.forgotten);
        trim(&mut self.latest);
        trim(&mut self.events);
    }
}
