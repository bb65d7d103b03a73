//! A confirmed failure from its first failed check to the recovery. At most one a service is open.

use crate::column::IncidentType;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "incidents")]
pub struct Model {
    /// Version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The service.
    pub service_id: Uuid,
    /// The service's workspace, repeated here so that its list needs no join.
    pub workspace_id: Uuid,
    /// The worst it came to.
    #[sea_orm(column_name = "type")]
    pub incident_type: IncidentType,
    /// The first failed check.
    pub started_at: DateTime<Utc>,
    /// The recovery; absent while it is open.
    pub resolved_at: Option<DateTime<Utc>>,
    /// How many checks failed in it.
    pub checks_failed: i32,
    /// Message of the check that set the worst status.
    pub cause: Option<String>,
}

/// None: what belongs together is joined where it is read.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
