//! The live state in Redis (6.2 or later), one server or a cluster: sorted sets of due times, hashes of latest statuses, one
//! of workers, two channels.
//!
//! Queue and statuses stand in shards, which a cluster spreads over its nodes. One server runs one command after the
//! other however many keys there are, so it has one shard. Each command and each script touches one key.

mod answer;
mod connection;
mod nodes;
mod shard;
mod subscription;

use crate::event::FanOut;
use crate::{Claim, Claimed, Event, Events, Latest, Present, Result, Worker, worker};
use answer::Answer;
use chrono::{DateTime, TimeDelta, Utc};
use connection::Script;
use fred::types::Value;
use futures::future::join_all;
use nodes::{Act, Key, Nodes};
use shard::{Look, Shard, ask_for_more, shard_of};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use uuid::Uuid;

/// What stands in each shard of the queue, besides services, at its very end, once it is built: it can only be lost with
/// the shard.
const BUILT: &str = "built";
/// How many services one command carries, so that none keeps Redis from others for long.
const CHUNK: usize = 1000;

/// Which events a process is told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hearing {
    Everything,
    /// Those of changed definitions alone.
    Changes,
}

/// The live state in Redis; clones share the connections.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
}

struct Shared {
    nodes: Nodes,
    scripts: Scripts,
    shards: Vec<Shard>,
    /// Hash: worker id as 16 bytes to "heard ends worker", in milliseconds and as JSON.
    workers: Key,
    /// Every event.
    events_channel: String,
    /// Those of changed definitions once more, for whoever wants no others.
    changes_channel: String,
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
    announce: Script,
    workers: Script,
}

