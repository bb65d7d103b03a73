//! This process's one subscription to events, kept up over every loss of the connection.

use super::connection;
use crate::error::reason;
use crate::event::FanOut;
use crate::{Event, LiveError, Result};
use fred::clients::Client;
use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use fred::types::config::{Config, Server};
use fred::types::{Message, Value};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::AbortHandle;
use tokio::time::MissedTickBehavior;

/// How often something is said on the connection: only then its loss is noticed while nobody publishes.
const PULSE: Duration = Duration::from_secs(2);

/// Subscribes and hands every event on to `events` until the tasks are aborted.
pub(super) async fn start(config: &Config, channel: &str, events: &FanOut) -> Result<[AbortHandle; 2]> {
    let (client, connection) = connection::client(config).await?;
    let relay = Relay {
        messages: client.message_rx(),
        reconnects: client.reconnect_rx(),
        client,
        channel: channel.to_owned(),
        events: events.clone(),
        subscribed: true,
    };
    // A reconnect from here on is noticed by the relay, and then it subscribes again.
    if let Err(error) = relay.subscribe().await {
        connection.abort();
        return Err(LiveError::of("SUBSCRIBE", error));
    }
    Ok([connection, tokio::spawn(relay.run()).abort_handle()])
}

struct Relay {
    client: Client,
    channel: String,
    messages: Receiver<Message>,
    reconnects: Receiver<Server>,
    events: FanOut,
    subscribed: bool,
}

impl Relay {
    async fn run(mut self) {
        let mut pulse = tokio::time::interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = self.messages.recv() => match message {
                    Ok(message) => self.hand_on(&message.value),
                    Err(RecvError::Lagged(_)) => self.events.send_missed(),
                    Err(RecvError::Closed) => return,
                },
                reconnect = self.reconnects.recv() => match reconnect {
                    Ok(_) | Err(RecvError::Lagged(_)) => self.subscribe_again().await,
                    Err(RecvError::Closed) => return,
                },
                _ = pulse.tick() => {
                    if self.subscribed {
                        let _ = self.client.ping::<Value>(None).await;
                    } else {
                        self.subscribe_again().await;
                    }
                },
            }
        }
    }

    fn hand_on(&self, message: &Value) {
        if !self.events.anybody_listens() {
            return;
        }
        match serde_json::from_slice::<Vec<Event>>(message.as_bytes().unwrap_or_default()) {
            Ok(events) => self.events.send(events),
            Err(error) => {
                tracing::warn!(%error, "an event cannot be read, another version of PulseCheck may have sent it");
                self.events.send_missed();
            }
        }
    }

    /// After the connection was lost: only when the subscription stands again may receivers fetch what they missed.
    async fn subscribe_again(&mut self) {
        self.subscribed = match self.subscribe().await {
            Ok(()) => {
                tracing::info!("subscribed to events in Redis again, the connection had been lost");
                self.events.send_missed();
                true
            }
            Err(error) => {
                tracing::warn!(error = reason(&error), "cannot subscribe to events in Redis again yet");
                false
            }
        };
    }

    /// Returns when the subscription stands: the client does not await the answer to SUBSCRIBE, but Redis answers in
    /// order.
    async fn subscribe(&self) -> std::result::Result<(), fred::error::Error> {
        self.client.subscribe(self.channel.as_str()).await?;
        self.client.ping::<Value>(None).await.map(drop)
    }
}
