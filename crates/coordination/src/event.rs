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

/// How many batches of events wait for a slow receiver of all events, and for one of a user's, before it misses some.
const BUFFERED: usize = 1024;
const BUFFERED_OF_A_USER: usize = 256;

/// How many events are in one batch at most.
const BATCH: usize = 64;

/// Something that happened, published after the database knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A check was recorded.
    StatusChecked {
        /// Whose service it is.
        user_id: Uuid,
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
        /// Whose service it is.
        user_id: Uuid,
        /// The service.
        service_id: Uuid,
        /// The incident.
        incident_id: Uuid,
    },
    /// A service's definition is another, or it is gone.
    ServiceChanged {
        /// Whose service it is.
        user_id: Uuid,
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
    /// Whose event it is: nobody else may see it.
    #[must_use]
    pub const fn user_id(&self) -> Uuid {
        match self {
            Self::StatusChecked { user_id, .. }
            | Self::IncidentChanged { user_id, .. }
            | Self::ServiceChanged { user_id, .. } => *user_id,
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

/// The sending side of all [`Events`] of this process. Each user has a channel of their own while somebody listens to it:
/// what concerns one user wakes nobody else.
#[derive(Debug, Clone)]
pub(crate) struct FanOut {
    everybody: broadcast::Sender<Delivery>,
    users: Users,
}

type Users = Arc<Mutex<HashMap<Uuid, UserChannel>>>;

#[derive(Debug)]
struct UserChannel {
    sender: broadcast::Sender<Delivery>,
    listeners: usize,
}

/// One who listens to a user's channel, which ends with the last of them.
#[derive(Debug)]
struct Listener {
    user: Uuid,
    users: Users,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut users = lock(&self.users);
        if let Some(channel) = users.get_mut(&self.user) {
            channel.listeners -= 1;
            if channel.listeners == 0 {
                users.remove(&self.user);
            }
        }
    }
}

impl FanOut {
    pub(crate) fn new() -> Self {
        Self {
            everybody: broadcast::channel(BUFFERED).0,
            users: Users::default(),
        }
    }

    pub(crate) fn subscribe(&self) -> Events {
        Events::new(self.everybody.subscribe(), None)
    }

    pub(crate) fn subscribe_to(&self, user: Uuid) -> Events {
        let mut users = lock(&self.users);
        let channel = users.entry(user).or_insert_with(|| UserChannel {
            sender: broadcast::channel(BUFFERED_OF_A_USER).0,
            listeners: 0,
        });
        channel.listeners += 1;
        Events::new(
            channel.sender.subscribe(),
            Some(Listener {
                user,
                users: self.users.clone(),
            }),
        )
    }

    pub(crate) fn anybody_listens(&self) -> bool {
        self.everybody.receiver_count() > 0 || !lock(&self.users).is_empty()
    }

    pub(crate) fn send(&self, events: impl IntoIterator<Item = Event>) {
        let events: Vec<_> = events.into_iter().map(Arc::new).collect();
        let users = lock(&self.users);
        if !users.is_empty() {
            let mut by_user: HashMap<Uuid, Vec<Arc<Event>>> = HashMap::new();
            for event in events
                .iter()
                .filter(|event| users.contains_key(&event.user_id()))
            {
                by_user
                    .entry(event.user_id())
                    .or_default()
                    .push(event.clone());
            }
            for (user, events) in by_user {
                deliver(&users[&user].sender, &events);
            }
        }
        drop(users);
        deliver(&self.everybody, &events);
    }

    pub(crate) fn send_missed(&self) {
        let users = lock(&self.users);
        for sender in users
            .values()
            .map(|channel| &channel.sender)
            .chain([&self.everybody])
        {
            // An error says that nobody listens.
            let _ = sender.send(Delivery::Missed);
        }
    }
}

/// Hands events to a channel, in batches: each wakes its receivers once.
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
