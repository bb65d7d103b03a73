//! What the processes tell each other, and how a process listens.

use crate::CurrentStatus;
use chrono::{DateTime, Utc};
use domain::Status;
use serde::{Deserialize, Serialize};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::broadcast;
use tokio_stream::Stream;
use tokio_stream::wrappers::BroadcastStream;
use uuid::Uuid;

/// How many events wait for a slow receiver before it misses some.
const BUFFERED: usize = 4096;

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
pub struct Events(BroadcastStream<Delivery>);

impl Stream for Events {
    type Item = Result<Arc<Event>, Missed>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0).poll_next(context).map(|delivery| {
            delivery.map(|delivery| match delivery {
                Ok(Delivery::Event(event)) => Ok(event),
                Ok(Delivery::Missed) | Err(_) => Err(Missed),
            })
        })
    }
}

/// What the receivers of this process are told.
#[derive(Debug, Clone)]
pub(crate) enum Delivery {
    Event(Arc<Event>),
    Missed,
}

/// The sending side of all [`Events`] of this process.
#[derive(Debug, Clone)]
pub(crate) struct FanOut(broadcast::Sender<Delivery>);

impl FanOut {
    pub(crate) fn new() -> Self {
        Self(broadcast::channel(BUFFERED).0)
    }

    pub(crate) fn subscribe(&self) -> Events {
        Events(BroadcastStream::new(self.0.subscribe()))
    }

    pub(crate) fn anybody_listens(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub(crate) fn send(&self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            // An error says that nobody listens.
            let _ = self.0.send(Delivery::Event(Arc::new(event)));
        }
    }

    pub(crate) fn send_missed(&self) {
        let _ = self.0.send(Delivery::Missed);
    }
}
