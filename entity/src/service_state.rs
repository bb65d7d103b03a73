//! What is known about a service: one row each, changed in the transaction that records a check.

use crate::column::{IncidentType, Status};
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_state")]
pub struct Model {
    /// The service.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: Uuid,
    /// The confirmed status.
    pub status: Status,
    /// Since when.
    pub status_since: DateTime<Utc>,
    /// The last slot recorded; only grows.
    pub last_slot: Option<DateTime<Utc>>,
    /// When that check was made.
    pub checked_at: Option<DateTime<Utc>>,
    /// The last check's HTTP status code.
    pub status_code: Option<i32>,
    /// The last check's response time in milliseconds.
    pub response_time_ms: Option<i32>,
    /// What else is kept of the last check: `domain::Details` as JSON.
    pub details: Json,
    /// Why the last check did not find it up.
    pub message: Option<String>,
    /// Failed checks in a row; 0 when the last one did not fail.
    pub failing_checks: i32,
    /// When the first of them was made.
    pub failing_since: Option<DateTime<Utc>>,
    /// Checks at the end of that row that found it down.
    pub down_checks: i32,
    /// When the first of those was made.
    pub down_since: Option<DateTime<Utc>>,
    /// Good checks in a row while an incident is open; 0 without one.
    pub recovering_checks: i32,
    /// When the first of them was made.
    pub recovering_since: Option<DateTime<Utc>>,
    /// The incident that is open.
    pub open_incident_id: Option<Uuid>,
    /// Its type.
    pub open_incident_type: Option<IncidentType>,
}

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The service.
    #[sea_orm(
        belongs_to = "super::service::Entity",
        from = "Column::ServiceId",
        to = "super::service::Column::Id"
    )]
    Service,
    /// The incident that is open.
    #[sea_orm(
        belongs_to = "super::incident::Entity",
        from = "Column::OpenIncidentId",
        to = "super::incident::Column::Id"
    )]
    OpenIncident,
}

impl Related<super::service::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Service.def()
    }
}

impl Related<super::incident::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::OpenIncident.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
