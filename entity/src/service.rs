//! A monitored service.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "services")]
pub struct Model {
    /// Version 7, what the outside knows.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Given by the database; the short key that checks and rollups carry.
    pub seq: i32,
    /// The workspace it belongs to; only its members see it.
    pub workspace_id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// The owner's own grouping.
    pub category: Option<String>,
    /// Free text about it.
    pub description: Option<String>,
    /// The id of its monitor kind.
    pub kind: String,
    /// The kind's settings without secrets, by the names of its fields.
    pub settings: Json,
    /// The kind's secret settings, sealed.
    pub secrets: Option<Vec<u8>>,
    /// Whether checking is off.
    pub paused: bool,
    /// The vendor's page for people.
    pub vendor_page_url: Option<String>,
    /// The vendor's page that is read; only of kinds that share one.
    pub vendor_page_id: Option<Uuid>,
    /// Seconds between two checks.
    pub check_interval_seconds: i32,
    /// Milliseconds for one whole exchange.
    pub timeout_ms: i32,
    /// Milliseconds above which an answer is slow.
    pub degraded_threshold_ms: i32,
    /// Failures in a row that make it down.
    pub confirmations: i32,
    /// Good checks in a row that end an incident.
    pub recoveries: i32,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When its definition last changed.
    pub updated_at: DateTime<Utc>,
}

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The workspace that owns it.
    #[sea_orm(
        belongs_to = "super::workspace::Entity",
        from = "Column::WorkspaceId",
        to = "super::workspace::Column::Id"
    )]
    Workspace,
    /// The vendor page that it follows.
    #[sea_orm(
        belongs_to = "super::vendor_page::Entity",
        from = "Column::VendorPageId",
        to = "super::vendor_page::Column::Id"
    )]
    VendorPage,
}

impl Related<super::workspace::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Workspace.def()
    }
}

impl Related<super::vendor_page::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::VendorPage.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
