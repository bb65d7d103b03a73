//! What can be done with a service.

use super::MonitorInput;
use super::{Phases, Service};
use crate::api::{ByIdFields, Moment, Status, json, schema};
use uuid::Uuid;

/// A new service. An absent number takes the server's default.
#[derive(cynic::InputObject, Debug, Clone, PartialEq, Default)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct CreateServiceInput {
    pub name: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub monitor: MonitorInput,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub vendor_page_url: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub check_interval_seconds: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub degraded_threshold_ms: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub confirmations: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub recoveries: Option<i32>,
}

/// What to change. An empty category, description or vendor page takes it away; what is absent stays.
#[derive(cynic::InputObject, Debug, Clone, PartialEq, Default)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct UpdateServiceInput {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub monitor: Option<MonitorInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub vendor_page_url: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub check_interval_seconds: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub degraded_threshold_ms: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub confirmations: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub recoveries: Option<i32>,
}

/// The new service.
#[derive(cynic::QueryVariables, Debug)]
pub struct CreateServiceVariables {
    /// As typed.
    pub input: CreateServiceInput,
}

/// Stores a new service.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateServiceVariables")]
pub struct CreateService {
    /// As stored.
    #[arguments(input: $input)]
    pub create_service: Service,
}

/// Looks at a target once and stores nothing.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateServiceVariables")]
pub struct TestService {
    /// What was found.
    #[arguments(input: $input)]
    pub test_service: TestResult,
}

/// What one look found.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct TestResult {
    pub status: Status,
    pub status_code: Option<i32>,
    pub response_time_ms: Option<i32>,
    pub message: Option<String>,
    pub phases: Phases,
    pub certificate_expires_at: Option<Moment>,
}

/// Which service, and its changes.
#[derive(cynic::QueryVariables, Debug)]
pub struct UpdateServiceVariables {
    /// The service's id.
    pub id: Uuid,
    /// What to change.
    pub input: UpdateServiceInput,
}

/// Changes a service.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdateServiceVariables")]
pub struct UpdateService {
    /// As stored.
    #[arguments(id: $id, input: $input)]
    pub update_service: Service,
}

/// Which services.
#[derive(cynic::QueryVariables, Debug)]
pub struct ByIds {
    /// Their ids.
    pub ids: Vec<Uuid>,
}

/// Which services, and into which category.
#[derive(cynic::QueryVariables, Debug)]
pub struct RecategoriseVariables {
    /// Their ids.
    pub ids: Vec<Uuid>,
    /// The category; `None` takes them out of theirs.
    pub category: Option<String>,
}

/// A service by its id alone.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Service")]
pub struct Touched {
    /// Its id.
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub id: Uuid,
}

/// Deletes services with all their history.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ByIds")]
pub struct DeleteServices {
    /// Which ones went.
    #[arguments(ids: $ids)]
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub delete_services: Vec<Uuid>,
}

/// Stops checking services.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ByIds")]
pub struct PauseServices {
    /// Those that exist.
    #[arguments(ids: $ids)]
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub pause_services: Vec<Touched>,
}

/// Goes on checking services.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ByIds")]
pub struct ResumeServices {
    /// Those that exist.
    #[arguments(ids: $ids)]
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub resume_services: Vec<Touched>,
}

/// Puts services into a category.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RecategoriseVariables")]
pub struct RecategoriseServices {
    /// Those that exist.
    #[arguments(ids: $ids, category: $category)]
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub recategorise_services: Vec<Touched>,
}

/// Checks a service at once; the result arrives as a status update.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
pub struct CheckNow {
    /// As stored.
    #[arguments(id: $id)]
    pub check_service: Service,
}

json::objects! {
    CreateService { create_service }
    TestService { test_service }
    TestResult { status, status_code, response_time_ms, message, phases, certificate_expires_at }
    UpdateService { update_service }
    CheckNow { check_service }
}
