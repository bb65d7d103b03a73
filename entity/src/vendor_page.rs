//! A vendor page: one row for all users who follow it.

use crate::column::ListCoverage;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vendor_pages")]
pub struct Model {
    /// Version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What makes two the same page: its JSON addresses in their normal form.
    pub key: String,
    /// The page for people.
    pub url: Option<String>,
    /// The vendor's name for it.
    pub name: Option<String>,
    /// Whose software answers.
    pub provider: Option<String>,
    /// The JSON addresses that are read: an array of strings.
    pub api_urls: Json,
    /// Whether the addresses were given by hand.
    pub user_defined: bool,
    /// When it was last read with success.
    pub fetched_at: Option<DateTime<Utc>>,
    /// When it was last asked.
    pub attempted_at: Option<DateTime<Utc>>,
    /// Attempts that failed in a row.
    pub failures: i32,
    /// Why the last one failed.
    pub message: Option<String>,
    /// What it means that a component is not in its answers.
    pub listing: ListCoverage,
    /// Until when its server wishes to be left alone.
    pub not_before: Option<DateTime<Utc>>,
    /// ETag and Last-Modified by address.
    pub validators: Option<Json>,
    /// When its provider was last looked for.
    pub detected_at: Option<DateTime<Utc>>,
    /// When it was first followed.
    pub created_at: DateTime<Utc>,
}

/// None: the tables that refer to this one name it.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
