//! The state of the installation, for its operators.

use super::operation::operations;
use super::schema;
use super::values::Moment;
use ui_derive::query_fragment;
use uuid::Uuid;

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query")]
pub struct GetSystem {
    /// `None` for users who are not operators.
    pub system: Option<System>,
}

#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
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

/// Scheduler statistics of all workers over a period.
#[query_fragment]
#[derive(Debug, Clone, Copy, PartialEq)]
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

#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct Worker {
    pub id: Uuid,
    pub host: String,
    pub version: String,
    pub started_at: Moment,
    pub heard_at: Moment,
}

operations! {
    query GetSystem(());
}
