//! Kinds of monitors and their settings, as the API describes them.

use crate::graphql::loaders::ByService;
use crate::graphql::request_context::request_context;
use crate::use_cases::{Error, Result as UseCaseResult};
use async_graphql::{Context, Enum, Result, SimpleObject};
use domain::field::FieldInfo;
use entity::service;
use monitors::{Monitor, MonitorKind, Schedule};
use serde_json::Value;
use std::sync::Arc;

/// What makes a service due.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Schedule")]
pub(crate) enum MonitorSchedule {
    /// PulseCheck checks it every interval.
    Every,
    /// It reports by itself, on a schedule and within a grace period.
    Awaited,
    /// A page is read once for all services that follow it.
    Shared,
    /// Its status follows from that of other services.
    Derived,
}

/// A kind of monitor: what a form needs to offer it.
#[derive(SimpleObject, Debug)]
pub(crate) struct MonitorKindInfo {
    /// The kind.
    kind: MonitorKind,
    /// Its field in `MonitorInput`.
    input_name: String,
    /// The name for people.
    name: &'static str,
    /// What it does.
    description: &'static str,
    /// What makes its services due.
    schedule: MonitorSchedule,
    /// How many checks in a row must fail before it counts, by default.
    confirmations: i32,
    /// Its settings, in the order in which a form shows them.
    fields: Vec<Field>,
}

/// A field of the settings of a monitor kind.
#[derive(SimpleObject, Debug)]
#[graphql(name = "FieldInfo")]
pub(crate) struct Field {
    /// The name in inputs and settings.
    name: &'static str,
    /// The label in forms.
    label: &'static str,
    /// What to enter, for people who wonder.
    help: Option<&'static str>,
    /// What it holds: text, multiline, integer, number, boolean, choice, choices, url, host, port, seconds, secret, list
    /// or components.
    #[graphql(name = "type")]
    field_type: &'static str,
    /// Whether it must be given.
    required: bool,
    /// Whether it is stored sealed and never given back.
    secret: bool,
    /// The value that an absent field takes.
    default: Option<&'static str>,
    /// What can be chosen; null where anything can be entered.
    options: Option<Vec<&'static str>>,
}

/// The value of a field.
#[derive(SimpleObject, Debug)]
pub(crate) struct FieldValue {
    /// The field's name.
    name: String,
    /// The value as JSON.
    value: String,
}

impl From<MonitorKind> for MonitorKindInfo {
    fn from(kind: MonitorKind) -> Self {
        let info = kind.info();
        Self {
            kind,
            input_name: kind.input_name(),
            name: info.name,
            description: info.description,
            schedule: info.schedule.into(),
            confirmations: info.confirmations,
            fields: info.fields.iter().map(Field::from).collect(),
        }
    }
}

impl From<&FieldInfo> for Field {
    fn from(field: &FieldInfo) -> Self {
        Self {
            name: field.name,
            label: field.label,
            help: field.help,
            field_type: field.field_type.name(),
            required: field.required,
            secret: field.is_secret(),
            default: field.default,
            options: (!field.options.is_empty()).then(|| field.options.to_vec()),
        }
    }
}

impl From<(String, Value)> for FieldValue {
    fn from((name, value): (String, Value)) -> Self {
        let value = value.to_string();
        Self { name, value }
    }
}

/// The kind of a service.
pub(super) fn kind_of(service: &service::Model) -> UseCaseResult<MonitorKind> {
    Ok(MonitorKind::from_id(&service.kind)?)
}

/// The monitor of a service with its settings.
pub(super) async fn monitor(ctx: &Context<'_>, service: Arc<service::Model>) -> Result<Monitor> {
    let monitor = request_context(ctx)
        .loaders
        .monitor
        .load(ByService(service))
        .await?;
    Ok(monitor.ok_or(Error::NotFound("service"))?)
}
