//! A vendor page: one row for all users who follow it.

use crate::column::ListCoverage;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{QuerySelect, QueryTrait};

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

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The services that follow it.
    #[sea_orm(has_many = "super::service::Entity")]
    Services,
    /// Its components.
    #[sea_orm(has_many = "super::vendor_page_component::Entity")]
    Components,
    /// The incidents that it announces.
    #[sea_orm(has_many = "super::vendor_incident::Entity")]
    Incidents,
    /// The maintenance that it announces.
    #[sea_orm(has_many = "super::vendor_maintenance::Entity")]
    Maintenances,
}

impl Related<super::service::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Services.def()
    }
}

impl Related<super::vendor_page_component::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Components.def()
    }
}

impl Related<super::vendor_incident::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Incidents.def()
    }
}

impl Related<super::vendor_maintenance::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Maintenances.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// Condition: a service follows the page, paused or not.
#[must_use]
pub fn has_followers() -> Expr {
    Expr::exists(followers().into_query())
}

/// Condition: a service that is not paused follows the page.
#[must_use]
pub fn is_followed() -> Expr {
    let active = followers().filter(super::service::Column::Paused.into_expr().not());
    Expr::exists(active.into_query())
}

fn followers() -> Select<super::service::Entity> {
    let page = Expr::col(Column::Id.as_column_ref());
    super::service::Entity::find()
        .select_only()
        .expr(Expr::val(1))
        .filter(Expr::col(super::service::Column::VendorPageId.as_column_ref()).eq(page))
}
