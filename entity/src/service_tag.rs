//! A tag of a service.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_tags")]
pub struct Model {
    /// The workspace of the service.
    pub workspace_id: Uuid,
    /// The service.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: Uuid,
    /// Trimmed and in lower case.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tag: String,
}

/// None: what belongs together is joined where it is read.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
