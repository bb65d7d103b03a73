//! What the dashboard asks for: every service with its current status, then every history; and what streams in.

use crate::api::{IncidentType, Moment, Schedule, ServiceChangeKind, Status, json, schema};
use uuid::Uuid;

/// A service's definition and what is known about it now.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Service {
    pub id: Uuid,
    pub name: String,
    pub category: Option<String>,
    pub schedule: Schedule,
    pub paused: bool,
    pub created_at: Moment,
    pub target: Option<String>,
    pub vendor_page_url: Option<String>,
    pub check_interval_seconds: i32,
    pub timeout_ms: i32,
    pub degraded_threshold_ms: i32,
    pub confirmations: i32,
    pub current: Option<Current>,
    pub open_incident: Option<OpenIncident>,
}

/// What the last check found.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "CurrentStatus")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Current {
    pub status: Status,
    pub since: Moment,
    pub checked_at: Moment,
    pub response_time_ms: Option<i32>,
    pub status_code: Option<i32>,
    pub message: Option<String>,
    pub phases: Phases,
    pub certificate_expires_at: Option<Moment>,
}

/// Where the time of a check went, in milliseconds.
#[derive(cynic::QueryFragment, Debug, Clone, Copy, PartialEq, Default)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Phases {
    pub dns_ms: Option<i32>,
    pub connect_ms: Option<i32>,
    pub tls_ms: Option<i32>,
    pub first_byte_ms: Option<i32>,
}

/// The incident that a service is in, without its events.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Incident")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct OpenIncident {
    pub id: Uuid,
    #[cynic(rename = "type")]
    pub kind: IncidentType,
    pub started_at: Moment,
    pub cause: Option<String>,
}

/// Every service of the viewer.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
pub struct ListServices {
    /// In no order that matters.
    pub services: Vec<Service>,
}

/// The uptime of every service: apart, because the list is usable without it.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
pub struct ListUptimes {
    /// In no order that matters.
    pub services: Vec<ServiceUptime>,
}

/// The uptime of one service over 30 days.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Service")]
pub struct ServiceUptime {
    /// Whose it is.
    pub id: Uuid,
    /// Over the 30 days.
    #[arguments(window: MONTH)]
    pub uptime: Percent,
}

/// Uptime as one number.
#[derive(cynic::QueryFragment, Debug, Clone, Copy, PartialEq)]
#[cynic(graphql_type = "Uptime")]
pub struct Percent {
    /// `None` where nothing was covered.
    pub percent: Option<f64>,
}

/// Which services.
#[derive(cynic::QueryVariables, Debug)]
pub struct OfServices {
    /// Which.
    pub filter: ServiceFilter,
}

/// Which services.
#[derive(cynic::InputObject, Debug, Default)]
pub struct ServiceFilter {
    /// Those with one of these ids.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<Uuid>>,
}

/// The last 30 days of some services, day by day, and the last 24 hours: of those in sight, because it is many times as much as all the rest.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "OfServices")]
pub struct ListHistories {
    /// In no order that matters.
    #[arguments(filter: $filter)]
    pub services: Vec<History>,
}

/// The last 30 days and the last 24 hours of one service.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Service")]
pub struct History {
    /// Whose history it is.
    pub id: Uuid,
    /// Over the 30 days.
    #[arguments(window: MONTH)]
    pub uptime: Uptime,
    /// Day by day, oldest first.
    #[arguments(days: 30)]
    pub uptime_days: Vec<UptimeDay>,
    /// The median response time of each of the last 24 hours, oldest first; `None` where nothing answered.
    pub hourly_p50_ms: Vec<Option<f64>>,
}

/// Percentages over a window: `None` where nothing was covered.
#[derive(cynic::QueryFragment, Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Uptime {
    pub percent: Option<f64>,
    pub degraded_percent: Option<f64>,
    pub coverage_percent: f64,
}

/// One calendar day in UTC.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct UptimeDay {
    pub date: String,
    pub status: Status,
    pub percent: Option<f64>,
    pub degraded_percent: Option<f64>,
    pub coverage_percent: f64,
}

/// Every recorded check of every service, as it is recorded.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Subscription")]
pub struct StatusUpdates {
    /// What was recorded.
    pub status_updates: StatusUpdate,
}

/// A recorded check.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct StatusUpdate {
    pub service: UpdatedService,
    pub previous: Option<Status>,
    pub current: Current,
    pub changed: bool,
}

/// What a recorded check may have changed about its service.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "Service")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct UpdatedService {
    pub id: Uuid,
}

/// Every change to a definition, made here or in another window.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Subscription")]
pub struct ServiceChanges {
    /// What was changed.
    pub service_changes: ServiceChange,
}

/// A change to a definition.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct ServiceChange {
    pub change: ServiceChangeKind,
    pub service_id: Uuid,
    pub service: Option<Service>,
}

json::objects! {
    Service {
        id, name, category, schedule, paused, created_at, target, vendor_page_url, check_interval_seconds, timeout_ms,
        degraded_threshold_ms, confirmations, current, open_incident,
    }
    Current { status, since, checked_at, response_time_ms, status_code, message, phases, certificate_expires_at }
    Phases { dns_ms, connect_ms, tls_ms, first_byte_ms }
    OpenIncident { id, kind = "type", started_at, cause }
    ListServices { services }
    ListUptimes { services }
    ServiceUptime { id, uptime }
    Percent { percent }
    ListHistories { services }
    History { id, uptime, uptime_days, hourly_p50_ms }
    Uptime { percent, degraded_percent, coverage_percent }
    UptimeDay { date, status, percent, degraded_percent, coverage_percent }
    StatusUpdates { status_updates }
    StatusUpdate { service, previous, current, changed }
    UpdatedService { id }
    ServiceChanges { service_changes }
    ServiceChange { change, service_id, service }
}
