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

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The workspaces that the user is a member of.
    #[sea_orm(has_many = "super::membership::Entity")]
    Memberships,
    /// How the user signs in.
    #[sea_orm(has_many = "super::identity::Entity")]
    Identities,
    /// The browsers that are signed in.
    #[sea_orm(has_many = "super::session::Entity")]
    Sessions,
}

impl Related<super::membership::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Memberships.def()
    }
}

impl Related<super::identity::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Identities.def()
    }
}

impl Related<super::session::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Sessions.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
