//! Maintenance announced on a vendor's page.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vendor_maintenances")]
pub struct Model {
    /// The page.
    #[sea_orm(primary_key, auto_increment = false)]
    pub vendor_page_id: Uuid,
    /// The vendor's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub maintenance_id: String,
    /// The vendor's title.
    pub name: String,
    /// The vendor's word for how far.
    pub status: String,
    /// When it is to begin.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// When it is to end.
    pub scheduled_until: Option<DateTime<Utc>>,
    /// Its page for people.
    pub url: Option<String>,
    /// The components that it touches: an array of ids.
    pub component_ids: Json,
    /// When anything of it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The page that announces it.
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
