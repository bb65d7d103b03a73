//! The registry of workers: a hash of worker ids as 16 bytes to "registered expires worker", in
//! milliseconds and JSON.

use super::commands::{Commands, Script};
use super::value::{field, id, instant, json};
use crate::error::Result;
use crate::worker::{Worker, WorkerPresence, sort_by_start};
use chrono::{DateTime, TimeDelta, Utc};
use fred::interfaces::HashesInterface;
use fred::types::{Key, Value};
use uuid::Uuid;

pub(super) struct WorkerRegistry {
    commands: Commands,
    key: Key,
    register: Script,
    list: Script,
}

impl WorkerRegistry {
    pub(super) fn new(commands: Commands, prefix: &str) -> Self {
        Self {
            commands,
            key: format!("{prefix}workers").into(),
            register: Script::new("register_worker", include_str!("register_worker.lua")),
            list: Script::new("workers", include_str!("workers.lua")),
        }
    }

    pub(super) async fn register(&self, worker: &Worker, ttl: TimeDelta) -> Result<()> {
        let arguments = vec![id(worker.id), json(worker), ttl.num_milliseconds().into()];
        self.commands
            .call(&self.register, &self.key, arguments)
            .await
    }

    pub(super) async fn deregister(&self, worker: Uuid) -> Result<()> {
        let key = self.key.clone();
        self.commands
            .run("HDEL", |client| async move {
                client.hdel(key, field(worker)).await
            })
            .await
    }

    pub(super) async fn list(&self) -> Result<Vec<WorkerPresence>> {
        let (now, registered): (i64, Vec<(Value, Value)>) = self
            .commands
            .call(&self.list, &self.key, Vec::new())
            .await?;
        let now = instant(self.list.name, now)?;
        let mut workers: Vec<_> = registered
            .iter()
            .filter_map(|(_, value)| parse(value, now))
            .collect();
        sort_by_start(&mut workers);
        Ok(workers)
    }
}

/// Parses "registered expires worker" unless it has expired. What an incompatible version wrote
/// is ignored.
fn parse(value: &Value, now: DateTime<Utc>) -> Option<WorkerPresence> {
    let text = value.as_str()?;
    let mut parts = text.splitn(3, ' ');
    let mut next_instant = || DateTime::from_timestamp_millis(parts.next()?.parse().ok()?);
    let (last_seen_at, expires) = (next_instant()?, next_instant()?);
    let worker = serde_json::from_str(parts.next()?).ok()?;
    (expires > now).then_some(WorkerPresence {
        worker,
        last_seen_at,
    })
}
