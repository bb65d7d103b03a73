//! A component of a vendor's page.

use crate::column::Status;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vendor_page_components")]
pub struct Model {
    /// The page.
    #[sea_orm(primary_key, auto_increment = false)]
    pub vendor_page_id: Uuid,
    /// The vendor's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub component_id: String,
    /// The vendor's name for it.
    pub name: String,
    /// The vendor's group.
    pub group_name: Option<String>,
    /// The vendor's order.
    pub position: i32,
    /// What its word means.
    pub status: Status,
    /// The vendor's own word.
    pub vendor_status: String,
    /// Whether the last answer no longer had it.
    pub missing: bool,
    /// When anything of it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The page that it is on.
    #[sea_orm(
        belongs_to = "super::vendor_page::Entity",
        from = "Column::VendorPageId",
        to = "super::vendor_page::Column::Id"
    )]
    VendorPage,
}

impl Related<super::vendor_page::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::VendorPage.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
