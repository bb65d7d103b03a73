//! What the page of one service asks for beyond the list.

use super::{Uptime, UptimeDay};
use crate::api::{
    ByIdFields, IncidentFilter, IncidentPage, Maintenance, Moment, PageInfo, Status, json, schema,
};
use uuid::Uuid;

/// One service with its uptime over every window.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ById")]
pub struct GetService {
    /// `None` when absent.
    #[arguments(id: $id)]
    pub service: Option<ServiceDetail>,
}

/// One service with its uptime over every window.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Service")]
pub struct ServiceDetail {
    /// Whose page it is; the rest of the definition is in the list already.
    pub id: Uuid,
    /// The last 24 hours.
    #[arguments(window: DAY)]
    #[cynic(alias, rename = "uptime")]
    pub day: Uptime,
    /// The last 7 days.
    #[arguments(window: WEEK)]
    #[cynic(alias, rename = "uptime")]
    pub week: Uptime,
    /// The last 30 days.
    #[arguments(window: MONTH)]
    #[cynic(alias, rename = "uptime")]
    pub month: Uptime,
    /// The last 90 days.
    #[arguments(window: QUARTER)]
    #[cynic(alias, rename = "uptime")]
    pub quarter: Uptime,
    /// Day by day, oldest first.
    #[arguments(days: 90)]
    pub uptime_days: Vec<UptimeDay>,
    /// How many incidents touched each of these days.
    #[arguments(days: 90)]
    pub incident_days: Vec<i32>,
}

/// Which service, and when.
#[derive(cynic::QueryVariables, Debug)]
pub struct LatencyVariables {
    /// The service's id.
    pub id: Uuid,
    /// From when on.
    pub from: Moment,
    /// Until when.
    pub to: Moment,
    /// The incidents of that time.
    pub filter: IncidentFilter,
}

/// Response times of one service, and what happened meanwhile.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "LatencyVariables")]
pub struct GetLatency {
    /// `None` when absent.
    #[arguments(id: $id)]
    pub service: Option<ServiceLatency>,
    /// Newest first.
    #[arguments(filter: $filter, first: 100)]
    pub incidents: IncidentPage,
}

/// Response times of one service.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Service", variables = "LatencyVariables")]
pub struct ServiceLatency {
    /// Oldest first, evenly spaced.
    #[arguments(from: $from, to: $to)]
    pub latency_between: Vec<LatencyPoint>,
    /// Those that are scheduled or in progress.
    pub maintenances: Vec<Maintenance>,
}

/// The checks of one stretch of time.
#[derive(cynic::QueryFragment, Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct LatencyPoint {
    pub at: Moment,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub max_ms: Option<f64>,
    pub checks: i32,
}

/// Which service, from where on.
#[derive(cynic::QueryVariables, Debug)]
pub struct ListChecksVariables {
    /// The service's id.
    pub id: Uuid,
    /// How many.
    pub first: i32,
    /// The last cursor of the page before; none for the newest.
    pub after: Option<String>,
}

/// Checks of one service, newest first.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ListChecksVariables")]
pub struct ListChecks {
    /// `None` when absent.
    #[arguments(id: $id)]
    pub service: Option<ServiceChecks>,
}

/// Checks of one service.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Service", variables = "ListChecksVariables")]
pub struct ServiceChecks {
    /// One page of them.
    #[arguments(first: $first, after: $after)]
    pub checks: CheckPage,
}

/// A page of checks.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "CheckConnection")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct CheckPage {
    pub edges: Vec<CheckEdge>,
    pub page_info: PageInfo,
}

/// A check in its page.
#[derive(cynic::QueryFragment, Debug)]
pub struct CheckEdge {
    /// The check.
    pub node: Check,
}

/// One recorded check.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Check {
    pub slot: Moment,
    pub checked_at: Moment,
    pub status: Status,
    pub status_code: Option<i32>,
    pub response_time_ms: Option<i32>,
    pub message: Option<String>,
}

json::objects! {
    GetService { service }
    ServiceDetail { id, day, week, month, quarter, uptime_days, incident_days }
    GetLatency { service, incidents }
    ServiceLatency { latency_between, maintenances }
    LatencyPoint { at, p50_ms, p95_ms, max_ms, checks }
    ListChecks { service }
    ServiceChecks { checks }
    CheckPage { edges, page_info }
    CheckEdge { node }
    Check { slot, checked_at, status, status_code, response_time_ms, message }
}
