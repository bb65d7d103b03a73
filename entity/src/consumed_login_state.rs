//! A sign-in by a provider that was completed, so that it cannot be completed again.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consumed_login_states")]
pub struct Model {
    /// SHA-256 of its `state`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Vec<u8>,
    /// When it would be refused for its age anyway.
    pub expires_at: DateTime<Utc>,
}

/// No table is related.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
