//! An e-mail address whose owner may create an account, whatever the setting for sign-up says.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "allowed_addresses")]
pub struct Model {
    /// The address, in lower case.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// No table is related.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
