//! The due queue: a sorted set of service ids as 16 bytes, scored by due time in milliseconds.

use super::clock::ClockEstimate;
use super::commands::{Commands, Script};
use super::connection::COMMAND_TIMEOUT;
use super::value::{MAX_PER_COMMAND, id, instant, ms, parse_id};
use crate::claim::{Claim, Claimed};
use crate::error::{CoordinationError, Result};
use chrono::{DateTime, TimeDelta, Utc};
use fred::error::{Error, ErrorKind};
use fred::interfaces::SortedSetsInterface;
use fred::types::{Key, SetOptions, Value};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use uuid::Uuid;

/// Member at the very end of a complete queue. It can only be lost together with the queue.
const BUILT: &str = "built";

/// Time that is left for the answer to a claim to arrive before the caller gives up.
const ANSWER_MARGIN: Duration = Duration::from_millis(250);

pub(super) struct Queue {
    commands: Commands,
    key: Key,
    claim: Script,
    complete: Script,
    extend: Script,
    clock: ClockEstimate,
    changed: Notify,
}

/// What the claim script answers: the time, whether it was in time, whether the queue is built,
/// the earliest due time, and each claimed id with its due time.
type ClaimAnswer = (i64, bool, bool, Option<i64>, Vec<(Value, i64)>);

impl Queue {
    pub(super) fn new(commands: Commands, prefix: &str) -> Self {
        Self {
            commands,
            key: format!("{prefix}due:{{0}}").into(),
            claim: Script::new("claim", include_str!("claim.lua")),
            complete: Script::new("complete", include_str!("complete.lua")),
            extend: Script::new("extend", include_str!("extend.lua")),
            clock: ClockEstimate::default(),
            changed: Notify::new(),
        }
    }

    pub(super) async fn schedule(&self, dues: &[(Uuid, DateTime<Utc>)]) -> Result<()> {
        self.add(dues, None).await
    }

    pub(super) async fn ensure(&self, dues: &[(Uuid, DateTime<Utc>)]) -> Result<()> {
        self.add(dues, Some(SetOptions::NX)).await
    }

    /// One command after the other, because the last due time given for a service counts.
    #[allow(
        clippy::cast_precision_loss,
        reason = "scores are floating-point numbers, exact for 285,000 years of milliseconds"
    )]
    async fn add(
        &self,
        dues: &[(Uuid, DateTime<Utc>)],
        condition: Option<SetOptions>,
    ) -> Result<()> {
        for dues in dues.chunks(MAX_PER_COMMAND) {
            let scores: Vec<_> = dues
                .iter()
                .map(|(service, due)| (due.timestamp_millis() as f64, id(*service)))
                .collect();
            let (key, condition) = (self.key.clone(), condition.clone());
            self.commands
                .run("ZADD", |client| async move {
                    client
                        .zadd::<(), _, _>(key, condition, None, false, false, scores)
                        .await
                })
                .await?;
        }
        self.changed.notify_one();
        Ok(())
    }

    pub(super) async fn remove(&self, services: &[Uuid]) -> Result<()> {
        for services in services.chunks(MAX_PER_COMMAND) {
            let members: Vec<_> = services.iter().map(|service| id(*service)).collect();
            let key = self.key.clone();
            self.commands
                .run("ZREM", |client| async move {
                    client.zrem::<(), _, _>(key, members).await
                })
                .await?;
        }
        Ok(())
    }

    /// Carries a deadline by Redis's clock: a Redis that was frozen still runs what was sent to it
    /// before, and services claimed for nobody would be late by their whole lease.
    pub(super) async fn claim(&self, limit: usize, lease: TimeDelta) -> Result<Claimed> {
        let started = Instant::now();
        loop {
            let (now, is_in_time, built, next_due, claimed) = self.try_claim(limit, lease).await?;
            self.clock.set(now);
            if is_in_time {
                return self.claimed(now, built, next_due, claimed, lease);
            }
            // Either Redis was slow, or its clock was set. The time is known now.
            if started.elapsed() >= COMMAND_TIMEOUT / 2 {
                let error = Error::new(ErrorKind::Timeout, "The claim was run too late.");
                return Err(CoordinationError::Unavailable(error));
            }
        }
    }

    async fn try_claim(&self, limit: usize, lease: TimeDelta) -> Result<ClaimAnswer> {
        let now = match self.clock.now_ms() {
            Some(now) => now,
            None => self.commands.time_ms().await?,
        };
        let time_left = i64::try_from((COMMAND_TIMEOUT - ANSWER_MARGIN).as_millis())
            .expect("a timeout is a small number of milliseconds");
        let arguments = vec![
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
            lease.num_milliseconds().into(),
            now.saturating_add(time_left).into(),
        ];
        self.commands.call(&self.claim, &self.key, arguments).await
    }

    fn claimed(
        &self,
        now: i64,
        built: bool,
        next_due: Option<i64>,
        claimed: Vec<(Value, i64)>,
        lease: TimeDelta,
    ) -> Result<Claimed> {
        let command = self.claim.name;
        let now = instant(command, now)?;
        let claims: Result<Vec<_>> = claimed
            .into_iter()
            .map(|(service, due)| {
                Ok(Claim {
                    service_id: parse_id(command, &service)?,
                    due: instant(command, due)?,
                    lease_until: now + lease,
                })
            })
            .collect();
        Ok(Claimed {
            claims: claims?,
            now,
            next_due: next_due.map(|due| instant(command, due)).transpose()?,
            built,
        })
    }

    pub(super) async fn complete(&self, claims: &[(Claim, DateTime<Utc>)]) -> Result<usize> {
        let mut completed = 0;
        for claims in claims.chunks(MAX_PER_COMMAND) {
            let arguments = claims
                .iter()
                .flat_map(|(claim, next)| [id(claim.service_id), ms(claim.lease_until), ms(*next)])
                .collect();
            completed += self
                .commands
                .call::<usize>(&self.complete, &self.key, arguments)
                .await?;
        }
        Ok(completed)
    }

    pub(super) async fn extend(
        &self,
        claim: &Claim,
        lease: TimeDelta,
    ) -> Result<Option<DateTime<Utc>>> {
        let arguments = vec![
            id(claim.service_id),
            ms(claim.lease_until),
            lease.num_milliseconds().into(),
        ];
        let lease_until: Option<i64> = self
            .commands
            .call(&self.extend, &self.key, arguments)
            .await?;
        lease_until
            .map(|lease_until| instant(self.extend.name, lease_until))
            .transpose()
    }

    pub(super) async fn mark_built(&self) -> Result<()> {
        let key = self.key.clone();
        self.commands
            .run("ZADD", |client| async move {
                let built = (f64::INFINITY, BUILT);
                client
                    .zadd::<(), _, _>(key, None, None, false, false, built)
                    .await
            })
            .await
    }

    pub(super) async fn len(&self) -> Result<usize> {
        let key = self.key.clone();
        self.commands
            .run("ZCOUNT", |client| async move {
                // All finite scores, which leaves out the marker of a complete queue.
                client.zcount(key, f64::NEG_INFINITY, f64::MAX).await
            })
            .await
    }

    /// Waits until this process has changed the queue.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}
