//! A component of a vendor's page that a service follows, as it was when it was last seen.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_components")]
pub struct Model {
    /// The service.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: Uuid,
    /// The vendor's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub component_id: String,
    /// The vendor's name for it.
    pub name: String,
    /// The vendor's group.
    pub group_name: Option<String>,
    /// The order in which they were chosen.
    pub position: i32,
    /// Whether the vendor's page no longer has it.
    pub missing: bool,
}

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The service that follows it.
    #[sea_orm(
        belongs_to = "super::service::Entity",
        from = "Column::ServiceId",
        to = "super::service::Column::Id"
    )]
    Service,
}

impl Related<super::service::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Service.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
