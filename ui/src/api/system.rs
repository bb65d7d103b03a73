//! How the installation does, for those who run it.

use super::{Moment, json, schema};
use uuid::Uuid;

/// How the installation does.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
pub struct GetSystem {
    /// `None` for those who do not run it.
    pub system: Option<System>,
}

/// How the installation does.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct System {
    pub version: String,
    pub database: String,
    pub database_bytes: f64,
    pub queued: Option<i32>,
    pub overdue_ms: Option<i32>,
    pub checks_per_second: Option<f64>,
    pub last_hour: Scheduling,
    pub minutes: Vec<Scheduling>,
    pub workers: Option<Vec<Worker>>,
}

/// What all workers did in some time.
#[derive(cynic::QueryFragment, Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Scheduling {
    pub since: Moment,
    pub checks: i32,
    pub missed_slots: i32,
    #[cynic(rename = "latenessP50Ms")]
    pub p50_ms: Option<f64>,
    #[cynic(rename = "latenessP99Ms")]
    pub p99_ms: Option<f64>,
    #[cynic(rename = "latenessMaxMs")]
    pub max_ms: i32,
}

/// A process that makes checks.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Worker {
    pub id: Uuid,
    pub host: String,
    pub version: String,
    pub started_at: Moment,
    pub heard_at: Moment,
}

json::objects! {
    GetSystem { system }
    System { version, database, database_bytes, queued, overdue_ms, checks_per_second, last_hour, minutes, workers }
    Scheduling {
        since, checks, missed_slots, p50_ms = "latenessP50Ms", p99_ms = "latenessP99Ms", max_ms = "latenessMaxMs",
    }
    Worker { id, host, version, started_at, heard_at }
}
