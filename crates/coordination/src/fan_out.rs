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

/// Batches buffered for a slow receiver of one workspace's events before it misses some.
const WORKSPACE_BUFFER: usize = 256;

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
    /// Keeps the workspace's topic alive.
    _subscriber: Option<WorkspaceSubscriber>,
}

impl Events {
    fn new(
        deliveries: broadcast::Receiver<Delivery>,
        subscriber: Option<WorkspaceSubscriber>,
    ) -> Self {
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

/// The sending side of all [`Events`] of this process. A workspace has a topic of its own while
/// somebody subscribes to it, so that its events wake nobody else.
#[derive(Debug, Clone)]
pub(crate) struct FanOut {
    all_workspaces: broadcast::Sender<Delivery>,
    topics: WorkspaceTopics,
}

type WorkspaceTopics = Arc<Mutex<HashMap<Uuid, WorkspaceTopic>>>;

#[derive(Debug)]
struct WorkspaceTopic {
    sender: broadcast::Sender<Delivery>,
    subscribers: usize,
}

/// A subscriber of a workspace's topic, which is removed with the last of them.
#[derive(Debug)]
struct WorkspaceSubscriber {
    workspace: Uuid,
    topics: WorkspaceTopics,
}

impl Drop for WorkspaceSubscriber {
    fn drop(&mut self) {
        let mut topics = lock(&self.topics);
        if let Some(topic) = topics.get_mut(&self.workspace) {
            topic.subscribers -= 1;
            if topic.subscribers == 0 {
                topics.remove(&self.workspace);
            }
        }
    }
}

impl FanOut {
    pub(crate) fn new() -> Self {
        Self {
            all_workspaces: broadcast::channel(GLOBAL_BUFFER).0,
            topics: WorkspaceTopics::default(),
        }
    }

    pub(crate) fn subscribe(&self) -> Events {
        Events::new(self.all_workspaces.subscribe(), None)
    }

    pub(crate) fn subscribe_to(&self, workspace: Uuid) -> Events {
        let mut topics = lock(&self.topics);
        let topic = topics.entry(workspace).or_insert_with(|| WorkspaceTopic {
            sender: broadcast::channel(WORKSPACE_BUFFER).0,
            subscribers: 0,
        });
        topic.subscribers += 1;
        Events::new(
            topic.sender.subscribe(),
            Some(WorkspaceSubscriber {
                workspace,
                topics: self.topics.clone(),
            }),
        )
    }

    pub(crate) fn has_subscribers(&self) -> bool {
        self.all_workspaces.receiver_count() > 0 || !lock(&self.topics).is_empty()
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
        deliver(&self.all_workspaces, &events);
    }

    pub(crate) fn send_missed(&self) {
        let topics = lock(&self.topics);
        for sender in topics
            .values()
            .map(|topic| &topic.sender)
            .chain([&self.all_workspaces])
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
