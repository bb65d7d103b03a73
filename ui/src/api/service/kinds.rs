//! The kinds of monitors and their settings, which the API describes: none is named here.

use crate::api::{
    operation::operations,
    schema,
    values::{ById, ByIdFields, Schedule},
    vendor::{Component, FollowedComponent},
};
use serde::Serialize;
use serde_json::{Map, Value};
use ui_derive::query_fragment;

/// What the form of a service is made of.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query")]
pub struct GetServiceForm {
    /// The installation's limits.
    pub limits: Limits,
    /// What can be added.
    pub monitor_kinds: Vec<MonitorKindInfo>,
}

/// The installation's limits on services.
#[query_fragment]
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Limits {
    pub min_interval_seconds: i32,
    pub max_services: i32,
}

/// A kind of monitor.
#[query_fragment]
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct MonitorKindInfo {
    pub input_name: String,
    pub name: String,
    pub description: String,
    pub schedule: Schedule,
    pub confirmations: i32,
    pub fields: Vec<FieldInfo>,
}

/// A field of a kind's settings.
#[query_fragment]
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct FieldInfo {
    pub name: String,
    pub label: String,
    pub help: Option<String>,
    #[cynic(rename = "type")]
    pub field_type: String,
    pub required: bool,
    pub secret: bool,
    pub default: Option<String>,
    pub options: Option<Vec<String>>,
}

/// The settings of one service, and what can be followed where it follows a page.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query", variables = "ById")]
pub struct GetDefinition {
    /// `None` when absent.
    #[arguments(id: $id)]
    pub service: Option<Definition>,
}

/// What the list does not have of a service's definition.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Service")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Definition {
    pub monitor_input: String,
    pub tags: Vec<String>,
    pub description: Option<String>,
    pub recoveries: i32,
    pub settings: Vec<FieldValue>,
    pub secrets_set: Vec<String>,
    pub components: Vec<FollowedComponent>,
    pub vendor_page: Option<PageChoice>,
}

/// The value of a field as JSON.
#[query_fragment]
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct FieldValue {
    pub name: String,
    pub value: String,
}

/// Everything that the page has.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "VendorPage")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct PageChoice {
    pub name: Option<String>,
    pub url: Option<String>,
    pub provider: Option<String>,
    pub components: Vec<Component>,
}

/// Settings of one kind, as `{ "<kind>": { ... } }`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct MonitorInput(Map<String, Value>);

impl MonitorInput {
    /// The settings of the kind that the API calls `input_name`.
    #[must_use]
    pub fn new(input_name: &str, settings: Map<String, Value>) -> Self {
        Self(Map::from_iter([(input_name.to_owned(), settings.into())]))
    }

    /// The value of a field of the kind `input_name`.
    #[cfg(test)]
    #[must_use]
    pub fn get(&self, input_name: &str, field: &str) -> Option<&Value> {
        self.0.get(input_name)?.get(field)
    }
}

cynic::impl_coercions!(MonitorInput, schema::MonitorInput);

impl cynic::InputObject for MonitorInput {
    type SchemaType = schema::MonitorInput;
}

operations! {
    query GetServiceForm(());
    query GetDefinition(ById);
}
