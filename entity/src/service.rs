//! A monitored service.

use crate::column::MonitorKind;
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
    /// How it is looked at.
    pub kind: MonitorKind,
    /// Whether checking is off.
    pub paused: bool,
    /// HTTP: what is requested.
    pub url: Option<String>,
    /// The page for people.
    pub vendor_page_url: Option<String>,
    /// VENDOR_PAGE: the vendor page that is read.
    pub vendor_page_id: Option<Uuid>,
    /// Seconds between two checks.
    pub check_interval_seconds: i32,
    /// Milliseconds for one whole exchange.
    pub timeout_ms: i32,
    /// Milliseconds above which an answer is slow.
    pub degraded_threshold_ms: i32,
    /// Status codes that count as an answer: `200-299,301`.
    pub expected_status: String,
    /// Failures in a row that make it down.
    pub confirmations: i32,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When its definition last changed.
    pub updated_at: DateTime<Utc>,
}

/// None: what belongs together is joined where it is read.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
