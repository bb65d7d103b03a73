//! The operations of the dashboard's list: all services with their status, uptime and history, and
//! live updates.

use crate::api::{
    IncidentType, Moment, PageInfo, Schedule, ServiceChangeKind, Status, operation::operations,
    schema,
};
use ui_derive::query_fragment;
use uuid::Uuid;

/// A service's definition with its current status.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
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

/// The result of the last check.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "CurrentStatus")]
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

/// How long each phase of a check took, in milliseconds.
#[query_fragment]
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Phases {
    pub dns_ms: Option<i32>,
    pub connect_ms: Option<i32>,
    pub tls_ms: Option<i32>,
    pub first_byte_ms: Option<i32>,
}

/// A service's open incident, without its events.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Incident")]
pub struct OpenIncident {
    pub id: Uuid,
    #[cynic(rename = "type")]
    pub kind: IncidentType,
    pub started_at: Moment,
    pub cause: Option<String>,
}

/// Cursor of the page of services to load.
#[derive(cynic::QueryVariables, Debug)]
pub struct ServicePageVariables {
    /// `None` for the first page.
    pub after: Option<String>,
}

/// A page of the viewer's services.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query", variables = "ServicePageVariables")]
pub struct ListServices {
    #[arguments(first: 250, after: $after)]
    pub services_page: ServicePage,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "ServiceConnection")]
pub struct ServicePage {
    pub edges: Vec<ServiceEdge>,
    pub page_info: PageInfo,
}

#[query_fragment]
#[derive(Debug)]
pub struct ServiceEdge {
    pub node: Service,
}

/// A page of the uptimes of the viewer's services. Separate from [`ListServices`], because the list
/// is usable without it.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query", variables = "ServicePageVariables")]
pub struct ListUptimes {
    #[arguments(first: 250, after: $after)]
    pub services_page: UptimePage,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "ServiceConnection")]
pub struct UptimePage {
    pub edges: Vec<UptimeEdge>,
    pub page_info: PageInfo,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "ServiceEdge")]
pub struct UptimeEdge {
    pub node: ServiceUptime,
}

/// A service's uptime over 30 days.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Service")]
pub struct ServiceUptime {
    pub id: Uuid,
    #[arguments(window: MONTH)]
    pub uptime: Percent,
}

#[query_fragment]
#[derive(Debug, Clone, Copy, PartialEq)]
#[cynic(graphql_type = "Uptime")]
pub struct Percent {
    /// `None` when no time was covered by checks.
    pub percent: Option<f64>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct ListHistoriesVariables {
    pub filter: ServiceFilter,
}

/// Restricts a list of services; an absent field does not restrict it.
#[derive(cynic::InputObject, Debug, Default)]
pub struct ServiceFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<Uuid>>,
}

/// The last 30 days and 24 hours of some services. Requested for visible rows only, because it is
/// many times larger than the list itself.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query", variables = "ListHistoriesVariables")]
pub struct ListHistories {
    #[arguments(filter: $filter)]
    pub services: Vec<ServiceHistory>,
}

/// The history of one service as the API returns it.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Service")]
pub struct ServiceHistory {
    pub id: Uuid,
    #[arguments(window: MONTH)]
    pub uptime: Uptime,
    #[arguments(days: 30)]
    pub uptime_bars: UptimeBars,
    pub hourly_p50_ms: Vec<Option<f64>>,
}

/// Uptime by day as lists with one item per day, oldest first.
#[query_fragment]
#[derive(Debug)]
pub struct UptimeBars {
    pub dates: Vec<String>,
    pub statuses: Vec<Status>,
    pub percents: Vec<Option<f64>>,
    pub degraded_percents: Vec<Option<f64>>,
    pub coverage_percents: Vec<f64>,
}

impl UptimeBars {
    /// The days that all lists have.
    fn into_days(self) -> Vec<UptimeDay> {
        let percents = self.percents.into_iter().zip(self.degraded_percents);
        let numbers = percents.zip(self.coverage_percents);
        self.dates
            .into_iter()
            .zip(self.statuses)
            .zip(numbers)
            .map(
                |((date, status), ((percent, degraded_percent), coverage_percent))| UptimeDay {
                    date,
                    status,
                    percent,
                    degraded_percent,
                    coverage_percent,
                },
            )
            .collect()
    }
}

impl From<ServiceHistory> for History {
    fn from(history: ServiceHistory) -> Self {
        Self {
            id: history.id,
            uptime: history.uptime,
            uptime_days: history.uptime_bars.into_days(),
            hourly_p50_ms: history.hourly_p50_ms,
        }
    }
}

/// The last 30 days and 24 hours of one service.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    pub id: Uuid,
    /// Over the 30 days.
    pub uptime: Uptime,
    /// Oldest first.
    pub uptime_days: Vec<UptimeDay>,
    /// The median response time of each of the last 24 hours, oldest first; `None` for an hour
    /// without a response.
    pub hourly_p50_ms: Vec<Option<f64>>,
}

/// Percentages over a window; `None` when no time was covered by checks.
#[query_fragment]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uptime {
    pub percent: Option<f64>,
    pub degraded_percent: Option<f64>,
    pub coverage_percent: f64,
}

/// A calendar day in UTC.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct UptimeDay {
    pub date: String,
    pub status: Status,
    pub percent: Option<f64>,
    pub degraded_percent: Option<f64>,
    pub coverage_percent: f64,
}

/// Streams every check as it is recorded.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Subscription")]
pub struct StatusUpdates {
    pub status_updates: StatusUpdate,
}

#[query_fragment]
#[derive(Debug, Clone)]
pub struct StatusUpdate {
    pub service: UpdatedService,
    pub previous: Option<Status>,
    pub current: Current,
    pub changed: bool,
}

#[query_fragment]
#[derive(Debug, Clone)]
#[cynic(graphql_type = "Service")]
pub struct UpdatedService {
    pub id: Uuid,
}

/// Streams every change to a service's definition, made here or in another window.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Subscription")]
pub struct ServiceChanges {
    pub service_changes: ServiceChange,
}

#[query_fragment]
#[derive(Debug, Clone)]
pub struct ServiceChange {
    pub change: ServiceChangeKind,
    pub service_id: Uuid,
    pub service: Option<Service>,
}

operations! {
    query ListServices(ServicePageVariables);
    query ListUptimes(ServicePageVariables);
    query ListHistories(ListHistoriesVariables);
    subscription StatusUpdates(());
    subscription ServiceChanges(());
}