impl Redis {
    pub(crate) async fn connect(url: &str, prefix: &str, hearing: Hearing) -> Result<Self> {
        let nodes = Nodes::connect(connection::config(url)?).await?;
        let (events_channel, changes_channel) =
            (format!("{prefix}events"), format!("{prefix}changes"));
        let heard = match hearing {
            Hearing::Everything => &events_channel,
            Hearing::Changes => &changes_channel,
        };
        let events = FanOut::new();
        let subscription = subscription::start(&nodes, heard, &events).await?;
        let shared = Shared {
            scripts: Scripts {
                claim: Script::new("claim", include_str!("redis/claim.lua")),
                complete: Script::new("complete", include_str!("redis/complete.lua")),
                extend: Script::new("extend", include_str!("redis/extend.lua")),
                put_latest: Script::new("put_latest", include_str!("redis/put_latest.lua")),
                announce: Script::new("announce", include_str!("redis/announce.lua")),
                workers: Script::new("workers", include_str!("redis/workers.lua")),
            },
            shards: Shard::all(
                prefix,
                if nodes.are_a_cluster() {
                    shard::IN_A_CLUSTER
                } else {
                    1
                },
            ),
            workers: Key::new(format!("{prefix}workers")),
            nodes,
            events_channel,
            changes_channel,
            events,
            due_changed: Notify::new(),
            subscription,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    pub(crate) async fn ping(&self) -> Result<()> {
        self.shared
            .nodes
            .run_anywhere("PING", Vec::new())
            .await
            .map(drop)
    }

    pub(crate) async fn now(&self) -> Result<DateTime<Utc>> {
        let answer = self.shared.nodes.run_anywhere("TIME", Vec::new()).await?;
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

    async fn add(
        &self,
        dues: &[(Uuid, DateTime<Utc>)],
        condition: Option<&'static str>,
    ) -> Result<()> {
        let arguments = |dues: &[&(Uuid, DateTime<Utc>)]| {
            let pairs = dues
                .iter()
                .flat_map(|(service, due)| [ms(*due), id(*service)]);
            condition
                .into_iter()
                .map(Value::from_static_str)
                .chain(pairs)
                .collect()
        };
        self.in_shards(
            Act::Command("ZADD"),
            Shard::queue,
            dues,
            |(service, _)| *service,
            arguments,
        )
        .await?;
        self.shared.due_changed.notify_one();
        Ok(())
    }

    pub(crate) async fn remove(&self, services: &[Uuid]) -> Result<()> {
        self.in_shards(
            Act::Command("ZREM"),
            Shard::queue,
            services,
            |service| *service,
            ids,
        )
        .await
        .map(drop)
    }

    /// Asks each shard for the same share, and then, for what is left, those that have more, the longest due first. While
    /// some cannot be reached the others give what they have.
    pub(crate) async fn claim(&self, limit: usize, lease: Duration) -> Result<Claimed> {
        let shards = &self.shared.shards;
        let lease = crate::lease(lease);
        let mut looks: Vec<Option<Look>> = shards.iter().map(|_| None).collect();
        let (mut claims, mut refusal) = (Vec::new(), None);
        let mut asked: Vec<(usize, usize)> = (0..shards.len())
            .map(|shard| (shard, limit / shards.len()))
            .collect();
        while !asked.is_empty() {
            let answers = asked
                .iter()
                .map(|(shard, limit)| self.claim_in(&shards[*shard], *limit, lease));
            for ((shard, _), answer) in asked.iter().zip(join_all(answers).await) {
                looks[*shard] = match answer {
                    Ok((more, look)) => {
                        claims.extend(more);
                        Some(look)
                    }
                    Err(error) => {
                        refusal = Some(error);
                        None
                    }
                };
            }
            asked = ask_for_more(&looks, limit.saturating_sub(claims.len()));
        }
        let looks: Vec<Look> = looks.into_iter().flatten().collect();
        let Some(latest) = looks.iter().map(|look| look.now).max() else {
            return Err(refusal.expect("a shard answers or refuses"));
        };
        claims.sort_unstable_by_key(|claim| (claim.due, claim.service_id));
        Ok(Claimed {
            // The clocks of nodes may differ: that counts by which something was due.
            now: claims
                .iter()
                .map(|claim| claim.lease_until - lease)
                .max()
                .unwrap_or(latest),
            next_due: looks.iter().filter_map(|look| look.next_due).min(),
            built: looks.iter().all(|look| look.built),
            claims,
        })
    }

    async fn claim_in(
        &self,
        shard: &Shard,
        limit: usize,
        lease: TimeDelta,
    ) -> Result<(Vec<Claim>, Look)> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let arguments = vec![limit.into(), lease.num_milliseconds().into()];
        let mut answer = self
            .shared
            .nodes
            .run(
                Act::Script(&self.shared.scripts.claim),
                &shard.queue,
                arguments,
            )
            .await?
            .items()?;
        let now = answer.next_instant()?;
        let built = answer.next_integer()? == 1;
        let next_due = answer.next_optional_instant()?;
        let mut dues = answer.next_items()?;
        let mut claims = Vec::with_capacity(dues.len() / 2);
        while dues.len() > 0 {
            claims.push(Claim {
                service_id: dues.next_id()?,
                due: dues.next_instant()?,
                lease_until: now + lease,
            });
        }
        Ok((
            claims,
            Look {
                now,
                next_due,
                built,
            },
        ))
    }

    pub(crate) async fn complete(&self, claims: &[(Claim, DateTime<Utc>)]) -> Result<usize> {
        let arguments = |claims: &[&(Claim, DateTime<Utc>)]| {
            claims
                .iter()
                .flat_map(|(claim, next)| [id(claim.service_id), ms(claim.lease_until), ms(*next)])
                .collect()
        };
        let script = Act::Script(&self.shared.scripts.complete);
        let answers = self
            .in_shards(
                script,
                Shard::queue,
                claims,
                |(claim, _)| claim.service_id,
                arguments,
            )
            .await?;
        answers.into_iter().map(|(_, answer)| answer.count()).sum()
    }

    pub(crate) async fn extend(
        &self,
        claim: &Claim,
        lease: Duration,
    ) -> Result<Option<DateTime<Utc>>> {
        let lease = crate::lease(lease).num_milliseconds();
        let arguments = vec![id(claim.service_id), ms(claim.lease_until), lease.into()];
        let shard = &self.shared.shards[self.shard_of(claim.service_id)];
        self.shared
            .nodes
            .run(
                Act::Script(&self.shared.scripts.extend),
                &shard.queue,
                arguments,
            )
            .await?
            .optional_instant()
    }

    pub(crate) async fn mark_built(&self) -> Result<()> {
        self.in_all_queues("ZADD", &["+inf", BUILT]).await.map(drop)
    }

    pub(crate) async fn queue_len(&self) -> Result<usize> {
        self.in_all_queues("ZCOUNT", &["-inf", "(+inf"])
            .await?
            .into_iter()
            .map(Answer::count)
            .sum()
    }

    pub(crate) async fn due_changed(&self) {
        self.shared.due_changed.notified().await;
    }

    pub(crate) async fn put_latest(&self, latest: &[Latest]) -> Result<()> {
        let arguments = |latest: &[&Latest]| {
            latest
                .iter()
                .flat_map(|latest| {
                    [
                        id(latest.service_id),
                        ms(latest.slot),
                        json(&latest.current),
                    ]
                })
                .collect()
        };
        let script = Act::Script(&self.shared.scripts.put_latest);
        self.in_shards(
            script,
            Shard::statuses,
            latest,
            |latest| latest.service_id,
            arguments,
        )
        .await
        .map(drop)
    }

    pub(crate) async fn latest(&self, services: &[Uuid]) -> Result<Vec<Option<Latest>>> {
        let asked: Vec<(usize, Uuid)> = services.iter().copied().enumerate().collect();
        let arguments =
            |asked: &[&(usize, Uuid)]| asked.iter().map(|(_, service)| id(*service)).collect();
        let hmget = Act::Command("HMGET");
        let answers = self
            .in_shards(
                hmget,
                Shard::statuses,
                &asked,
                |(_, service)| *service,
                arguments,
            )
            .await?;
        let mut found: Vec<_> = services.iter().map(|_| None).collect();
        for (asked, answer) in answers {
            let mut items = answer.items()?;
            for (place, service_id) in asked {
                found[*place] = items.next_latest(*service_id)?;
            }
        }
        Ok(found)
    }

    pub(crate) async fn forget(&self, services: &[Uuid]) -> Result<()> {
        self.in_shards(
            Act::Command("HDEL"),
            Shard::statuses,
            services,
            |service| *service,
            ids,
        )
        .await
        .map(drop)
    }

    pub(crate) async fn publish(&self, events: &[Event]) -> Result<()> {
        let publish = async |channel: &str, batch: Value| {
            self.shared
                .nodes
                .run_anywhere("PUBLISH", vec![channel.into(), batch])
                .await
                .map(drop)
        };
        for events in events.chunks(CHUNK) {
            let changes: Vec<_> = events
                .iter()
                .filter(|event| matches!(event, Event::ServiceChanged { .. }))
                .collect();
            if !changes.is_empty() {
                publish(&self.shared.changes_channel, json(&changes)).await?;
            }
            publish(&self.shared.events_channel, json(events)).await?;
        }
        Ok(())
    }

    pub(crate) fn subscribe(&self) -> Events {
        self.shared.events.subscribe()
    }

    pub(crate) fn subscribe_to(&self, workspace: Uuid) -> Events {
        self.shared.events.subscribe_to(workspace)
    }

    pub(crate) async fn announce(&self, worker: &Worker, lasting: Duration) -> Result<()> {
        let arguments = vec![
            id(worker.id),
            json(worker),
            crate::lease(lasting).num_milliseconds().into(),
        ];
        let script = Act::Script(&self.shared.scripts.announce);
        self.shared
            .nodes
            .run(script, &self.shared.workers, arguments)
            .await
            .map(drop)
    }

    pub(crate) async fn depart(&self, worker: Uuid) -> Result<()> {
        self.shared
            .nodes
            .run(Act::Command("HDEL"), &self.shared.workers, vec![id(worker)])
            .await
            .map(drop)
    }

    pub(crate) async fn workers(&self) -> Result<Vec<Present>> {
        let script = Act::Script(&self.shared.scripts.workers);
        let mut answer = self
            .shared
            .nodes
            .run(script, &self.shared.workers, Vec::new())
            .await?
            .items()?;
        let (now, mut known) = (answer.next_instant()?, answer.next_items()?);
        let mut workers = Vec::with_capacity(known.len() / 2);
        while known.len() > 0 {
            known.next_id()?;
            workers.extend(known.next_present(now)?);
        }
        worker::sort(&mut workers);
        Ok(workers)
    }

    /// Does `act` in the shard of each of `items`, for all shards that can be reached even if others cannot. Answers each
    /// portion with what came of it.
    async fn in_shards<'a, T: Sync>(
        &self,
        act: Act<'_>,
        key: fn(&Shard) -> &Key,
        items: &'a [T],
        service: fn(&T) -> Uuid,
        arguments: impl Fn(&[&'a T]) -> Vec<Value>,
    ) -> Result<Vec<(Vec<&'a T>, Answer)>> {
        let mut parts: Vec<Vec<&T>> = self.shared.shards.iter().map(|_| Vec::new()).collect();
        for item in items {
            parts[self.shard_of(service(item))].push(item);
        }
        let work = parts
            .into_iter()
            .zip(&self.shared.shards)
            .filter(|(part, _)| !part.is_empty())
            .map(|(part, shard)| {
                // One after the other: of a service that is given twice the last counts.
                let portions: Vec<_> = part
                    .chunks(CHUNK)
                    .map(|portion| (portion.to_vec(), arguments(portion)))
                    .collect();
                async move {
                    let mut done = Vec::with_capacity(portions.len());
                    for (portion, arguments) in portions {
                        let answer = self.shared.nodes.run(act, key(shard), arguments).await?;
                        done.push((portion, answer));
                    }
                    Ok(done)
                }
            });
        let done: Vec<Result<Vec<_>>> = join_all(work).await;
        let done: Result<Vec<Vec<_>>> = done.into_iter().collect();
        Ok(done?.into_iter().flatten().collect())
    }

    async fn in_all_queues(
        &self,
        command: &'static str,
        arguments: &[&'static str],
    ) -> Result<Vec<Answer>> {
        let arguments = || {
            arguments
                .iter()
                .copied()
                .map(Value::from_static_str)
                .collect()
        };
        let work = self.shared.shards.iter().map(|shard| {
            self.shared
                .nodes
                .run(Act::Command(command), &shard.queue, arguments())
        });
        join_all(work).await.into_iter().collect()
    }

    fn shard_of(&self, service: Uuid) -> usize {
        shard_of(service, self.shared.shards.len())
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The connections know the password.
        f.debug_struct("Redis")
            .field("events_channel", &self.shared.events_channel)
            .finish_non_exhaustive()
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

fn ids(services: &[&Uuid]) -> Vec<Value> {
    services.iter().map(|service| id(**service)).collect()
}

fn ms(instant: DateTime<Utc>) -> Value {
    Value::Integer(instant.timestamp_millis())
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_string(value)
        .expect("statuses and events have string keys and nothing that fails")
        .into()
}
