//! Publishes events to two topics: one carries all events, the other only changed definitions.

use super::commands::Commands;
use super::value::{MAX_PER_COMMAND, json};
use crate::error::Result;
use crate::event::Event;
use fred::interfaces::PubsubInterface;
use fred::types::Value;

pub(super) struct Publisher {
    commands: Commands,
    all_topic: String,
    /// For workers, which need no others.
    changes_topic: String,
}

impl Publisher {
    pub(super) fn new(commands: Commands, prefix: &str) -> Self {
        Self {
            commands,
            all_topic: format!("{prefix}events"),
            changes_topic: format!("{prefix}changes"),
        }
    }

    pub(super) fn all_topic(&self) -> &str {
        &self.all_topic
    }

    pub(super) fn changes_topic(&self) -> &str {
        &self.changes_topic
    }

    pub(super) async fn publish(&self, events: &[Event]) -> Result<()> {
        for events in events.chunks(MAX_PER_COMMAND) {
            let changes: Vec<_> = events
                .iter()
                .filter(|event| matches!(event, Event::ServiceChanged { .. }))
                .collect();
            if !changes.is_empty() {
                self.send(&self.changes_topic, json(&changes)).await?;
            }
            self.send(&self.all_topic, json(events)).await?;
        }
        Ok(())
    }

    async fn send(&self, topic: &str, batch: Value) -> Result<()> {
        let topic = topic.to_owned();
        self.commands
            .run("PUBLISH", |client| async move {
                client.publish(topic, batch).await
            })
            .await
    }
}
