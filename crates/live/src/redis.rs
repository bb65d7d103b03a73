//! The live state in a Redis server (6.2 or later): a sorted set of due times, a hash of latest statuses, a channel.
//!
//! Each script touches one key, so that a cluster can hold them on different nodes.

mod answer;
mod connection;
mod subscription;

use crate::event::FanOut;
use crate::{Claim, Claimed, Event, Events, Latest, Result};
use answer::Answer;
use chrono::{DateTime, Utc};
use connection::{Commands, Script};
use fred::types::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use uuid::Uuid;

/// What stands in the queue, besides services, at its very end, once it is built: it can only be lost with the queue.
const BUILT: &str = "built";
/// How many services one command carries, so that none keeps Redis from others for long.
const CHUNK: usize = 1000;

/// The live state in Redis; clones share the connections.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
}

struct Shared {
    commands: Commands,
    scripts: Scripts,
    /// Sorted set: service ids as 16 bytes, scores in milliseconds.
    queue: String,
    /// Hash: service id as 16 bytes to "slot status".
    statuses: String,
    channel: String,
    events: FanOut,
    due_changed: Notify,
    /// Fills `events`.
    subscription: AbortHandle,
}

struct Scripts {
    claim: Script,
    complete: Script,
    extend: Script,
    put_latest: Script,
}

