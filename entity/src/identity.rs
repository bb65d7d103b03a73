//! Who somebody is to a sign-in provider: (provider, subject) is the key, the e-mail is not.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identities")]
pub struct Model {
    /// `local`, `github`, `google` or `oidc`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    /// The provider's own unchanging id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// Whom it signs in.
    pub user_id: Uuid,
    /// As this provider gave it last.
    pub email: String,
    /// Whether this provider vouches for it.
    pub email_verified: bool,
    /// First sign-in by it.
    pub created_at: DateTime<Utc>,
    /// Last sign-in by it.
    pub last_used_at: DateTime<Utc>,
}

/// None: what belongs together is joined where it is read.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
