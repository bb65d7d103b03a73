//! How this installation does, for those who run it.

use super::scalar::{Id, Time};
use super::scope::scope;
use crate::use_cases::system;
use async_graphql::{Context, Object, Result, SimpleObject};
use sea_orm::DbBackend;

/// How this installation does.
#[derive(SimpleObject, Debug)]
pub(crate) struct System {
    /// That of the program that answers.
    version: String,
    /// What the data is in: PostgreSQL or SQLite.
    database: &'static str,
    /// How much room that takes, in bytes.
    database_bytes: f64,
    /// Services and vendor pages that wait for their time; null while Redis is away.
    queued: Option<i32>,
    /// For how long the first of them has been due, in milliseconds; null while Redis is away.
    overdue_ms: Option<i32>,
    /// Checks a second in the last minute that is written down; null when nothing was checked lately.
    checks_per_second: Option<f64>,
    /// The last hour as a whole.
    last_hour: Scheduling,
    /// The minutes of the last hour in which anything was checked, each written down at its end.
    minutes: Vec<Scheduling>,
    /// The processes that make checks, in the order in which they began; null while Redis is away.
    workers: Option<Vec<Worker>>,
}

/// What all workers did in some time.
#[derive(SimpleObject, Debug)]
pub(crate) struct Scheduling {
    /// When it begins.
    since: Time,
    /// How many checks were recorded.
    checks: i32,
    /// How many slots passed at which a service was due and nobody checked it.
    missed_slots: i32,
    /// Half of the checks began at most so many milliseconds after their slot; null without any.
    lateness_p50_ms: Option<f64>,
    /// Of a hundred checks 99 began at most so many milliseconds after their slot; null without any.
    lateness_p99_ms: Option<f64>,
    /// The latest check began so many milliseconds after its slot.
    lateness_max_ms: i32,
}

/// A process that makes checks.
#[derive(SimpleObject, Debug)]
pub(crate) struct Worker {
    /// Another one after each start.
    id: Id,
    /// The machine or container that it runs on.
    host: String,
    /// That of its program.
    version: String,
    /// When it began.
    started_at: Time,
    /// When it said last that it is at work, as it does every few seconds.
    heard_at: Time,
}

impl From<&system::Scheduling> for Scheduling {
    fn from(all: &system::Scheduling) -> Self {
        Self {
            since: all.since.into(),
            checks: number(all.checks),
            missed_slots: number(all.missed),
            lateness_p50_ms: all.lateness.quantile(0.5),
            lateness_p99_ms: all.lateness.quantile(0.99),
            lateness_max_ms: all.max_lateness_ms,
        }
    }
}

impl From<coordination::WorkerPresence> for Worker {
    fn from(
        coordination::WorkerPresence {
            worker,
            last_seen_at,
        }: coordination::WorkerPresence,
    ) -> Self {
        Self {
            id: worker.id.into(),
            host: worker.host,
            version: worker.version,
            started_at: worker.started_at.into(),
            heard_at: last_seen_at.into(),
        }
    }
}

impl From<system::System> for System {
    #[allow(clippy::cast_precision_loss, reason = "no database is nearly as large")]
    fn from(system: system::System) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            database: match system.database {
                DbBackend::Postgres => "PostgreSQL",
                _ => "SQLite",
            },
            database_bytes: system.database_bytes as f64,
            queued: system.queue.map(|queue| number(queue.length as u64)),
            overdue_ms: system
                .queue
                .map(|queue| number(queue.overdue.num_milliseconds().unsigned_abs())),
            checks_per_second: system.checks_per_second(),
            last_hour: (&system.hour).into(),
            minutes: system.minutes.iter().map(Scheduling::from).collect(),
            workers: system
                .workers
                .map(|workers| workers.into_iter().map(Worker::from).collect()),
        }
    }
}

fn number(n: u64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

#[derive(Default)]
pub(crate) struct SystemQuery;

#[Object]
impl SystemQuery {
    /// How this installation does; null for those who do not run it, see `User.operator`.
    #[graphql(complexity = "super::limits::page(60, child_complexity)")]
    async fn system(&self, ctx: &Context<'_>) -> Result<Option<System>> {
        let scope = scope(ctx);
        Ok(scope.ops.system(&scope.viewer()?).await?.map(System::from))
    }
}