impl Redis {
    pub(crate) async fn connect(url: &str, prefix: &str) -> Result<Self> {
        let config = connection::config(url)?;
        let commands = Commands::connect(&config).await?;
        let (channel, events) = (format!("{prefix}events"), FanOut::new());
        let subscription = subscription::start(&config, &channel, &events).await?;
        let shared = Shared {
            commands,
            scripts: Scripts {
                claim: Script::new("claim", include_str!("redis/claim.lua")),
                complete: Script::new("complete", include_str!("redis/complete.lua")),
                extend: Script::new("extend", include_str!("redis/extend.lua")),
                put_latest: Script::new("put_latest", include_str!("redis/put_latest.lua")),
            },
            // The tag in braces decides the slot in a cluster; a queue that is split one day gets more of them.
            queue: format!("{prefix}due:{{0}}"),
            statuses: format!("{prefix}latest:{{0}}"),
            channel,
            events,
            due_changed: Notify::new(),
            subscription,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(crate) async fn ping(&self) -> Result<()> {
        self.shared.commands.run("PING", None, Vec::new()).await.map(drop)
    }

    pub(crate) async fn now(&self) -> Result<DateTime<Utc>> {
        let answer = self.shared.commands.run("TIME", None, Vec::new()).await?;
        let mut parts = answer.items()?;
        let (seconds, micros) = (parts.next_integer()?, parts.next_integer()?);
        answer::instant("TIME", seconds * 1000 + micros / 1000)
    }

    pub(crate) async fn schedule(&self, dues: &[(Uuid, DateTime<Utc>)]) -> Result<()> {
        self.add(dues, None).await
    }

    pub(crate) async fn ensure(&self, dues: &[(Uuid, DateTime<Utc>)]) -> Result<()> {
        self.add(dues, Some("NX")).await
    }

    async fn add(&self, dues: &[(Uuid, DateTime<Utc>)], condition: Option<&'static str>) -> Result<()> {
        for dues in dues.chunks(CHUNK) {
            let mut arguments: Vec<Value> = condition.into_iter().map(Value::from_static_str).collect();
            for (service, due) in dues {
                arguments.extend([ms(*due), id(*service)]);
            }
            self.on_queue("ZADD", arguments).await?;
        }
        self.shared.due_changed.notify_one();
        Ok(())
    }

    pub(crate) async fn remove(&self, services: &[Uuid]) -> Result<()> {
        for services in services.chunks(CHUNK) {
            self.on_queue("ZREM", services.iter().copied().map(id).collect()).await?;
        }
        Ok(())
    }

    pub(crate) async fn claim(&self, limit: usize, lease: Duration) -> Result<Claimed> {
        let lease = crate::lease(lease);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let arguments = vec![limit.into(), lease.num_milliseconds().into()];
        let answer = self.shared.commands.call(&self.shared.scripts.claim, &self.shared.queue, arguments).await?;
        let mut answer = answer.items()?;
        let now = answer.next_instant()?;
        let built = answer.next_integer()? == 1;
        let next_due = answer.next_optional_instant()?;
        let mut dues = answer.next_items()?;
        let mut claims = Vec::with_capacity(dues.len() / 2);
        while dues.len() > 0 {
            claims.push(Claim { service_id: dues.next_id()?, due: dues.next_instant()?, lease_until: now + lease });
        }
        Ok(Claimed { claims, now, next_due, built })
    }

    pub(crate) async fn complete(&self, claims: &[(Claim, DateTime<Utc>)]) -> Result<usize> {
        let mut completed = 0;
        for claims in claims.chunks(CHUNK) {
            let arguments =
                claims.iter().flat_map(|(claim, next)| [id(claim.service_id), ms(claim.lease_until), ms(*next)]);
            let script = &self.shared.scripts.complete;
            let answer = self.shared.commands.call(script, &self.shared.queue, arguments.collect()).await?;
            completed += answer.count()?;
        }
        Ok(completed)
    }

    pub(crate) async fn extend(&self, claim: &Claim, lease: Duration) -> Result<Option<DateTime<Utc>>> {
        let lease = crate::lease(lease).num_milliseconds();
        let arguments = vec![id(claim.service_id), ms(claim.lease_until), lease.into()];
        self.shared.commands.call(&self.shared.scripts.extend, &self.shared.queue, arguments).await?.optional_instant()
    }

    pub(crate) async fn mark_built(&self) -> Result<()> {
        self.on_queue("ZADD", vec!["+inf".into(), BUILT.into()]).await.map(drop)
    }

    pub(crate) async fn queue_len(&self) -> Result<usize> {
        self.on_queue("ZCOUNT", vec!["-inf".into(), "(+inf".into()]).await?.count()
    }

    pub(crate) async fn due_changed(&self) {
        self.shared.due_changed.notified().await;
    }

    pub(crate) async fn put_latest(&self, latest: &[Latest]) -> Result<()> {
        for latest in latest.chunks(CHUNK) {
            let arguments =
                latest.iter().flat_map(|latest| [id(latest.service_id), ms(latest.slot), json(&latest.current)]);
            let script = &self.shared.scripts.put_latest;
            self.shared.commands.call(script, &self.shared.statuses, arguments.collect()).await?;
        }
        Ok(())
    }

    pub(crate) async fn latest(&self, services: &[Uuid]) -> Result<Vec<Option<Latest>>> {
        let mut found = Vec::with_capacity(services.len());
        for services in services.chunks(CHUNK) {
            let answer = self.on_statuses("HMGET", services).await?;
            let mut items = answer.items()?;
            for service_id in services {
                found.push(items.next_latest(*service_id)?);
            }
        }
        Ok(found)
    }

    pub(crate) async fn forget(&self, services: &[Uuid]) -> Result<()> {
        for services in services.chunks(CHUNK) {
            self.on_statuses("HDEL", services).await?;
        }
        Ok(())
    }

    pub(crate) async fn publish(&self, events: &[Event]) -> Result<()> {
        for events in events.chunks(CHUNK) {
            self.shared.commands.run("PUBLISH", Some(&self.shared.channel), vec![json(events)]).await?;
        }
        Ok(())
    }

    pub(crate) fn subscribe(&self) -> Events {
        self.shared.events.subscribe()
    }

    async fn on_queue(&self, command: &'static str, arguments: Vec<Value>) -> Result<Answer> {
        self.shared.commands.run(command, Some(&self.shared.queue), arguments).await
    }

    async fn on_statuses(&self, command: &'static str, services: &[Uuid]) -> Result<Answer> {
        let arguments = services.iter().copied().map(id).collect();
        self.shared.commands.run(command, Some(&self.shared.statuses), arguments).await
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The connections know the password.
        f.debug_struct("Redis").field("queue", &self.shared.queue).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.subscription.abort();
    }
}

fn id(service: Uuid) -> Value {
    Value::Bytes(service.as_bytes().to_vec().into())
}

fn ms(instant: DateTime<Utc>) -> Value {
    Value::Integer(instant.timestamp_millis())
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_string(value).expect("statuses and events have string keys and nothing that fails").into()
}
