//! Fans events out to the receivers within this process.

use crate::event::Event;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use tokio::sync::broadcast;
use tokio_stream::Stream;
use tokio_stream::wrappers::BroadcastStream;
use uuid::Uuid;

/// Batches buffered for a slow receiver of all events before it misses some.
const GLOBAL_BUFFER: usize = 1024;

/// Batches buffered for a slow receiver of one user's events before it misses some.
const USER_BUFFER: usize = 256;

/// Maximum number of events in one batch.
const MAX_BATCH: usize = 64;

/// Events were lost before they reached this receiver: it was too slow, or the connection to
/// Redis broke. Refetch whatever is derived from events; those that follow are complete again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("events were missed: fetch the state anew")]
pub struct Missed;

/// A stream of events. Ends when its [`Coordination`](crate::Coordination) is dropped.
#[derive(Debug)]
pub struct Events {
    deliveries: BroadcastStream<Delivery>,
    /// The last batch, and how many of its events were returned.
    batch: (Batch, usize),
    /// Keeps the user's topic alive.
    _subscriber: Option<UserSubscriber>,
}

impl Events {
    fn new(deliveries: broadcast::Receiver<Delivery>, subscriber: Option<UserSubscriber>) -> Self {
        Self {
            deliveries: BroadcastStream::new(deliveries),
            batch: (Arc::new([]), 0),
            _subscriber: subscriber,
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

#[derive(Debug, Clone)]
enum Delivery {
    Events(Batch),
    Missed,
}

/// The sending side of all [`Events`] of this process. A user has a topic of their own while
/// somebody subscribes to it, so that their events wake nobody else.
#[derive(Debug, Clone)]
pub(crate) struct FanOut {
    all_users: broadcast::Sender<Delivery>,
    users: UserTopics,
}

type UserTopics = Arc<Mutex<HashMap<Uuid, UserTopic>>>;

#[derive(Debug)]
struct UserTopic {
    sender: broadcast::Sender<Delivery>,
    subscribers: usize,
}

/// A subscriber of a user's topic, which is removed with the last of them.
#[derive(Debug)]
struct UserSubscriber {
    user: Uuid,
    users: UserTopics,
}

impl Drop for UserSubscriber {
    fn drop(&mut self) {
        let mut users = lock(&self.users);
        if let Some(topic) = users.get_mut(&self.user) {
            topic.subscribers -= 1;
            if topic.subscribers == 0 {
                users.remove(&self.user);
            }
        }
    }
}

impl FanOut {
    pub(crate) fn new() -> Self {
        Self {
            all_users: broadcast::channel(GLOBAL_BUFFER).0,
            users: UserTopics::default(),
        }
    }

    pub(crate) fn subscribe(&self) -> Events {
        Events::new(self.all_users.subscribe(), None)
    }

    pub(crate) fn subscribe_to(&self, user: Uuid) -> Events {
        let mut users = lock(&self.users);
        let topic = users.entry(user).or_insert_with(|| UserTopic {
            sender: broadcast::channel(USER_BUFFER).0,
            subscribers: 0,
        });
        topic.subscribers += 1;
        Events::new(
            topic.sender.subscribe(),
            Some(UserSubscriber {
                user,
                users: self.users.clone(),
            }),
        )
    }

    pub(crate) fn has_subscribers(&self) -> bool {
        self.all_users.receiver_count() > 0 || !lock(&self.users).is_empty()
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
        deliver(&self.all_users, &events);
    }

    pub(crate) fn send_missed(&self) {
        let users = lock(&self.users);
        for sender in users
            .values()
            .map(|topic| &topic.sender)
            .chain([&self.all_users])
        {
            // Fails only if nobody subscribes.
            let _ = sender.send(Delivery::Missed);
        }
    }
}

/// Sends events in batches, because each send wakes all receivers.
fn deliver(sender: &broadcast::Sender<Delivery>, events: &[Arc<Event>]) {
    for batch in events.chunks(MAX_BATCH) {
        // Fails only if nobody subscribes.
        let _ = sender.send(Delivery::Events(batch.into()));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("nothing panics while it holds the lock")
}
