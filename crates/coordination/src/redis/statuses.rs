//! The status cache: a hash of service ids as 16 bytes to "slot status", in milliseconds and JSON.

use super::commands::{Commands, Script};
use super::value::{MAX_PER_COMMAND, field, id, json, ms};
use crate::error::{CoordinationError, Result};
use crate::status_cache::{CachedStatus, CurrentStatus};
use chrono::DateTime;
use fred::interfaces::HashesInterface;
use fred::types::{Key, Value};
use uuid::Uuid;

pub(super) struct StatusCache {
    commands: Commands,
    key: Key,
    insert: Script,
}

impl StatusCache {
    pub(super) fn new(commands: Commands, prefix: &str) -> Self {
        Self {
            commands,
            key: format!("{prefix}latest:{{0}}").into(),
            insert: Script::new("cache_statuses", include_str!("cache_statuses.lua")),
        }
    }

    pub(super) async fn insert(&self, statuses: &[CachedStatus]) -> Result<()> {
        for statuses in statuses.chunks(MAX_PER_COMMAND) {
            let arguments = statuses
                .iter()
                .flat_map(|status| {
                    [
                        id(status.service_id),
                        ms(status.slot),
                        json(&status.current),
                    ]
                })
                .collect();
            self.commands
                .call::<()>(&self.insert, &self.key, arguments)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn get(&self, services: &[Uuid]) -> Result<Vec<Option<CachedStatus>>> {
        let mut statuses = Vec::with_capacity(services.len());
        for services in services.chunks(MAX_PER_COMMAND) {
            let values: Vec<Value> = {
                let fields: Vec<_> = services.iter().map(|service| field(*service)).collect();
                let key = self.key.clone();
                self.commands
                    .run(
                        "HMGET",
                        |client| async move { client.hmget(key, fields).await },
                    )
                    .await?
            };
            if values.len() != services.len() {
                return Err(CoordinationError::UnexpectedAnswer { command: "HMGET" });
            }
            statuses.extend(
                services
                    .iter()
                    .zip(values)
                    .map(|(service, value)| parse(*service, &value)),
            );
        }
        Ok(statuses)
    }

    pub(super) async fn evict(&self, services: &[Uuid]) -> Result<()> {
        for services in services.chunks(MAX_PER_COMMAND) {
            let fields: Vec<_> = services.iter().map(|service| field(*service)).collect();
            let key = self.key.clone();
            self.commands
                .run("HDEL", |client| async move {
                    client.hdel::<(), _, _>(key, fields).await
                })
                .await?;
        }
        Ok(())
    }
}

/// Parses "slot status". What an incompatible version wrote counts as a miss.
fn parse(service_id: Uuid, value: &Value) -> Option<CachedStatus> {
    let text = value.as_str()?;
    let (slot, current) = text.split_once(' ')?;
    let current: CurrentStatus = serde_json::from_str(current).ok()?;
    Some(CachedStatus {
        service_id,
        slot: DateTime::from_timestamp_millis(slot.parse().ok()?)?,
        current,
    })
}
