//! This process's one subscription to events, kept up over every loss of the connection.

use super::connection::{Link, open_again};
use super::nodes::Nodes;
use crate::error::reason;
use crate::event::FanOut;
use crate::{Event, LiveError, Result};
use fred::interfaces::{ClientLike, EventInterface, FredResult, PubsubInterface};
use fred::types::{Message, Value};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::AbortHandle;
use tokio::time::MissedTickBehavior;

/// How often something is said on the connection: only then its loss is noticed while nobody publishes.
const PULSE: Duration = Duration::from_secs(2);

/// Subscribes and hands every event on to `events` until the task is aborted.
pub(super) async fn start(nodes: &Nodes, channel: &str, events: &FanOut) -> Result<AbortHandle> {
    let subscription = Subscription::to(channel, nodes.open().await?).await;
    let subscription = subscription.map_err(|error| LiveError::of("SUBSCRIBE", error))?;
    let (nodes, channel, events) = (nodes.clone(), channel.to_owned(), events.clone());
    Ok(tokio::spawn(keep_subscribed(nodes, channel, subscription, events)).abort_handle())
}

async fn keep_subscribed(
    nodes: Nodes,
    channel: String,
    mut subscription: Subscription,
    events: FanOut,
) {
    loop {
        subscription.hand_on(&events).await;
        tracing::warn!("the subscription to events in Redis is lost");
        subscription = loop {
            match Subscription::to(&channel, open_again(|| nodes.open()).await).await {
                Ok(subscription) => break subscription,
                Err(error) => tracing::warn!(
                    error = reason(&error),
                    "cannot subscribe to events in Redis again yet"
                ),
            }
        };
        tracing::info!("subscribed to events in Redis again");
        // Not before: who fetches now misses nothing that is published from here on.
        events.send_missed();
    }
}

/// A subscription that stands, on a connection of its own.
struct Subscription {
    link: Link,
    messages: Receiver<Message>,
}

impl Subscription {
    async fn to(channel: &str, link: Link) -> FredResult<Self> {
        let subscription = Self {
            messages: link.client.message_rx(),
            link,
        };
        // The client does not await the answer to SUBSCRIBE, but Redis answers in order.
        subscription.link.client.subscribe(channel).await?;
        subscription.ping().await?;
        Ok(subscription)
    }

    async fn ping(&self) -> FredResult<()> {
        self.link.client.ping::<Value>(None).await.map(drop)
    }

    /// Hands messages on until the connection is lost.
    async fn hand_on(&mut self, events: &FanOut) {
        let mut pulse = tokio::time::interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                message = self.messages.recv() => match message {
                    Ok(message) => publish(&message.value, events),
                    Err(RecvError::Lagged(_)) => events.send_missed(),
                    Err(RecvError::Closed) => return,
                },
                () = self.link.lost() => return,
                _ = pulse.tick() => {
                    if self.ping().await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

fn publish(message: &Value, events: &FanOut) {
    if !events.anybody_listens() {
        return;
    }
    match serde_json::from_slice::<Vec<Event>>(message.as_bytes().unwrap_or_default()) {
        Ok(batch) => events.send(batch),
        Err(error) => {
            tracing::warn!(%error, "an event cannot be read, another version of PulseCheck may have sent it");
            events.send_missed();
        }
    }
}
