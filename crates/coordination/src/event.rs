//! What the processes tell each other, and how a process listens.

use crate::CurrentStatus;
use chrono::{DateTime, Utc};
use domain::Status;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use tokio::sync::broadcast;
use tokio_stream::Stream;
use tokio_stream::wrappers::BroadcastStream;
use uuid::Uuid;

/// How many batches of events wait for a slow receiver of all events before it misses some.
const BUFFERED: usize = 1024;

/// The same for a receiver of one workspace's events.
const BUFFERED_PER_WORKSPACE: usize = 256;

/// How many events are in one batch at most.
const BATCH: usize = 64;

/// Something that happened, published after the database knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A check was recorded.
    StatusChecked {
        /// The workspace of the service.
        workspace_id: Uuid,
        /// The service.
        service_id: Uuid,
        /// The check's slot.
        slot: DateTime<Utc>,
        /// The confirmed status before; `None` when this is the first check.
        previous: Option<Status>,
        /// What is known now.
        current: CurrentStatus,
        /// Whether the confirmed status is another than before.
        changed: bool,
    },
    /// An incident was opened, escalated, eased, worsened, resolved, got another entry in its timeline, or somebody added
    /// something to it.
    IncidentChanged {
        /// The workspace of the service.
        workspace_id: Uuid,
        /// The service.
        service_id: Uuid,
        /// The incident.
        incident_id: Uuid,
    },
    /// A service's definition is another, or it is gone.
    ServiceChanged {
        /// The workspace of the service.
        workspace_id: Uuid,
        /// The service.
        service_id: Uuid,
        /// What was done to it.
        change: ServiceChange,
    },
}

/// What was done to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum ServiceChange {
    Created,
    Updated,
    Paused,
    Resumed,
    Deleted,
}

impl Event {
    /// The workspace it belongs to: only its members may see it.
    #[must_use]
    pub const fn workspace_id(&self) -> Uuid {
        match self {
            Self::StatusChecked { workspace_id, .. }
            | Self::IncidentChanged { workspace_id, .. }
            | Self::ServiceChanged { workspace_id, .. } => *workspace_id,
        }
    }

    /// The service that it is about.
    #[must_use]
    pub const fn service_id(&self) -> Uuid {
        match self {
            Self::StatusChecked { service_id, .. }
            | Self::IncidentChanged { service_id, .. }
            | Self::ServiceChanged { service_id, .. } => *service_id,
        }
    }
}

/// Events were lost before they reached this receiver, because it was too slow or because the connection to Redis
/// broke. Whatever is derived from events must be fetched anew; events that follow are complete again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("events were missed: fetch the state anew")]
pub struct Missed;

/// A receiver of events: a stream that ends when its live state is gone.
#[derive(Debug)]
pub struct Events {
    deliveries: BroadcastStream<Delivery>,
    /// What came last, and how many of it were taken.
    batch: (Batch, usize),
    /// Counted as long as this is there.
    _listener: Option<Listener>,
}

impl Events {
    fn new(deliveries: broadcast::Receiver<Delivery>, listener: Option<Listener>) -> Self {
        Self {
            deliveries: BroadcastStream::new(deliveries),
            batch: (Arc::new([]), 0),
            _listener: listener,
        }
    }
}

impl Stream for Events {
    type Item = Result<Arc<Event>, Missed>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let (batch, taken) = &mut self.batch;
            if let Some(event) = batch.get(*taken) {
                *taken += 1;
                return Poll::Ready(Some(Ok(event.clone())));
            }
            match ready!(Pin::new(&mut self.deliveries).poll_next(context)) {
                Some(Ok(Delivery::Events(batch))) => self.batch = (batch, 0),
                Some(Ok(Delivery::Missed) | Err(_)) => return Poll::Ready(Some(Err(Missed))),
                None => return Poll::Ready(None),
            }
        }
    }
}

type Batch = Arc<[Arc<Event>]>;

/// What the receivers of this process are told.
#[derive(Debug, Clone)]
enum Delivery {
    Events(Batch),
    Missed,
}

/// Sends to all [`Events`] of this process. Each workspace has a topic of its own while somebody
/// subscribes to it, so that its events wake nobody else.
#[derive(Debug, Clone)]
pub(crate) struct FanOut {
    everybody: broadcast::Sender<Delivery>,
    topics: Topics,
}

type Topics = Arc<Mutex<HashMap<Uuid, Topic>>>;

#[derive(Debug)]
struct Topic {
    sender: broadcast::Sender<Delivery>,
    listeners: usize,
}

/// Counts a subscription to a workspace's topic, which ends with the last of them.
#[derive(Debug)]
struct Listener {
    workspace: Uuid,
    topics: Topics,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut topics = lock(&self.topics);
        if let Some(topic) = topics.get_mut(&self.workspace) {
            topic.listeners -= 1;
            if topic.listeners == 0 {
                topics.remove(&self.workspace);
            }
        }
    }
}

impl FanOut {
    pub(crate) fn new() -> Self {
        Self {
            everybody: broadcast::channel(BUFFERED).0,
            topics: Topics::default(),
        }
    }

    pub(crate) fn subscribe(&self) -> Events {
        Events::new(self.everybody.subscribe(), None)
    }

    pub(crate) fn subscribe_to(&self, workspace: Uuid) -> Events {
        let mut topics = lock(&self.topics);
        let topic = topics.entry(workspace).or_insert_with(|| Topic {
            sender: broadcast::channel(BUFFERED_PER_WORKSPACE).0,
            listeners: 0,
        });
        topic.listeners += 1;
        Events::new(
            topic.sender.subscribe(),
            Some(Listener {
                workspace,
                topics: self.topics.clone(),
            }),
        )
    }

    pub(crate) fn anybody_listens(&self) -> bool {
        self.everybody.receiver_count() > 0 || !lock(&self.topics).is_empty()
    }

    pub(crate) fn send(&self, events: impl IntoIterator<Item = Event>) {
        let events: Vec<_> = events.into_iter().map(Arc::new).collect();
        let topics = lock(&self.topics);
        if !topics.is_empty() {
            let mut by_workspace: HashMap<Uuid, Vec<Arc<Event>>> = HashMap::new();
            for event in events
                .iter()
                .filter(|event| topics.contains_key(&event.workspace_id()))
            {
                by_workspace
                    .entry(event.workspace_id())
                    .or_default()
                    .push(event.clone());
            }
            for (workspace, events) in by_workspace {
                deliver(&topics[&workspace].sender, &events);
            }
        }
        drop(topics);
        deliver(&self.everybody, &events);
    }

    pub(crate) fn send_missed(&self) {
        let topics = lock(&self.topics);
        for sender in topics
            .values()
            .map(|topic| &topic.sender)
            .chain([&self.everybody])
        {
            // An error says that nobody listens.
            let _ = sender.send(Delivery::Missed);
        }
    }
}

/// Sends events to a topic in batches, each of which wakes its receivers once.
fn deliver(sender: &broadcast::Sender<Delivery>, events: &[Arc<Event>]) {
    for batch in events.chunks(BATCH) {
        // An error says that nobody listens.
        let _ = sender.send(Delivery::Events(batch.into()));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("nothing panics while it holds the lock")
}
