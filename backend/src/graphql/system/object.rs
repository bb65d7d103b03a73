//! The `System` object.

use crate::graphql::scalar::{Id, Time};
use crate::use_cases::system;
use async_graphql::SimpleObject;
use sea_orm::DbBackend;

/// State of this installation.
#[derive(SimpleObject, Debug)]
pub(crate) struct System {
    /// Version of the program that responds.
    version: String,
    /// Database: PostgreSQL or SQLite.
    database: &'static str,
    /// Size of the database in bytes.
    database_bytes: f64,
    /// Number of services and vendor pages in the queue; null while Redis is unavailable.
    queued: Option<i32>,
    /// Time since the first of them became due, in milliseconds; null while Redis is unavailable.
    overdue_ms: Option<i32>,
    /// Checks per second in the last recorded minute; null if there were no recent checks.
    checks_per_second: Option<f64>,
    /// Summary of the last hour.
    last_hour: Scheduling,
    /// Minutes of the last hour with checks, each recorded at its end.
    minutes: Vec<Scheduling>,
    /// Processes that run checks, in the order in which they started; null while Redis is
    /// unavailable.
    workers: Option<Vec<Worker>>,
}

/// Statistics of all workers over a period.
#[derive(SimpleObject, Debug)]
pub(crate) struct Scheduling {
    /// Start of the period.
    since: Time,
    /// Number of recorded checks.
    checks: i32,
    /// Number of slots at which a due service was not checked.
    missed_slots: i32,
    /// Median delay between a check's slot and its start, in milliseconds; null without checks.
    lateness_p50_ms: Option<f64>,
    /// 99th percentile of that delay, in milliseconds; null without checks.
    lateness_p99_ms: Option<f64>,
    /// Longest such delay, in milliseconds.
    lateness_max_ms: i32,
}

/// A process that runs checks.
#[derive(SimpleObject, Debug)]
pub(crate) struct Worker {
    /// Id of the process; each start has a new one.
    id: Id,
    /// Host name of its machine or container.
    host: String,
    /// Version of its program.
    version: String,
    /// When it started.
    started_at: Time,
    /// When it last reported that it is running, which it does every few seconds.
    heard_at: Time,
}

impl From<&system::SchedulerSummary> for Scheduling {
    fn from(all: &system::SchedulerSummary) -> Self {
        Self {
            since: all.since.into(),
            checks: saturate(all.checks),
            missed_slots: saturate(all.missed),
            lateness_p50_ms: all.lateness.quantile(0.5),
            lateness_p99_ms: all.lateness.quantile(0.99),
            lateness_max_ms: all.max_lateness_ms,
        }
    }
}

impl From<coordination::WorkerPresence> for Worker {
    fn from(presence: coordination::WorkerPresence) -> Self {
        let coordination::WorkerPresence {
            worker,
            last_seen_at,
        } = presence;
        Self {
            id: worker.id.into(),
            host: worker.host,
            version: worker.version,
            started_at: worker.started_at.into(),
            heard_at: last_seen_at.into(),
        }
    }
}

impl From<system::SystemState> for System {
    #[allow(clippy::cast_precision_loss, reason = "no database is nearly as large")]
    fn from(system: system::SystemState) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            database: match system.database {
                DbBackend::Postgres => "PostgreSQL",
                _ => "SQLite",
            },
            database_bytes: system.database_bytes as f64,
            queued: system.queue.map(|queue| saturate(queue.length as u64)),
            overdue_ms: system
                .queue
                .map(|queue| saturate(queue.overdue.num_milliseconds().unsigned_abs())),
            checks_per_second: system.checks_per_second(),
            last_hour: (&system.hour).into(),
            minutes: system.minutes.iter().map(Scheduling::from).collect(),
            workers: system
                .workers
                .map(|workers| workers.into_iter().map(Worker::from).collect()),
        }
    }
}

/// GraphQL integers have 32 bits.
fn saturate(n: u64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
