//! The limits on services, and the mutations.

use super::kinds::MonitorInput;
use super::list::{Phases, Service};
use crate::api::{
    operation::operations,
    schema,
    values::{ById, ByIdFields, Moment, Status},
};
use ui_derive::query_fragment;
use uuid::Uuid;

/// A new service. The server has a default for every absent number.
#[derive(cynic::InputObject, Debug, Clone, PartialEq, Default)]
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

/// A change to a service. An empty category or vendor page removes it; an absent field stays as it
/// is.
#[derive(cynic::InputObject, Debug, Clone, PartialEq, Default)]
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

#[derive(cynic::QueryVariables, Debug)]
pub struct CreateServiceVariables {
    pub input: CreateServiceInput,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateServiceVariables")]
pub struct CreateService {
    #[arguments(input: $input)]
    pub create_service: Service,
}

/// Checks a target once and stores nothing.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateServiceVariables")]
pub struct TestService {
    #[arguments(input: $input)]
    pub test_service: TestResult,
}

#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// What was checked, with the scheme that the server chose.
    pub target: Option<String>,
    pub status: Status,
    pub status_code: Option<i32>,
    pub response_time_ms: Option<i32>,
    pub message: Option<String>,
    pub phases: Phases,
    pub certificate_expires_at: Option<Moment>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct UpdateServiceVariables {
    pub id: Uuid,
    pub input: UpdateServiceInput,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdateServiceVariables")]
pub struct UpdateService {
    #[arguments(id: $id, input: $input)]
    pub update_service: Service,
}

/// The variables of an operation on several objects.
#[derive(cynic::QueryVariables, Debug)]
pub struct ByIds {
    pub ids: Vec<Uuid>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct RecategoriseVariables {
    pub ids: Vec<Uuid>,
    /// `None` removes the services from their categories.
    pub category: Option<String>,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Service")]
pub struct ServiceId {
    pub id: Uuid,
}

/// Deletes services with their history.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "ByIds")]
pub struct DeleteServices {
    #[arguments(ids: $ids)]
    pub delete_services: Vec<Uuid>,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "ByIds")]
pub struct PauseServices {
    #[arguments(ids: $ids)]
    pub pause_services: Vec<ServiceId>,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "ByIds")]
pub struct ResumeServices {
    #[arguments(ids: $ids)]
    pub resume_services: Vec<ServiceId>,
}

/// Undoes a pause of a few seconds ago.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "ByIds")]
pub struct UndoPauseServices {
    #[arguments(ids: $ids)]
    pub undo_pause_services: Vec<ServiceId>,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "RecategoriseVariables")]
pub struct RecategoriseServices {
    #[arguments(ids: $ids, category: $category)]
    pub recategorise_services: Vec<ServiceId>,
}

/// Checks a service now; the result arrives as a status update.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
pub struct CheckNow {
    #[arguments(id: $id)]
    pub check_service: Service,
}

operations! {
    mutation CreateService(CreateServiceVariables);
    mutation TestService(CreateServiceVariables);
    mutation UpdateService(UpdateServiceVariables);
    mutation DeleteServices(ByIds);
    mutation PauseServices(ByIds);
    mutation ResumeServices(ByIds);
    mutation UndoPauseServices(ByIds);
    mutation RecategoriseServices(RecategoriseVariables);
    mutation CheckNow(ById);
}
