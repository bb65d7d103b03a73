//! Conditions on vendor pages by the services that follow them.

use crate::{service, vendor_page};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{QuerySelect, QueryTrait, Select};

/// Condition: a service follows the page, paused or not.
#[must_use]
pub fn has_followers() -> Expr {
    Expr::exists(followers().into_query())
}

/// Condition: a service that is not paused follows the page.
#[must_use]
pub fn is_followed() -> Expr {
    let active = followers().filter(service::Column::Paused.into_expr().not());
    Expr::exists(active.into_query())
}

fn followers() -> Select<service::Entity> {
    let page = Expr::col(vendor_page::Column::Id.as_column_ref());
    service::Entity::find()
        .select_only()
        .expr(Expr::val(1))
        .filter(Expr::col(service::Column::VendorPageId.as_column_ref()).eq(page))
}
