//! The subscription of this process to events, renewed after each reconnection.

use super::connection::Connection;
use crate::error::{CoordinationError, Result, reason};
use crate::event::Event;
use crate::fan_out::FanOut;
use fred::interfaces::{ClientLike, EventInterface, FredResult, PubsubInterface};
use fred::types::config::{Config, Server};
use fred::types::{Message, Value};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::AbortHandle;
use tokio::time::MissedTickBehavior;

/// Interval of pings. Without them, a lost connection is not noticed while nobody publishes.
const PING_INTERVAL: Duration = Duration::from_secs(2);

/// Passes events on until it is dropped.
pub(super) struct Subscription {
    task: AbortHandle,
}

impl Subscription {
    /// Subscribes to `topic` on a connection of its own and passes every event on to `events`.
    pub(super) async fn start(config: &Config, topic: &str, events: FanOut) -> Result<Self> {
        let connection = Connection::open(config).await?;
        let messages = connection.client.message_rx();
        // The first connection is there already, so only reconnections are received.
        let reconnects = connection.client.reconnect_rx();
        let subscriber = Subscriber {
            connection,
            topic: topic.to_owned(),
            events,
        };
        subscriber
            .subscribe()
            .await
            .map_err(|error| CoordinationError::from_command("SUBSCRIBE", error))?;
        Ok(Self {
            task: tokio::spawn(subscriber.run(messages, reconnects)).abort_handle(),
        })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Subscriber {
    connection: Connection,
    topic: String,
    events: FanOut,
}

impl Subscriber {
    async fn run(self, mut messages: Receiver<Message>, mut reconnects: Receiver<Server>) {
        let mut ping = tokio::time::interval(PING_INTERVAL);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_subscribed = true;
        loop {
            tokio::select! {
                biased;
                message = messages.recv() => match message {
                    Ok(message) => self.deliver(&message.value),
                    Err(RecvError::Lagged(_)) => self.events.send_missed(),
                    Err(RecvError::Closed) => return,
                },
                _ = reconnects.recv() => is_subscribed = self.renew().await,
                _ = ping.tick() => if is_subscribed {
                    if let Err(error) = self.connection.client.ping::<()>(None).await {
                        self.connection.replace_if_unusable(&error);
                    }
                } else {
                    is_subscribed = self.renew().await;
                },
            }
        }
    }

    /// Subscribes again. Reports missed events only then, so that a client that refetches then misses
    /// nothing that is published from here on.
    async fn renew(&self) -> bool {
        match self.subscribe().await {
            Ok(()) => {
                self.events.send_missed();
                true
            }
            Err(error) => {
                self.connection.replace_if_unusable(&error);
                tracing::warn!(
                    error = reason(&error),
                    "failed to renew the subscription to events in Redis, retrying"
                );
                false
            }
        }
    }

    async fn subscribe(&self) -> FredResult<()> {
        let client = &self.connection.client;
        client.subscribe(&self.topic).await?;
        // The client does not await the answer to SUBSCRIBE, but Redis answers in order.
        client.ping(None).await
    }

    fn deliver(&self, message: &Value) {
        if !self.events.has_subscribers() {
            return;
        }
        match serde_json::from_slice::<Vec<Event>>(message.as_bytes().unwrap_or_default()) {
            Ok(batch) => self.events.send(batch),
            Err(error) => {
                tracing::warn!(%error, "unreadable event, another version of PulseCheck may have sent it");
                self.events.send_missed();
            }
        }
    }
}
