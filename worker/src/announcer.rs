//! Tells the live state what is true in the database: ends claims, stores latest statuses, publishes events. What it
//! cannot tell at once it keeps for a while; nothing is lost with it but freshness.

use crate::outage::Outage;
use chrono::{DateTime, Utc};
use coordination::{CachedStatus, Claim, Coordination, CoordinationError, Event};
use tokio::sync::mpsc;
use tokio::time::sleep;
use uuid::Uuid;

/// How many announcements may wait while one is told.
const QUEUE: usize = 64;
/// How many completions, statuses and events are kept while the live state is away.
const KEPT: usize = 20_000;

/// Something to tell.
#[derive(Debug, Default)]
pub(crate) struct Announcement {
    /// Claims that are over, and when their services are due next.
    pub(crate) completions: Vec<(Claim, DateTime<Utc>)>,
    /// Services of which nothing that was told before holds; told before `latest`.
    pub(crate) forgotten: Vec<Uuid>,
    /// Told before `events`, if it can be told: who hears of an event and asks gets the new status.
    pub(crate) latest: Vec<CachedStatus>,
    pub(crate) events: Vec<Event>,
}

/// The way to the announcer.
#[derive(Debug, Clone)]
pub(crate) struct Announcer(mpsc::Sender<Announcement>);

impl Announcer {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Announcement>) {
        let (announcements, queue) = mpsc::channel(QUEUE);
        (Self(announcements), queue)
    }

    pub(crate) async fn tell(&self, announcement: Announcement) {
        // An error says that the worker is ending and the announcer has given up.
        let _ = self.0.send(announcement).await;
    }

    /// Ends one claim: its service is due next at `next`.
    pub(crate) async fn complete(&self, claim: Claim, next: DateTime<Utc>) {
        self.tell(Announcement {
            completions: vec![(claim, next)],
            ..Announcement::default()
        })
        .await;
    }
}

/// Tells what comes from `queue` until nobody is left to send.
pub(crate) async fn run(live: Coordination, mut queue: mpsc::Receiver<Announcement>) {
    let mut outage = Outage::new("Updating the live state");
    while let Some(mut pending) = queue.recv().await {
        loop {
            while let Ok(more) = queue.try_recv() {
                pending.add(more);
            }
            match tell(&live, &mut pending).await {
                Ok(()) => break outage.worked(),
                Err(error) => {
                    let wait = outage.failed(&error);
                    pending.forget_the_oldest();
                    sleep(wait).await;
                }
            }
        }
    }
}

/// Tells everything, or leaves in `pending` what is still to be told. Parts of the live state may be away while others are
/// not, so nothing is kept back because of what cannot be told.
async fn tell(live: &Coordination, pending: &mut Announcement) -> Result<(), CoordinationError> {
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
    // A status that was forgotten too late would take the latest one with it.
    let put = match forgotten {
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
    completed.and(put).and(published)
}

impl Announcement {
    fn add(&mut self, more: Self) {
        self.completions.extend(more.completions);
        self.latest
            .retain(|latest| !more.forgotten.contains(&latest.service_id));
        self.forgotten.extend(more.forgotten);
        self.latest.extend(more.latest);
        self.events.extend(more.events);
    }

    fn forget_the_oldest(&mut self) {
        fn trim<T>(kept: &mut Vec<T>) {
            kept.drain(..kept.len().saturating_sub(KEPT));
        }
        trim(&mut self.completions);
        trim(&mut self.forgotten);
        trim(&mut self.latest);
        trim(&mut self.events);
    }
}
