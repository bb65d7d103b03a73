//! A person who signs in.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// As the provider gave it; not a key.
    pub email: String,
    /// Whether a provider vouched for it.
    pub email_verified: bool,
    /// What they are called on the page.
    pub name: String,
    /// A picture, when the provider has one.
    pub avatar_url: Option<String>,
    /// First sign-in.
    pub created_at: DateTime<Utc>,
    /// Last change of the profile.
    pub updated_at: DateTime<Utc>,
}

/// None: the tables that refer to this one name it.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
