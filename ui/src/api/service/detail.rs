//! The operations of a service's page, beyond what the list has.

use super::list::{Uptime, UptimeDay};
use crate::api::{
    check::Check,
    incident::{IncidentFilter, IncidentPage, PageInfo},
    operation::operations,
    schema,
    values::{ById, ByIdFields, Moment},
    vendor::Maintenance,
};
use ui_derive::query_fragment;
use uuid::Uuid;

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query", variables = "ById")]
pub struct GetService {
    /// `None` when it does not exist.
    #[arguments(id: $id)]
    pub service: Option<ServiceDetail>,
}

/// A service's uptime over every window; the list has its definition.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Service")]
pub struct ServiceDetail {
    pub id: Uuid,
    #[arguments(window: DAY)]
    #[cynic(alias, rename = "uptime")]
    pub day: Uptime,
    #[arguments(window: WEEK)]
    #[cynic(alias, rename = "uptime")]
    pub week: Uptime,
    #[arguments(window: MONTH)]
    #[cynic(alias, rename = "uptime")]
    pub month: Uptime,
    #[arguments(window: QUARTER)]
    #[cynic(alias, rename = "uptime")]
    pub quarter: Uptime,
    /// Oldest first.
    #[arguments(days: 90)]
    pub uptime_days: Vec<UptimeDay>,
    /// The number of incidents on each of these days.
    #[arguments(days: 90)]
    pub incident_days: Vec<i32>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct LatencyVariables {
    /// The service's id.
    pub id: Uuid,
    pub from: Moment,
    pub to: Moment,
    /// Selects the incidents of that period.
    pub filter: IncidentFilter,
}

/// A service's response times, with the incidents and maintenance of the same period.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query", variables = "LatencyVariables")]
pub struct GetLatency {
    /// `None` when it does not exist.
    #[arguments(id: $id)]
    pub service: Option<ServiceLatency>,
    /// Newest first.
    #[arguments(filter: $filter, first: 100)]
    pub incidents: IncidentPage,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Service", variables = "LatencyVariables")]
pub struct ServiceLatency {
    /// Oldest first, evenly spaced.
    #[arguments(from: $from, to: $to)]
    pub latency_between: Vec<LatencyPoint>,
    /// Scheduled and in progress.
    pub maintenances: Vec<Maintenance>,
}

/// Statistics of the checks in one bucket of time.
#[query_fragment]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatencyPoint {
    pub at: Moment,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub max_ms: Option<f64>,
    pub checks: i32,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct ListChecksVariables {
    /// The service's id.
    pub id: Uuid,
    pub first: i32,
    /// The end cursor of the previous page; `None` for the first page.
    pub after: Option<String>,
}

/// A service's checks, newest first.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query", variables = "ListChecksVariables")]
pub struct ListChecks {
    /// `None` when it does not exist.
    #[arguments(id: $id)]
    pub service: Option<ServiceChecks>,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Service", variables = "ListChecksVariables")]
pub struct ServiceChecks {
    #[arguments(first: $first, after: $after)]
    pub checks: CheckConnection,
}

#[query_fragment]
#[derive(Debug)]
pub struct CheckConnection {
    pub edges: Vec<CheckEdge>,
    pub page_info: PageInfo,
}

#[query_fragment]
#[derive(Debug)]
pub struct CheckEdge {
    pub node: Check,
}

operations! {
    query GetService(ById);
    query GetLatency(LatencyVariables);
    query ListChecks(ListChecksVariables);
}
