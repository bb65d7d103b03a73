//! A workspace: what services, incidents, tokens and calendar feeds belong to.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspaces")]
pub struct Model {
    /// A personal workspace has the id of its user; any other a version 7 of its own.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Whether it came with an account and ends with it.
    pub personal: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// None: the tables that refer to this one name it.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
